"""Real services: a person rejects, looks again and approves, by the command line alone, on a terminal."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes.commands import ProcessResult, environment, in_turn, signoff, start_signoff, until
from tests.support.processes.shared_services import services_in

WAITS = "waits for a person's verdict"
#: Slow enough for the command to follow before a person is asked: later it would tell on standard error alone.
SLOW = "mock:delay=0.3"
TASK = {
    "task_id": "1",
    "description": "Name the planets",
    "input": {"description": "The sky"},
    "output": {"artifact": "planets", "format": "text"},
    "validation": {"criteria": ["Names Mars"], "human": True},
}


def written(folder: Path) -> Path:
    path = folder / "planets.json"
    path.write_text(json.dumps({"idea": "", "tasks": [TASK]}))
    return path


@dataclass(slots=True)
class Terminal:
    """A terminal, and all that was shown on it."""

    ours: int
    theirs: int
    shown: str = ""

    async def until(self, text: str) -> None:
        """Reads until it shows a text that it has not shown before."""
        before = len(self.shown)
        async with asyncio.timeout(60):
            while text not in self.shown[before:]:
                piece = await asyncio.to_thread(os.read, self.ours, 65536)
                self.shown += piece.decode(errors="replace").replace("\r\n", "\n")

    def type(self, text: str) -> None:
        os.write(self.ours, text.encode())


@contextmanager
def terminal() -> Iterator[Terminal]:
    ours, theirs = os.openpty()
    try:
        yield Terminal(ours, theirs)
    finally:
        os.close(ours)
        os.close(theirs)


async def judged(folder: Path, *arguments: str, answer: str | None) -> tuple[str, int]:
    """Gives a command to judge on a terminal; returns what it showed before it asked, and its exit code.

    `answer`: None for Ctrl-C.
    """
    with terminal() as screen:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "signoff.cli", *arguments),
            cwd=folder,
            env=environment(),
            stdin=screen.theirs,
            stdout=screen.theirs,
            stderr=screen.theirs,
            start_new_session=True,
        )
        await screen.until("? [y/N] ")
        before = screen.shown
        if answer is None:
            process.send_signal(signal.SIGINT)
        else:
            screen.type(answer)
        async with asyncio.timeout(60):
            return before, await process.wait()


def last_record(ended: ProcessResult) -> Any:
    """Returns the last line of a command's answer in JSON."""
    assert ended.code == 0, ended.err
    return json.loads(ended.out.splitlines()[-1])


async def looked(folder: Path, *arguments: str) -> ProcessResult:
    ended = await signoff("candidate", "planets", "1", *arguments, cwd=folder)
    assert ended.code == 0, ended.err
    return ended


@pytest.mark.guard(name="people judge by the command line")
async def test_a_person_rejects_and_approves_by_the_command_line_alone_and_sees_all(tmp_path: Path) -> None:
    async with services_in(tmp_path, model=SLOW):
        running = await start_signoff("run", written(tmp_path), "--model", SLOW, cwd=tmp_path)
        await until(running, WAITS)

        first = await looked(tmp_path)
        assert WAITS in first.err
        shown, code = await judged(
            tmp_path, "reject", "planets", "1", "--reason", "Name Venus too", "--by", "ada", answer="y\n"
        )
        assert code == 0
        for line in first.out.splitlines():
            assert line in shown, "the candidate is shown before the question"
        assert "pass (by the model): Names Mars" in shown
        assert shown.endswith("reject the candidate of attempt 1 of 1 as ada, because: Name Venus too? [y/N] ")

        await until(running, WAITS)
        second = await looked(tmp_path)
        assert second.out != first.out
        shown, code = await judged(tmp_path, "approve", "planets", "1", answer="n\n")
        assert code == 1, "no verdict was given"
        assert "----- the difference to attempt 1, rejected by the person ada" in shown
        assert "+Name Venus too" in shown
        shown, code = await judged(tmp_path, "approve", "planets", "1", "--by", "grace", answer="y\n")
        assert code == 0

        out, err = await running.communicate()
        assert running.returncode == 0, err.decode()
        assert "1: signed off by the person grace" in out.decode()
        await is_told_everywhere(tmp_path, first.out)


async def is_told_everywhere(folder: Path, first: str) -> None:
    """Checks that every view names the person who approved, and none as a validator, and that attempt 1 is readable."""
    by = {"person": "grace"}
    assert json.loads((folder / "db/planets/1/output.json").read_text())["signed_off_by"] == by
    artifact, candidate, status, why, told, again, diff = await in_turn(
        ("artifact", "planets", "1", "--json"),
        ("candidate", "planets", "1", "--json"),
        ("status", "planets", "--json"),
        ("why", "planets", "1"),
        ("story", "planets", "1"),
        ("candidate", "planets", "1", "--attempt", "1"),
        ("candidate", "planets", "1", "--diff"),
        cwd=folder,
    )
    assert last_record(artifact)["signed_off_by"] == by
    assert last_record(candidate)["decided_by"] == by
    assert last_record(status)["artifact"]["signed_off_by"] == by
    assert "signed off by the person grace" in why.out
    assert again.out == first, "what was rejected stays readable"
    assert "rejected by the person ada" in again.err
    assert "rejected because: Name Venus too" in again.err
    assert diff.out.startswith("--- attempt 1\n+++ attempt 2\n")
    story = told.out
    assert "was rejected by the person ada: Name Venus too" in story
    assert "fail (by the person ada): A person approves: Name Venus too" in story
    assert "signed off by the person grace: the candidate of attempt 2 passed" in story


async def test_without_a_terminal_a_verdict_needs_a_yes_and_ctrl_c_gives_none(tmp_path: Path) -> None:
    running = await start_signoff("run", written(tmp_path), "--model", "mock", "--json", cwd=tmp_path)
    await until(running, "person-asked")
    _, code = await judged(tmp_path, "approve", "planets", "1", answer=None)
    assert code == 130
    refused = await signoff("approve", "planets", "1", cwd=tmp_path)
    assert refused.code == 2
    assert "--yes gives the verdict without a question" in refused.err
    approved = await signoff("approve", "planets", "1", "--yes", "--by", "ada", "--json", cwd=tmp_path)
    assert approved.code == 0
    assert json.loads(approved.out)["counts"] == {"done": 1}
    out, _ = await running.communicate()
    told = [json.loads(line) for line in out.decode().splitlines()]
    (passed,) = [one for one in told if one["event"] == "verdict-passed"]
    assert passed["by"] == {"person": "ada"}
    (result,) = [one for one in told if one["event"] == "result"]
    assert result["artifact"]["signed_off_by"] == {"person": "ada"}
    late = await signoff("approve", "planets", "1", "--yes", cwd=tmp_path)
    assert late.code == 2
    assert "is not: signed off by the person ada" in late.err
