"""The files for people give way to the journal."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from runner_svc import outputs as outputs_module
from runner_svc.contents import Contents
from runner_svc.core.machine import Machine
from runner_svc.outputs import OutputFiles
from runner_svc.store.memory import MemoryStore
from tests.support import story

WITHIN = 10.0  # seconds


@pytest.fixture
def outputs(tmp_path: Path) -> OutputFiles:
    return OutputFiles(tmp_path, Contents(MemoryStore()))


async def test_writing_pauses_while_there_are_commits(monkeypatch: pytest.MonkeyPatch, outputs: OutputFiles) -> None:
    monkeypatch.setattr(outputs_module, "QUIET", 3600.0)
    outputs.committed(Machine().state, ())
    pause = asyncio.create_task(outputs._give_way(3600.0))
    await asyncio.wait([pause], timeout=0.05)
    assert not pause.done()
    pause.cancel()


async def test_writing_goes_on_when_nothing_is_committed_any_more(outputs: OutputFiles) -> None:
    outputs.committed(Machine().state, ())
    await asyncio.wait_for(outputs._give_way(3600.0), WITHIN)


def done() -> story.Run:
    """A run whose only task is signed off, and has no file."""
    run = story.given("a", story.executor("w1"), story.validator("v1"), story.started)
    run.when(story.candidate("a"), story.passed("a"))
    return run


async def test_a_plan_is_not_settled_until_its_files_were_looked_for(outputs: OutputFiles) -> None:
    run = done()
    outputs.rebuilt(run.machine.state)
    assert not outputs.is_settled(run.map.plan_id)
    await outputs._check(outputs._unchecked[0])
    assert [key[1] for key in outputs._pending] == ["a"]
    assert not outputs.is_settled(run.map.plan_id), "the missing file is to be written"


async def test_a_file_that_is_there_is_not_written_again(outputs: OutputFiles) -> None:
    run = done()
    file = outputs.path(run.map.plan_id, "a")
    file.parent.mkdir(parents=True)
    file.touch()
    outputs.rebuilt(run.machine.state)
    await outputs._check(outputs._unchecked[0])
    assert outputs.is_settled(run.map.plan_id)


async def test_what_a_rebuild_overtook_is_looked_for_again(outputs: OutputFiles) -> None:
    run = done()
    outputs.rebuilt(run.machine.state)
    overtaken = outputs._unchecked[0]
    outputs.rebuilt(run.machine.state)
    await outputs._check(overtaken)
    assert not outputs._pending
    assert len(outputs._unchecked) == 1
