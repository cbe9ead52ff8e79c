"""`signoff thinking`: what the model of a running attempt thinks aloud."""

from __future__ import annotations

import sys

from signoff.cli.remote.find_runner import RunnerLocation, execution_named, reach
from signoff.cli.show.output import CommandOutput, visible
from signoff.client.values import by_execution
from signoff.display.wire_names import phase_name, record_of
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2


async def thinking(name: str, task_id: str, where: RunnerLocation, output: CommandOutput) -> int:
    """Prints the end of what the worker at work on a task thinks; facts about it go to standard error."""
    async with reach(where) as reached:
        execution = await execution_named(reached.client, name)
        found = await reached.client.thinking(by_execution(execution.execution_id), task_id)
    if output.json:
        output.record(record_of(found))
        return 0
    output.note(f"{execution.plan_id} {task_id}: {describe_thinking(found)}")
    sys.stdout.write(visible(found.text))
    sys.stdout.write("\n" if found.text and not found.text.endswith("\n") else "")
    sys.stdout.flush()
    return 0


def describe_thinking(found: runner_pb2.GetThinkingResponse) -> str:
    """Returns for example "attempt 2, execute; something before this is not kept"."""
    if found.phase == pb.PHASE_UNSPECIFIED:
        return "no worker is at work on it now, and thinking is kept only while one is"
    said = f"attempt {found.attempt}, {phase_name(found.phase)}"
    if not found.text:
        return f"{said}: nothing was thought aloud yet" if not found.dropped else f"{said}: its thinking is not kept"
    return f"{said}; something before this or in it is not kept" if found.dropped else said
