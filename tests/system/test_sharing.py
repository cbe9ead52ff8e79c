"""Two commands in one folder share the services; when one ends, the other goes on."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import pytest

from tests.support.processes.commands import EXAMPLES, signoff, start_signoff, until, vanished

SLOW = ("--model", "mock:delay=0.08")
TRENDS, NOTES = EXAMPLES / "ai_trends" / "plan.json", EXAMPLES / "release_notes" / "plan.json"
WITHIN = 90.0


async def end_of(command: asyncio.subprocess.Process) -> tuple[int, str, str]:
    async with asyncio.timeout(WITHIN):
        out, err = await command.communicate()
    assert command.returncode is not None
    return command.returncode, out.decode(), err.decode()


@pytest.mark.guard(name="services are taken over at their addresses")
@pytest.mark.parametrize(
    ("number", "code"), [pytest.param(signal.SIGINT, 130, marks=pytest.mark.long), (signal.SIGKILL, -signal.SIGKILL)]
)
async def test_a_second_run_uses_the_services_of_the_first_and_goes_on_when_that_is_gone(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    first = await start_signoff("run", TRENDS, *SLOW, "--json", cwd=tmp_path)
    await until(first, '"candidate-stored"')
    second = await start_signoff("run", NOTES, *SLOW, "--json", cwd=tmp_path)
    await until(second, "using the services of the command")
    await until(second, '"candidate-stored"')
    first.send_signal(number)
    assert (await end_of(first))[0] == code
    ended, out, err = await end_of(second)
    assert ended == 0, err + out
    records = [json.loads(line) for line in out.splitlines()]
    assert any("starting services here" in record.get("message", "") for record in records)
    assert (records[-1]["event"], records[-1]["state"]) == ("ended", "succeeded")
    sequences = [record["sequence"] for record in records if "sequence" in record and record["event"] != "ended"]
    assert sequences == sorted(set(sequences)), "each event once"
    await vanished(str(tmp_path))


async def test_after_a_kill_9_the_same_command_goes_on_at_once(tmp_path: Path) -> None:
    first = await start_signoff("run", TRENDS, *SLOW, "--json", cwd=tmp_path)
    await until(first, '"verdict-passed"')
    first.kill()
    await first.wait()
    again = await signoff("run", TRENDS, *SLOW, cwd=tmp_path)
    assert again.code == 0, again.err
    assert "going on with" in again.err
    assert "13 of 13 signed off" in again.out
