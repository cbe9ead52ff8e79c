"""Each package of many modules has a page in its `__init__` that teaches it, and a crowded one says why it is so."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = sorted(
    path
    for top in ("signoff", "planner_svc", "runner_svc", "worker_svc")
    for path in (ROOT / top, *(ROOT / top).rglob("*"))
    if (path / "__init__.py").is_file() and path != ROOT / "signoff" / "v1"  # generated
)
FEW = 4  # modules that need no page
A_DOZEN = 13  # siblings, give or take one
LEAST_LINES = 6  # of a page

#: Words with which a page says that its folder is crowded.
REASONS = ("siblings", "a dozen")


def page_of(package: Path) -> str:
    return ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) or ""


def siblings_in(package: Path) -> list[str]:
    """Returns the modules and packages directly inside, but for those with names that Python gives."""
    modules = [path.stem for path in package.glob("*.py") if not path.stem.startswith("__")]
    return sorted(modules + [path.name for path in package.iterdir() if (path / "__init__.py").is_file()])


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: ".".join(path.relative_to(ROOT).parts))
def test_a_package_explains_itself(package: Path) -> None:
    page, siblings = page_of(package), siblings_in(package)
    assert page, "expected a docstring"
    if len(siblings) > FEW:
        assert len(page.splitlines()) >= LEAST_LINES, f"expected a page about {', '.join(siblings)}"
    if len(siblings) > A_DOZEN:
        assert any(reason in page for reason in REASONS), f"expected a reason for {len(siblings)} siblings"


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: ".".join(path.relative_to(ROOT).parts))
def test_a_page_names_only_modules_that_exist(package: Path) -> None:
    """Names of files at the beginning of a line are those of modules, or of packages with a slash."""
    for line in page_of(package).splitlines():
        name = line.split()[0] if line.startswith("    ") and line.split() else ""
        if name.endswith((".py", "/")):
            assert (package / name).exists(), f"expected {name} in {package.relative_to(ROOT)}"
