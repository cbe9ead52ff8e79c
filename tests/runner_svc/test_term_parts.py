"""The parts of a term: some run again after a bug, and one that loses the store ends the runner."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from runner_svc import term
from runner_svc.engine import Engine
from runner_svc.leftovers import Leftovers
from runner_svc.settings import RunnerSettings
from runner_svc.store import sqlite
from signoff.errors import JournalBroken, OwnershipLost, Unavailable
from signoff.files.data_directory import JOURNAL
from tests.support.servers.runner import PlannerOfTexts, running

WITHIN = 10.0  # seconds for what takes milliseconds


@pytest.mark.guard(name="a bug beside the engine ends no runner")
async def test_a_part_that_a_bug_has_ended_runs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(term, "AGAIN_AFTER", 0.0)
    runs, works = 0, asyncio.Event()

    async def part() -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise RuntimeError("a bug")
        works.set()
        await asyncio.Event().wait()

    kept_up = asyncio.create_task(term.kept_up(part))
    await asyncio.wait([kept_up, asyncio.create_task(works.wait())], timeout=WITHIN, return_when="FIRST_COMPLETED")
    assert works.is_set()
    assert not kept_up.done()
    kept_up.cancel()
    await asyncio.gather(kept_up, return_exceptions=True)


@pytest.mark.guard(name="leftovers are looked for after a bug in a turn")
async def test_leftovers_are_looked_for_again_when_a_bug_has_ended_the_turn_that_was_asked(tmp_path: Path) -> None:
    async with running(PlannerOfTexts(one="a"), tmp_path) as runner:
        asked, again = 0, asyncio.Event()

        async def ask(_question: object) -> set[str]:
            nonlocal asked
            asked += 1
            if asked == 1:
                raise Unavailable("a bug ended the turn that this was part of")
            again.set()
            return set()

        runner.engine.ask = ask  # type: ignore[method-assign,assignment]
        looking = asyncio.create_task(Leftovers(runner.engine, kept_for=0.0).run())
        await asyncio.wait([looking, asyncio.create_task(again.wait())], timeout=WITHIN, return_when="FIRST_COMPLETED")
        assert again.is_set()
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


@pytest.mark.guard(name="a replay ends with its runner")
async def test_a_runner_that_is_stopped_does_not_wait_for_its_replay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, ended = asyncio.Event(), asyncio.Event()

    async def replay(_engine: Engine) -> None:
        stop.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    monkeypatch.setattr(Engine, "open", replay)
    async with asyncio.timeout(WITHIN):
        await term.serve_terms(RunnerSettings.model_validate({"data_dir": tmp_path}), stop)
    assert ended.is_set()


async def test_a_runner_with_a_broken_journal_ends_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).parent.mkdir()
    (tmp_path / JOURNAL).write_text("no database at all")
    async with asyncio.timeout(WITHIN):
        with pytest.raises(JournalBroken, match="restore a backup"):
            await term.serve_terms(RunnerSettings.model_validate({"data_dir": tmp_path}), asyncio.Event())


@pytest.mark.guard(name="a file is lost for good")
async def test_a_runner_whose_journal_is_removed_ends_and_begins_no_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serves = asyncio.Event()
    monkeypatch.setattr(sqlite, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(term, "announce", lambda *_: serves.set())
    settings = RunnerSettings.model_validate({"data_dir": tmp_path, "address": "127.0.0.1:0", "grace": 0.0})
    stop = asyncio.Event()
    runner = asyncio.create_task(term.serve_terms(settings, stop))
    await asyncio.wait([runner, asyncio.create_task(serves.wait())], timeout=WITHIN, return_when="FIRST_COMPLETED")
    remove(tmp_path / JOURNAL)
    await asyncio.wait([runner], timeout=WITHIN)
    lost = runner.exception() if runner.done() else None
    stop.set()
    await asyncio.gather(runner, return_exceptions=True)
    assert isinstance(lost, OwnershipLost)
    assert not (tmp_path / JOURNAL).exists()


def remove(journal: Path) -> None:
    """Removes a journal with the files that SQLite keeps beside it."""
    for file in journal.parent.glob(f"{journal.name}*"):
        file.unlink()
