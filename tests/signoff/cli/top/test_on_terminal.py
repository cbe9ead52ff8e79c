"""`signoff top` on a real terminal: over the death of its runner, and what it leaves behind."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from signoff.cli.watch.follow import NOT_SIGNED_OFF
from tests.support.processes.commands import kill_one, signoff, vanished
from tests.support.processes.ptys import OnTerminal, on_terminal
from tests.support.processes.terminal_screen import CURSOR, WRAP

LOST = "connection lost, as of "
FREE = ("--planner-address", "127.0.0.1:0", "--runner-address", "127.0.0.1:0")
CREW = ("--executors", "1", "--validators", "1", "--model", "mock")


@dataclass(frozen=True, slots=True)
class Serving:
    """`signoff serve` on a terminal of its own, with an execution of one task that waits for a person."""

    terminal: OnTerminal
    runner: str  #: its address
    folder: Path

    def kill_runner(self) -> None:
        kill_one("runner_svc", str(self.folder))

    def freeze(self, *, runs_on: bool = False) -> None:
        """Stops `signoff serve` itself, so that it starts nothing again; `runs_on` takes that back."""
        os.kill(self.terminal.process.pid, signal.SIGCONT if runs_on else signal.SIGSTOP)


#: Sets a colour: of 16, of 256 or of all, of the text or behind it.
COLOUR = re.compile(r"\x1b\[(?:[0-9;:]*[;:])?(?:[34][0-8]|9[0-7]|10[0-7])(?:[;:][0-9;:]*)?m")


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Serving]:
    plan = _plan_for_a_person(folder)
    data = ("--data-dir", str(folder / "db"))
    async with on_terminal("serve", *FREE, *CREW, *data, "--json", cwd=folder, width=300) as terminal:
        await terminal.until("}")
        there = json.loads(terminal.text[terminal.text.index("{") :].splitlines()[0])
        at = ("--planner", there["planner"], "--runner", there["runner"])
        assert (await signoff("submit", plan, *at, "--detach", cwd=folder)).code == 0
        yield Serving(terminal, there["runner"], folder)
        terminal.type("\x03")
        assert await terminal.ended() == 0
    await vanished(str(folder))


def _plan_for_a_person(folder: Path) -> Path:
    part = {"input": {"description": "i"}, "output": {"description": "o"}, "validation": {"human": True}}
    plan = folder / "judged.json"
    plan.write_text(json.dumps({"idea": "a person decides", "tasks": [{"task_id": "j1", **part}]}))
    return plan


async def _bytes_of_seconds(terminal: OnTerminal, seconds: int) -> int:
    """Counts what reaches the terminal while the clock of the execution moves on and nothing else happens."""
    counted = [await _next_second(terminal) for _ in range(seconds + 2)]
    return counted[-1] - counted[1]  # what is drawn before may have other reasons


async def _next_second(terminal: OnTerminal) -> int:
    """Waits until the clock of the execution has moved; returns how many bytes had come by then."""
    await terminal.shows_no_more(terminal.shown.partition("signed off")[0])
    return len(terminal.bytes)


async def left_with_q(terminal: OnTerminal, before: Sequence[object]) -> None:
    """Quits, and checks that the terminal is as it was before."""
    terminal.type("q")
    assert await terminal.ended() == 0
    on_at_first = {CURSOR, WRAP}
    assert {mode for mode, is_set in terminal.modes.items() if is_set != (mode in on_at_first)} == set()
    assert terminal.line_settings == before
    assert terminal.shown.strip() == ""


@pytest.mark.guard(name="a second draws what has changed")
async def test_a_runner_that_is_killed_is_told_of_and_the_screen_goes_on_when_it_is_back(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as services,
        on_terminal("top", "--runner", services.runner, cwd=tmp_path) as terminal,
    ):
        before = terminal.line_settings
        await terminal.shows("for you")
        assert await _bytes_of_seconds(terminal, 3) < 3 * 500  # a whole screen has more than 2,000
        services.freeze()
        services.kill_runner()
        await terminal.shows(LOST)
        assert "j1" in terminal.shown
        services.freeze(runs_on=True)
        await terminal.shows_no_more(LOST)
        terminal.type("a")
        await terminal.shows("a: sign it off")
        terminal.type("a")
        await terminal.shows("judged succeeded")
        assert LOST not in terminal.shown
        await left_with_q(terminal, before)


async def test_it_shows_what_a_runner_left_behind_without_colour_and_leaves_no_process(tmp_path: Path) -> None:
    async with serving(tmp_path):
        pass
    data = ("--data-dir", str(tmp_path / "db"))
    async with on_terminal("top", *data, cwd=tmp_path, variables={"NO_COLOR": "1"}) as terminal:
        before = terminal.line_settings
        await terminal.shows("j1 ")
        terminal.type("w")
        await terminal.shows("worker  role")
        terminal.type("we")
        await terminal.shows("Enter: choose")  # the last line of a list
        terminal.type("\x1b")
        await terminal.shows("q quit")  # the last line of the screen
        await left_with_q(terminal, before)
        assert COLOUR.findall(terminal.text) == []
    async with on_terminal("top", *data, cwd=tmp_path, variables={"TERM": "dumb"}) as terminal:
        assert await terminal.ended() == NOT_SIGNED_OFF
        assert "j1" in terminal.text
        assert "\x1b" not in terminal.text
    await vanished(str(tmp_path))
