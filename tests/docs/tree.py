"""Lists the packages of the source, each with the first line of its docstring."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOPS = ("signoff", "planner_svc", "runner_svc", "worker_svc", "tests", "benchmarks")
ONLY_FIRST_LEVEL = ("tests",)  # below it, the tree is that of the source


def table() -> str:
    """Returns a row for each package: its folder, and what it is or which modules it has."""
    rows = [f"| `{folder.relative_to(ROOT)}/` | {_tells(folder)} |" for top in TOPS for folder in packages(top)]
    return "\n".join(["| folder | what it is |", "|---|---|", *rows])


def packages(top: str) -> Iterator[Path]:
    """Yields the folders of a package and of those in it, by name; the generated code comes without its insides."""
    pattern = "*/__init__.py" if top in ONLY_FIRST_LEVEL else "**/__init__.py"
    yield from sorted({ROOT / top, *(found.parent for found in (ROOT / top).glob(pattern))})


def _tells(folder: Path) -> str:
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    modules = sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))
    return _cell(docstring.partition("\n\n")[0]) if docstring else ", ".join(modules)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")
