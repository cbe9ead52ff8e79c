"""Orders to a runner: pause, resume, stop, retry, a verdict. What was answered is durable, whoever works on it."""

from __future__ import annotations

import getpass
from collections.abc import Awaitable, Callable

from signoff.cli.ask import NOBODY_AT_WORK, standing
from signoff.cli.cost import NANOS
from signoff.cli.output import Output
from signoff.cli.reach import Where, execution_named, reach
from signoff.cli.tables import total_of
from signoff.client import Client, Ref, by_execution
from signoff.v1 import execution_pb2 as pb
from signoff.words import record_of

Order = Callable[[Client, Ref], Awaitable[pb.Execution]]


async def pause(name: str, reason: str, where: Where, output: Output) -> int:
    return await _give(name, where, output, lambda client, ref: client.pause(ref, reason))


async def resume(name: str, where: Where, output: Output) -> int:
    def warn(warning: str) -> None:
        output.note(f"warning: {warning}")

    return await _give(name, where, output, lambda client, ref: client.resume(ref, warn))


async def stop(name: str, reason: str, where: Where, output: Output) -> int:
    return await _give(name, where, output, lambda client, ref: client.stop(ref, reason))


async def retry(name: str, task_id: str, where: Where, output: Output) -> int:
    return await _give(name, where, output, lambda client, ref: client.retry(ref, task_id))


async def set_budget(
    name: str, task_id: str, tokens: int | None, cost: float | None, where: Where, output: Output
) -> int:
    """`cost` is in the currency of the runner's price table."""
    nanos = None if cost is None else round(cost * NANOS)
    return await _give(
        name, where, output, lambda client, ref: client.set_budget(ref, task_id, tokens=tokens, cost_nanos=nanos)
    )


async def approve(name: str, task_id: str, reason: str, where: Where, output: Output) -> int:
    return await _judge(name, task_id, True, reason, where, output)


async def reject(name: str, task_id: str, reason: str, where: Where, output: Output) -> int:
    return await _judge(name, task_id, False, reason, where, output)


async def _judge(name: str, task_id: str, passes: bool, reason: str, where: Where, output: Output) -> int:
    def order(client: Client, ref: Ref) -> Awaitable[pb.Execution]:
        return client.judge(ref, task_id, passes=passes, reason=reason, person=_whoever_types())

    return await _give(name, where, output, order)


def _whoever_types() -> str:
    """The name of the account; empty when it has none, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


async def _give(name: str, where: Where, output: Output, order: Order) -> int:
    async with reach(where) as reached:
        execution = await execution_named(reached.client, name)
        after = await order(reached.client, by_execution(execution.execution_id))
    if output.json:
        output.record(record_of(after))
    else:
        output.line(f"{after.plan_id} ({after.execution_id}) {standing(after, total_of(after.counts))}")
    if reached.is_temporary and after.state == pb.EXECUTION_STATE_RUNNING:
        output.note(NOBODY_AT_WORK)
    return 0
