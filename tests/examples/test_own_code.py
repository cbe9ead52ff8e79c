"""The worker of one's own: its functions by themselves, and the whole plan with real processes and no model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from signoff.app import Context, Task, Verdict
from tests.support.processes.commands import EXAMPLES, processes_with, signoff
from worker_svc.functions.loading import Functions, functions_of

FOLDER = EXAMPLES / "own_code"


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> Functions:
    monkeypatch.syspath_prepend(str(FOLDER))
    return functions_of(["my_worker:app"])


async def test_its_functions_are_plain_functions(functions: Functions) -> None:
    call = {name: callee.function.call for name, callee in {**functions.executors, **functions.validators}.items()}
    sentences = call["split"]("It is done. Is it? Yes!")
    assert sentences == ["It is done.", "Is it?", "Yes!"]
    counts = call["count"](sentences, Context(Task(id="2")), least=2)
    assert [(count.word, count.times) for count in counts] == [("it", 2), ("is", 2)]
    table = await call["table"](counts)
    assert table.splitlines()[2:] == ["| it | 2 |", "| is | 2 |"]
    assert call["complete"](table, counts) == Verdict.passed()
    assert call["complete"](table.replace("| it |", "|"), counts).reason == "no row for it"


@pytest.mark.long
async def test_the_plan_is_signed_off_with_no_model_at_all(tmp_path: Path) -> None:
    for name in ("my_worker.py", "plan.json"):
        shutil.copy(FOLDER / name, tmp_path)
    ended = await signoff("run", "plan.json", "--app", "my_worker:app", "--plan-id", "own_code", cwd=tmp_path)
    assert ended.code == 0, ended.err + ended.out
    assert "3 of 3 signed off" in ended.out
    assert "validators judged 1 of 1 canaries right" in ended.out
    table = json.loads((tmp_path / "db" / "own_code" / "3" / "output.json").read_text())
    assert table["media_type"] == "text/markdown"
    assert table["content"].splitlines() == [
        "| word | times |",
        "|---|---|",
        "| a | 3 |",
        "| is | 2 |",
        "| an | 2 |",
        "| artifact | 2 |",
    ]
    story = await signoff("story", "own_code", "3", cwd=tmp_path)
    assert "passes the function complete" in story.out
    assert "passed canary 1 in the place of the candidate, known to be good: as it should" in story.out
    measured = await signoff("workers", "--json", cwd=tmp_path)
    canaries = json.loads(measured.out)["canaries"]
    assert canaries.keys() == {"good", "false_reject_share"}
    assert (canaries["good"], canaries["false_reject_share"]["share"]) == (1, 0.0)
    assert not list(processes_with(str(tmp_path))), "no process is left behind"
