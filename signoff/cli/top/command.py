"""Starts `signoff top` on a terminal; without one, `signoff watch` follows the same execution in plain lines."""

from __future__ import annotations

import sys

from signoff.cli.remote.find_runner import RunnerLocation, execution_named, reach
from signoff.cli.show.output import CommandOutput
from signoff.cli.watch.follow import watch
from signoff.client.client import Client
from signoff.errors import ExecutionNotFound
from signoff.v1 import execution_pb2 as pb


async def top(name: str, where: RunnerLocation, output: CommandOutput) -> int:
    """Shows an execution until a person leaves; the newest one without a name. Returns the exit code."""
    async with reach(where) as reached:
        execution = await chosen(reached.client, name)
        if output.is_screen and output.has_reader and sys.stdin.isatty():  # textual draws on standard error
            from signoff.cli.top.app import TopApp
            from signoff.cli.top.session import Session

            shown = TopApp(Session(reached.client, execution))
            await shown.run_async()
            return shown.return_code or 0
    return await watch(execution.execution_id, where, output, thinking=None)


async def chosen(client: Client, name: str) -> pb.Execution:
    """Returns the execution of that name, or the newest. Raises ExecutionNotFound when there is none."""
    if name:
        return await execution_named(client, name)
    newest = next(iter(await client.list(at_most=1)), None)
    if newest is None:
        raise ExecutionNotFound("expected an execution to show, but nothing was run yet: `signoff run` runs a plan")
    return newest
