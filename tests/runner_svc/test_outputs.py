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
