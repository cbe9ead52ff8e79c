"""The page beside a run and beside services: its URL comes first, and it ends with them."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import httpx
import pytest

from tests.support.processes.commands import EXAMPLES, signoff, start_signoff, vanished

PLAN = EXAMPLES / "release_notes" / "plan.json"


@pytest.mark.guard(name="a run without a terminal ends")
async def test_a_run_with_the_page_ends_when_no_person_sits_at_a_terminal(tmp_path: Path) -> None:
    ended = await signoff(
        "run", PLAN, "--model", "mock", "--ui-address", "127.0.0.1:0", "--json", cwd=tmp_path, within=120
    )
    first = json.loads(ended.out.splitlines()[0])
    assert (ended.code, first["event"]) == (0, "page")
    assert first["url"].startswith("http://127.0.0.1:")
    await vanished(str(tmp_path))


async def test_the_page_of_services_is_up_until_ctrl_c(tmp_path: Path) -> None:
    anywhere = ("--planner-address", "127.0.0.1:0", "--runner-address", "127.0.0.1:0", "--ui-address", "127.0.0.1:0")
    process = await start_signoff("serve", *anywhere, "--data-dir", str(tmp_path / "db"), cwd=tmp_path)
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().removeprefix("page at ").strip()
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(url)).status_code == 200
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(60):
        _, err = await process.communicate()
    assert process.returncode == 0, err
    await vanished(str(tmp_path))


async def test_ui_offers_the_page_of_services_that_are_up_and_ends_at_sigterm(tmp_path: Path) -> None:
    process = await start_signoff(
        "ui", "--address", "127.0.0.1:0", "--runner", "127.0.0.1:9", "--read-only", cwd=tmp_path
    )
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().removeprefix("page at ").strip()
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"{url}api/v1/session")).json()["readOnly"] is True
    process.terminate()
    async with asyncio.timeout(60):
        await process.communicate()
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("--address", "0.0.0.0:0"), "--address: expected a loopback address, or a token"),
        (("--prefix", "/a b"), "--prefix: "),
        (("--allow-host", "a/b"), "--allow-host: expected names"),
        (("--token-file", "nowhere"), "--token-file: expected a file with a token"),
    ],
)
async def test_what_cannot_be_offered_is_one_line(tmp_path: Path, flags: tuple[str, str], expected: str) -> None:
    ended = await signoff("ui", *flags, cwd=tmp_path)
    assert ended.code == 2
    assert len(ended.lines) == 1
    assert ended.lines[0].startswith(f"signoff: {expected}")
