"""`signoff prune`: what is told, what is asked, and what is sent to the runner."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.processes.commands import signoff
from tests.support.processes.ptys import on_terminal
from tests.support.servers.fake_runner import FakeRunner, listening

AGE = ("prune", "--older-than", "30d")
TOLD = "3 executions with 40 events, 5 contents of 5.9 KiB, and 0 maps"


async def test_a_prune_tells_what_goes_and_asks_for_it(tmp_path: Path) -> None:
    runner = FakeRunner()
    async with listening(runner) as address, on_terminal(*AGE, "--runner", address, cwd=tmp_path) as terminal:
        await terminal.until("[y/N] ")
        terminal.type("y\n")
        assert await terminal.ended() == 0
    assert f"{TOLD} would go" in terminal.text
    assert f"{TOLD} are gone" in terminal.text
    assert [(asked.older_than.seconds, asked.dry_run) for asked in runner.asked] == [
        (30 * 86_400, True),
        (30 * 86_400, False),
    ]


@pytest.mark.guard(name="a person is asked before a prune")
@pytest.mark.parametrize("answer", ["n", "", "what"])
async def test_any_other_answer_prunes_nothing(answer: str, tmp_path: Path) -> None:
    runner = FakeRunner()
    async with listening(runner) as address, on_terminal(*AGE, "--runner", address, cwd=tmp_path) as terminal:
        await terminal.until("[y/N] ")
        terminal.type(f"{answer}\n")
        assert await terminal.ended() == 1
    assert [asked.dry_run for asked in runner.asked] == [True]


async def test_without_a_terminal_yes_must_be_said(tmp_path: Path) -> None:
    runner = FakeRunner()
    async with listening(runner) as address:
        refused = await signoff(*AGE, "--runner", address, cwd=tmp_path)
        assert (refused.code, runner.asked) == (2, [])
        assert "--yes" in refused.err
        flags = ("--yes", "--keep-last", "2", "--keep-artifacts", "--json")
        done = await signoff(*AGE, *flags, "--runner", address, cwd=tmp_path)
    assert json.loads(done.out) == {
        "dry_run": False, "executions": 3, "events": 40, "contents": 5, "content_bytes": 6000, "maps": 0
    }  # fmt: skip
    [asked] = runner.asked
    assert (asked.keep_last, asked.keep_artifacts, asked.dry_run) == (2, True, False)


async def test_a_dry_run_asks_nothing_and_removes_nothing(tmp_path: Path) -> None:
    runner = FakeRunner()
    async with listening(runner) as address:
        told = await signoff(*AGE, "--dry-run", "--runner", address, cwd=tmp_path)
    assert (told.code, told.out.strip()) == (0, f"{TOLD} would go")
    assert [asked.dry_run for asked in runner.asked] == [True]


@pytest.mark.parametrize("age", ["", "30", "d", "-1d", "soon", "99999w", "999999w", "2026-01-01"])
async def test_an_age_that_is_none_is_refused(age: str, tmp_path: Path) -> None:
    refused = await signoff("prune", "--older-than", age, "--yes", "--runner", "127.0.0.1:1", cwd=tmp_path)
    assert refused.code == 2
    assert "expected --older-than to be an age" in refused.err
