"""The README's commands, the examples and the files of the project do what they say."""

from __future__ import annotations

import ast
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
import yaml

from planner_svc.compiler import compile_plan
from planner_svc.diagnostics import Severity

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "examples" / "README.md"]
EXAMPLES = {"ai_trends": 13, "feedback": 2, "own_code": 3, "primes": 13, "release_notes": 7, "sales": 4}  # atomic tasks
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


def test_the_first_commands_install_and_run_an_example() -> None:
    assert blocks("sh")[0] == (
        "python3 -m venv .venv && .venv/bin/pip install -q .\n"
        ".venv/bin/signoff run examples/sales/plan.json --model mock --allow-commands\n"
        ".venv/bin/signoff export sales -o results\n"
    )


def test_ci_runs_the_tests_by_the_readmes_own_words() -> None:
    (pattern,) = re.findall(r'grep -F "([^"]+)" README\.md', (ROOT / ".ci" / "run").read_text())
    assert [line for line in README.splitlines() if pattern in line] == [blocks("sh")[-1].strip()]
    assert blocks("sh")[-1] == (
        "python3 -m venv .venv && .venv/bin/pip install -q '.[test]' && .venv/bin/python -m pytest -q\n"
    )


def test_the_first_screen_says_what_it_is_and_shows_it() -> None:
    first = README.splitlines()[:20]
    assert "durable workflow engine" in " ".join(first)
    assert any("](docs/run.svg)" in line for line in first)
    assert not any(word in " ".join(first).lower() for word in ("warning", "not yet", "caution"))


def test_the_plan_in_the_readme_compiles_without_a_word() -> None:
    (plan,) = [block for block in blocks("json") if '"tasks"' in block]
    compiled = compile_plan(plan.encode())
    assert compiled.ok
    assert compiled.diagnostics == ()


def test_every_command_the_readme_names_exists() -> None:
    named = set(re.findall(r"signoff ([a-z]+)\b", " ".join(re.findall(r"`([^`\n]+)`", README) + blocks("sh"))))
    listed = signoff("--help", cwd=ROOT).stdout
    assert {"run", "compile", "approve"} <= named
    assert [command for command in sorted(named) if not re.search(rf"^\W*{command}\b", listed, re.MULTILINE)] == []


def test_the_page_of_the_command_line_has_every_command() -> None:
    listed = re.findall(r"^  ([a-z]+)  ", signoff("--help", cwd=ROOT).stdout.partition("Commands:")[2], re.MULTILINE)
    page = (ROOT / "docs" / "reference" / "cli.md").read_text()
    rows = re.findall(r"^\| `signoff ([a-z]+)", page, re.MULTILINE)
    assert len(listed) > 15
    assert sorted(rows) == sorted(listed)


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
        text = re.sub(
            r"^```.*?^```|`[^`\n]*`(?!\])", "", page.read_text(), flags=re.M | re.S
        )  # what is quoted is no link
        for target in re.findall(r"\]\(([^)#\s]+)", text):
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


def test_the_forge_and_the_hooks_run_what_a_developer_runs() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    ran = [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]
    assert "bash .ci/run" in ran
    (sessions,) = [re.findall(r"nox -s ([a-z ]+)", line) for line in ran if "nox" in line]
    assert set(sessions) <= nox_sessions()
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repo["repo"] for repo in hooks] == ["local"], (
        "hooks of elsewhere would need a network, and versions of their own"
    )


def nox_sessions() -> set[str]:
    """Returns the names of the functions that the noxfile marks as sessions."""
    tree = ast.parse((ROOT / "noxfile.py").read_text())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {
        function.name for function in functions if any("session" in ast.unparse(d) for d in function.decorator_list)
    }


def test_every_nox_session_that_contributing_names_exists() -> None:
    named = re.findall(r"nox -s ([a-z ]+)", (ROOT / "CONTRIBUTING.md").read_text())
    assert {session for line in named for session in line.split()} <= nox_sessions()
    assert {"lint", "types", "contract", "tests", "coverage", "ci"} <= nox_sessions()


def test_every_path_that_contributing_names_exists() -> None:
    named = re.findall(r"`((?:protos|tests|signoff|runner_svc|planner_svc|worker_svc|docs)/[\w./-]+)`", CONTRIBUTING)
    assert len(named) > 20
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_has_a_line_too_long_to_read(page: Path) -> None:
    prose = [line for line in page.read_text().splitlines() if not line.startswith(("|", "python3 ", "OPENAI"))]
    assert [line for line in prose if len(line) > 125] == []


def test_the_first_test_that_contributing_names_exists() -> None:
    (path, word) = re.findall(r"pytest -q -n0 (\S+) -k (\w+)", CONTRIBUTING)[0]
    assert re.search(rf"def test_\w*{word}", (ROOT / path).read_text(encoding="utf-8"))
