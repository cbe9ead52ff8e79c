"""The page on a terminal: it stays after the run until Ctrl-C, and everything that was started ends with it."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from tests.support.processes.commands import EXAMPLES, vanished
from tests.support.processes.ptys import OnTerminal, on_terminal

PLAN = EXAMPLES / "release_notes" / "plan.json"
STAYS = "until Ctrl-C"
ANYWHERE = ("--ui-address", "127.0.0.1:0")
CTRL_C = "\x03"


async def url_on(terminal: OnTerminal) -> str:
    await terminal.until("page at http://")
    await terminal.until("\n", after=terminal.bytes.index(b"page at http://"))
    return terminal.text.partition("page at ")[2].splitlines()[0]


async def is_served(url: str) -> bool:
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            return (await client.get(url)).status_code == 200
        except httpx.ConnectError:
            return False


def plan_that_fails(folder: Path) -> Path:
    part = {"input": {"description": "i"}, "output": {"description": "o"}, "validation": {"criteria": ["is there"]}}
    plan = folder / "failing.json"
    plan.write_text(json.dumps({"idea": "nothing is good enough", "tasks": [{"task_id": "f1", **part}]}))
    return plan


@pytest.mark.parametrize("fails", [pytest.param(False, marks=pytest.mark.long), True])
async def test_the_page_stays_up_after_a_run_until_ctrl_c_and_the_exit_code_is_the_runs(
    tmp_path: Path, fails: bool
) -> None:
    plan = plan_that_fails(tmp_path) if fails else PLAN
    model = "mock:reject=1" if fails else "mock"
    flags = ("--model", model, "--max-failures", "1", "--ui", *ANYWHERE)
    async with on_terminal("run", plan, *flags, cwd=tmp_path, width=200) as terminal:
        before = terminal.line_settings
        url = await url_on(terminal)
        await terminal.until(STAYS)
        assert f"the page stays at {url}" in terminal.text
        assert await is_served(url)
        terminal.type(CTRL_C)
        assert await terminal.ended() == (1 if fails else 0)
        assert terminal.line_settings == before
    assert not await is_served(url)
    await vanished(str(tmp_path))


async def test_ctrl_c_during_the_run_ends_the_page_too(tmp_path: Path) -> None:
    flags = ("--model", "mock:delay=60", "--ui", *ANYWHERE)
    async with on_terminal("run", PLAN, *flags, cwd=tmp_path, width=200) as terminal:
        url = await url_on(terminal)
        await terminal.until("doing")
        terminal.type(CTRL_C)
        assert await terminal.ended() == 130
        assert STAYS not in terminal.text
    assert not await is_served(url)
    await vanished(str(tmp_path))


async def test_ui_ends_in_order_on_ctrl_c_while_a_browser_follows(tmp_path: Path) -> None:
    flags = ("--address", "127.0.0.1:0", "--runner", "127.0.0.1:9")
    async with on_terminal("ui", *flags, cwd=tmp_path, width=200) as terminal:
        url = await url_on(terminal)
        async with (
            httpx.AsyncClient(trust_env=False, timeout=60) as client,
            client.stream("GET", f"{url}api/v1/events?execution=x") as stream,
        ):
            assert stream.status_code == 200  # that the runner is away is told in the stream
            terminal.type(CTRL_C)
            assert await terminal.ended() == 0
        assert "Traceback" not in terminal.text
    assert not await is_served(url)
