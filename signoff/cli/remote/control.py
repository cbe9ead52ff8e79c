"""Commands to a runner: pause, resume, stop, retry, set a budget. A command that was answered is durable."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from signoff.cli.remote.ask import NO_RUNNER_WORKS, describe_progress
from signoff.cli.remote.find_runner import RunnerLocation, execution_named, reach
from signoff.cli.show.output import CommandOutput
from signoff.client.client import Client
from signoff.client.values import Ref, by_execution
from signoff.display.wire_names import record_of
from signoff.money import to_nanos
from signoff.v1 import execution_pb2 as pb

SendCommand = Callable[[Client, Ref], Awaitable[pb.Execution]]


async def pause(name: str, reason: str, where: RunnerLocation, output: CommandOutput) -> int:
    return await send_command(name, where, output, lambda client, ref: client.pause(ref, reason))


async def resume(name: str, where: RunnerLocation, output: CommandOutput) -> int:
    def warn(warning: str) -> None:
        output.note(f"warning: {warning}")

    return await send_command(name, where, output, lambda client, ref: client.resume(ref, warn))


async def stop(name: str, reason: str, where: RunnerLocation, output: CommandOutput) -> int:
    return await send_command(name, where, output, lambda client, ref: client.stop(ref, reason))


async def retry(name: str, task_id: str, where: RunnerLocation, output: CommandOutput) -> int:
    return await send_command(name, where, output, lambda client, ref: client.retry(ref, task_id))


async def set_budget(
    name: str, task_id: str, tokens: int | None, cost: float | None, where: RunnerLocation, output: CommandOutput
) -> int:
    """Sets a budget. `cost` is in the currency of the runner's price table."""
    nanos = None if cost is None else to_nanos(cost)
    return await send_command(
        name, where, output, lambda client, ref: client.set_budget(ref, task_id, tokens=tokens, cost_nanos=nanos)
    )


async def send_command(name: str, where: RunnerLocation, output: CommandOutput, command: SendCommand) -> int:
    """Sends a command about an execution, and prints the execution's state after it."""
    async with reach(where) as reached:
        execution = await execution_named(reached.client, name)
        after = await command(reached.client, by_execution(execution.execution_id))
    if output.json:
        output.record(record_of(after))
    else:
        output.line(f"{after.plan_id} ({after.execution_id}) {describe_progress(after)}")
    if reached.is_temporary and after.state == pb.EXECUTION_STATE_RUNNING:
        output.note(NO_RUNNER_WORKS)
    return 0
