"""A run on a real terminal: a few repaints a second, few bytes, and plain lines where nothing can be drawn."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.processes.commands import EXAMPLES
from tests.support.processes.ptys import on_terminal
from tests.support.processes.shared_services import services_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

PLAN = EXAMPLES / "release_notes" / "plan.json"
MODEL = "mock:delay=0.1,reject=0.2,seed=7"
RUN = ("run", PLAN, "--model", MODEL, "--fresh")
REPAINTS = 4  # a second
APART = 0.1  # seconds without a byte between two repaints


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def folder(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """Returns a folder with services that every run in it uses."""
    made = tmp_path_factory.mktemp("shared")
    async with services_in(made, model=MODEL):
        yield made


async def test_a_run_repaints_a_few_times_a_second_and_ends_on_the_first_screen(folder: Path) -> None:
    async with on_terminal(*RUN, cwd=folder) as terminal:
        begin = await terminal.until("\x1b[?1049h")
        await terminal.until("signed off")
        terminal.resize(60, 16)
        assert await terminal.ended() == 0
        end = terminal.bytes.rindex(b"\x1b[?1049l")
        assert b"7 of 7 signed off" in terminal.bytes[end:]
        drawn = _arrivals(terminal.arrivals, begin, end)
        seconds = drawn[-1][0] - drawn[0][0]
        repaints = 1 + sum(later - sooner > APART for (sooner, _), (later, _) in pairwise(drawn))
        assert repaints <= REPAINTS * seconds + 2
        assert end - begin <= 4_000 * max(seconds, 1)  # a full frame of 80x24 has more than 2,000 bytes


def _arrivals(arrivals: list[tuple[float, int]], begin: int, end: int) -> list[tuple[float, int]]:
    """Returns the pieces that came between two places in the output."""
    found, place = [], 0
    for at, size in arrivals:
        place += size
        if begin < place <= end:
            found.append((at, size))
    return found


async def test_a_dumb_terminal_gets_plain_lines(folder: Path) -> None:
    async with on_terminal(*RUN, cwd=folder, variables={"TERM": "dumb"}) as terminal:
        assert await terminal.ended() == 0
        assert "\x1b" not in terminal.text
        assert "7 of 7 signed off" in terminal.text


@pytest.mark.long
async def test_without_colour_a_run_is_drawn_without(folder: Path) -> None:
    async with on_terminal(*RUN, cwd=folder, variables={"NO_COLOR": "1"}) as terminal:
        assert await terminal.ended() == 0
        assert "\x1b[?1049h" in terminal.text
        assert not re.search(r"\x1b\[(?:[0-9;]*;)?[349][0-7](?:;[0-9;]*)?m", terminal.text)
