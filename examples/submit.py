"""Runs a plan on services that are up already: python examples/submit.py PLAN [PLANNER [RUNNER]]."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from signoff.client import Client, by_execution
from signoff.errors import SignoffError
from signoff.rpc.ports import PLANNER_ADDRESS, RUNNER_ADDRESS
from signoff.v1 import execution_pb2

DEFAULTS = (PLANNER_ADDRESS, RUNNER_ADDRESS)  # where `signoff serve` and docker-compose.yml listen


async def submit(plan_json: bytes, plan_id: str, planner: str, runner: str) -> bool:
    """Compiles a plan, starts it and prints its events. Tells whether everything was signed off."""
    async with Client(planner=planner, runner=runner) as client:
        compiled = await client.compile_plan(plan_json, plan_id=plan_id)
        for diagnostic in compiled.diagnostics:
            sys.stderr.write(f"{diagnostic.code}: {diagnostic.message}\n")
        if not compiled.ok:
            return False
        await client.set_layout(plan_id)
        ref = by_execution((await client.start(plan_id)).execution_id)
        async for message in client.watch(ref, after=0):
            if isinstance(message, execution_pb2.Event):
                sys.stdout.write(f"{message.sequence:4}  {message.task_id:8} {message.WhichOneof('kind')}\n")
        return (await client.get(ref)).state == execution_pb2.EXECUTION_STATE_SUCCEEDED


def main(arguments: list[str]) -> int:
    if not 1 <= len(arguments) <= 3:
        sys.stderr.write("usage: submit.py PLAN [PLANNER [RUNNER]]\n")
        return 2
    plan, planner, runner = *arguments, *DEFAULTS[len(arguments) - 1 :]
    try:
        file = Path(plan).resolve()
        return 0 if asyncio.run(submit(file.read_bytes(), file.parent.name, planner, runner)) else 1
    except (SignoffError, OSError) as error:
        sys.stderr.write(f"submit.py: {error}\n")
        return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
