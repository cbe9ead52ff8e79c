"""The README's commands, the examples and the files of the project do what they say."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planner_svc.compiler import compile_plan
from planner_svc.diagnostics import Severity

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md"), ROOT / "examples" / "README.md"]
EXAMPLES = {"ai_trends": 13, "feedback": 2, "own_code": 3, "primes": 13, "release_notes": 7}  # atomic tasks
FOREIGN_PLAN = "examples/ai_trends/plan.json"


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def blocks(language: str) -> list[str]:
    """Returns the README's code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def signoff(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs the installed command, in an environment that configures nothing."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SIGNOFF_", "OPENAI_"))}
    program = Path(sysconfig.get_path("scripts")) / "signoff"
    command = [str(program), *arguments]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=120)


# ---------------------------------------------------------------- the README


def test_the_first_command_installs_and_runs_an_example_and_the_second_the_tests() -> None:
    assert blocks("sh")[:2] == [
        "python3 -m venv .venv && .venv/bin/pip install -q . && "
        ".venv/bin/signoff run examples/ai_trends/plan.json --model mock\n",
        "python3 -m venv .venv && .venv/bin/pip install -q '.[test]' && .venv/bin/python -m pytest -q\n",
    ]


def test_ci_runs_the_tests_by_the_readmes_own_words() -> None:
    (pattern,) = re.findall(r'grep -F "([^"]+)" README\.md', (ROOT / ".ci" / "run").read_text())
    assert [line for line in README.splitlines() if pattern in line] == [blocks("sh")[1].strip()]


def test_the_plan_in_the_readme_compiles_without_a_word() -> None:
    (plan,) = [block for block in blocks("json") if '"tasks"' in block]
    compiled = compile_plan(plan.encode())
    assert compiled.ok
    assert compiled.diagnostics == ()


def test_every_command_the_readme_names_exists() -> None:
    named = set(re.findall(r"signoff ([a-z]+)\b", " ".join(re.findall(r"`([^`\n]+)`", README) + blocks("sh"))))
    listed = signoff("--help", cwd=ROOT).stdout
    assert {"run", "compile", "serve", "why", "story", "retry"} <= named
    assert [command for command in sorted(named) if not re.search(rf"^\W*{command}\b", listed, re.MULTILINE)] == []


@pytest.mark.parametrize("module", ["planner_svc", "runner_svc", "worker_svc"])
def test_every_flag_the_readme_gives_to_a_service_exists(module: str) -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines() if f"-m {module}" in line]
    flags = {flag for line in lines for flag in re.findall(r"--[a-z-]+", line)}
    command = [sys.executable, "-m", module, "--help"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    assert flags
    assert [flag for flag in sorted(flags) if flag not in shown] == []


def links() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            if "://" not in target:
                yield page, target


def test_no_link_leads_nowhere() -> None:
    broken = [f"{page.name} → {target}" for page, target in links() if not (page.parent / target).exists()]
    assert broken == []


# ---------------------------------------------------------------- the examples


@pytest.mark.parametrize(("name", "tasks"), EXAMPLES.items())
def test_an_example_compiles(name: str, tasks: int) -> None:
    compiled = compile_plan((ROOT / "examples" / name / "plan.json").read_bytes(), plan_id=name)
    assert not [found for found in compiled.diagnostics if found.severity is Severity.ERROR]
    assert compiled.map is not None
    assert len(compiled.map.tasks) == tasks


def test_the_plan_from_elsewhere_is_kept_as_it_came() -> None:
    digest = hashlib.sha256((ROOT / FOREIGN_PLAN).read_bytes()).hexdigest()
    assert digest == "2358803bbb5ec694cc87bed16e866e8d6db77c2eedcf7a99b7d4c8e4d0062d41"


def test_our_own_example_has_what_it_is_to_show() -> None:
    plan = (ROOT / "examples" / "release_notes" / "plan.json").read_bytes()
    compiled = compile_plan(plan)
    assert compiled.diagnostics == ()
    assert compiled.map is not None
    tasks = compiled.map.tasks
    assert all(task.validation is not None and task.validation.criteria for task in tasks)
    kinds = {
        check["type"] for task in json.loads(plan)["tasks"] for check in task.get("validation", {}).get("checks", [])
    }
    assert kinds == {"json", "json_schema", "required_keys", "regex", "length"}
    assert any(task.output is not None and task.output.format.startswith("JSON") for task in tasks)
    groups = range(len(tasks), len(tasks) + len(compiled.map.groups))
    assert any(set(waited) & set(groups) for waited in compiled.map.waits_for), "a dependency on a group"


# ---------------------------------------------------------------- the project


def test_the_changelog_tells_of_this_version() -> None:
    assert f"## [{pyproject()['project']['version']}]" in (ROOT / "CHANGELOG.md").read_text()


def test_the_script_of_the_package_is_the_command_line() -> None:
    assert pyproject()["project"]["scripts"] == {"signoff": "signoff.cli:main"}


def test_ci_checks_everything_it_should() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    for step in ('ruff" check', 'ruff" format --check', 'mypy"', 'buf" lint', 'buf" breaking', "README.md"):
        assert step in script, step
    checked = subprocess.run(["bash", "-n", str(ROOT / ".ci" / "run")], capture_output=True, check=False)
    assert checked.returncode == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_has_a_line_too_long_to_read(page: Path) -> None:
    prose = [line for line in page.read_text().splitlines() if not line.startswith(("|", "python3 ", "OPENAI"))]
    assert [line for line in prose if len(line) > 125] == []
