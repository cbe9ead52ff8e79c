"""A run that no worker can go on with ends, with the reason and what to do; services without workers say so."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.support.processes.commands import signoff, start_signoff, until

WITHIN = 60.0  # seconds


def plan_with(folder: Path, **executor: object) -> Path:
    """Writes a plan with a task that any worker can do, and one that asks for more."""
    usual = {"input": {}, "output": {"format": "text"}, "validation": {"checks": [{"type": "length", "min_chars": 1}]}}
    tasks = [{"task_id": "1", **usual}, {"task_id": "2", **usual, "executor": executor}]
    path = folder / "mixed.json"
    path.write_text(json.dumps({"idea": "", "tasks": tasks}))
    return path


async def test_a_run_without_the_programs_that_its_plan_needs_ends_and_the_right_command_goes_on(
    tmp_path: Path,
) -> None:
    plan = plan_with(tmp_path, command=["echo", "hello"])
    ended = await asyncio.wait_for(signoff("run", plan, "--model", "mock", cwd=tmp_path), WITHIN)
    assert ended.code == 1
    reason = "2: no executor that is connected has what it asks for: the handler command"
    assert f"nothing is being done: {reason}" in ended.err
    assert f"nothing can go on: {reason}" in ended.out
    assert "--allow-commands" in ended.out
    assert "mixed is running: 1 of 2 signed off" in ended.out
    ended = await asyncio.wait_for(signoff("run", plan, "--model", "mock", "--allow-commands", cwd=tmp_path), WITHIN)
    assert ended.code == 0, ended.out


async def test_services_without_workers_say_so(tmp_path: Path) -> None:
    addresses = ("--planner-address", "127.0.0.1:0", "--runner-address", "127.0.0.1:0")
    serving = await start_signoff("serve", "--model", "mock", *addresses, cwd=tmp_path)
    await until(serving, "logs in", within=WITHIN)
    serving.terminate()
    _, said = await asyncio.wait_for(serving.communicate(), WITHIN)
    expected = "signoff: no executors and no validators are started: nothing is done until some connect; "
    assert expected + "--executors N --validators N starts them here, `signoff worker` anywhere" in said.decode()
