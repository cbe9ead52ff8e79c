"""The tutorial and the guides do what they say: their plans compile, their functions run, their commands exist."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

from planner_svc.compiler import compile_plan

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = (ROOT / "docs" / "tutorial" / "first-plan.md").read_text()
OWN_CODE = (ROOT / "docs" / "how-to" / "own-code.md").read_text()
GUIDES = [*(ROOT / "docs" / "how-to").glob("*.md"), *(ROOT / "docs" / "tutorial").glob("*.md")]
SIGNOFF = Path(sysconfig.get_path("scripts")) / "signoff"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def signoff(*arguments: str, cwd: Path) -> str:
    """Runs the installed command, with an environment that configures nothing, and returns what it wrote."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SIGNOFF_", "OPENAI_"))}
    run = subprocess.run([str(SIGNOFF), *arguments], cwd=cwd, env=env, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_the_plan_of_the_tutorial_compiles_without_a_complaint() -> None:
    compiled = compile_plan(blocks(TUTORIAL, "json")[0].encode())
    assert compiled.ok
    assert compiled.diagnostics == ()


def test_the_change_for_a_person_is_one_of_that_plan() -> None:
    plan = json.loads(blocks(TUTORIAL, "json")[0])
    changed = json.loads(f"{{{blocks(TUTORIAL, 'json')[1]}}}")["validation"]
    assert changed == plan["tasks"][1]["validation"] | {"human": True}


def test_the_plans_and_the_code_of_the_guide_to_own_code_fit_each_other(tmp_path: Path) -> None:
    whole, *more = (json.loads(block) for block in blocks(OWN_CODE, "json"))
    whole["tasks"] += more
    assert compile_plan(json.dumps(whole).encode()).diagnostics == ()
    names: dict[str, object] = {}
    exec("\n".join(blocks(OWN_CODE, "python")), names)
    fetch, complete = names["fetch"], names["complete"]
    assert callable(fetch)
    assert callable(complete)
    assert complete(fetch("Mars"), "Mars") is True


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_every_command_of_a_guide_exists(page: Path) -> None:
    listed = set(re.findall(r"^  ([a-z]+)  ", signoff("--help", cwd=ROOT), re.MULTILINE))
    named = set(re.findall(r"^(?:.*/bin/)?signoff ([a-z]+)\b", "".join(blocks(page.read_text(), "sh")), re.MULTILINE))
    assert named <= listed


@pytest.mark.long
def test_the_candidate_of_the_tutorial_is_rejected_once(tmp_path: Path) -> None:
    (tmp_path / "party").mkdir()
    (tmp_path / "party" / "plan.json").write_text(blocks(TUTORIAL, "json")[0])
    (command,) = re.findall(r"signoff (run party/plan\.json --model mock:\S+)", TUTORIAL)
    signoff(*command.split(), cwd=tmp_path)
    story = signoff("story", "party", "2", cwd=tmp_path)
    assert "the candidate of attempt 1 was rejected" in story
    assert "signed off by the validator validator-1: the candidate of attempt 2 passed" in story
