"""Questions to a runner: the state of executions, why tasks wait, and what happened to them."""

from __future__ import annotations

from contextlib import aclosing

from signoff.cli.remote.find_runner import RunnerLocation, execution_named, reach
from signoff.cli.remote.listing import Filters, list_executions
from signoff.cli.show.amounts import describe_budget
from signoff.cli.show.output import CommandOutput
from signoff.cli.show.tables import (
    canary_record,
    input_lines,
    people_lines,
    show_canaries,
    show_tasks,
    show_workers,
    task_record,
    unread_lines,
)
from signoff.cli.watch.reporters import event_record
from signoff.client.client import Client
from signoff.client.values import by_execution
from signoff.display.event_sentences import criteria_of, sentence_of
from signoff.display.progress import describe_counts
from signoff.display.waiting import describe_waiting
from signoff.display.wire_names import clock_time, day_and_time, record_of, state_name
from signoff.errors import Unavailable
from signoff.v1 import execution_pb2 as pb

NO_RUNNER_WORKS = "no runner works on it now: `signoff run PLAN` or `signoff serve` goes on with it"


async def status(name: str, where: RunnerLocation, output: CommandOutput, filters: Filters | None = None) -> int:
    """Prints the tasks of an execution; without a name, the list of executions."""
    if not name:
        return await list_executions(filters or Filters(), where, output)
    async with reach(where) as reached:
        execution = await execution_named(reached.client, name)
        tasks = await reached.client.tasks(by_execution(execution.execution_id))
        data_dir = None if where.runner else where.data_dir
        if output.json:
            output.record(record_of(execution))
            for task in tasks:
                output.record(task_record(task, execution.plan_id, data_dir))
            return 0
        output.line(f"{execution.plan_id} ({execution.execution_id}) {describe_progress(execution)}")
        for line in input_lines(execution):
            output.line(line)
        show_tasks(output, execution, tasks, data_dir)
        for line in (*unread_lines(tasks), *people_lines(tasks)):
            output.line(line)
        if execution.HasField("pruned_at"):
            output.note(f"it was pruned to its artifacts, {day_and_time(execution.pruned_at)}: its history is gone")
        if reached.is_temporary and _is_running(execution):
            output.note(NO_RUNNER_WORKS)
    return 0


def _is_running(execution: pb.Execution) -> bool:
    return execution.state == pb.EXECUTION_STATE_RUNNING


async def budgets(name: str, task_id: str, where: RunnerLocation, output: CommandOutput) -> int:
    """Prints each budget and what is spent of it; with `task_id`, of that task or group only."""
    async with reach(where) as reached:
        execution = await execution_named(reached.client, name)
    shown = [state for state in execution.budgets if not task_id or state.task_id == task_id]
    for state in shown:
        if output.json:
            output.record({**record_of(state), "currency": execution.currency})
        else:
            output.line(describe_budget(state, execution.currency))
    if not shown and not output.json:
        output.line(f"{task_id or execution.plan_id} has no budget")
    return 0


def describe_progress(execution: pb.Execution) -> str:
    """Returns for example "is paused (lunch): 4 of 13 signed off"."""
    reason = f" ({execution.reason})" if execution.reason else ""
    return f"is {state_name(execution.state)}{reason}: {describe_counts(execution)}"


async def why(name: str, task_id: str, where: RunnerLocation, output: CommandOutput) -> int:
    """Prints why a task is not finished; without `task_id`, for every task that is not."""
    async with reach(where) as reached:
        execution = await execution_named(reached.client, name)
        ref = by_execution(execution.execution_id)
        wanted = (task_id,) if task_id else ()
        tasks = await reached.client.tasks(ref, unfinished=not task_id, task_ids=wanted)
    if execution.state == pb.EXECUTION_STATE_QUARANTINED:
        return _why_quarantined(execution, output)
    if output.json:
        for task in tasks:
            output.record(record_of(task))
        return 0
    if not tasks:
        output.line(f"{execution.plan_id} {state_name(execution.state)}: all that it was asked for is signed off")
    for task in tasks:
        output.line(describe_waiting(task))
        for line in task.earlier_failures:
            output.line(line, indent=4)
    return 0


def _why_quarantined(execution: pb.Execution, output: CommandOutput) -> int:
    """Prints the reason of the quarantine: nothing is known of the tasks."""
    if output.json:
        output.record(record_of(execution))
    else:
        told = f"{execution.plan_id} is quarantined: {execution.reason}"
        output.line(f"{told}; `signoff resume {execution.plan_id}` tries again, all other plans go on")
    return 0


async def story(name: str, task_id: str, where: RunnerLocation, output: CommandOutput) -> int:
    """Prints the journal of one task, from its beginning, as sentences."""
    async with reach(where) as reached:
        execution = await execution_named(reached.client, name)
        ref = by_execution(execution.execution_id)
        await reached.client.tasks(ref, task_ids=(task_id,))  # blames an unknown task
        told = await _tell(reached.client, execution.execution_id, task_id, output)
    if not told and not output.json:
        output.line(f"nothing has happened to {task_id} yet: `signoff why {name} {task_id}` says what it waits for")
    return 0


async def _tell(client: Client, execution_id: str, task_id: str, output: CommandOutput) -> int:
    """Prints each event of a task, and returns how many there were."""
    count = 0
    messages = client.watch(by_execution(execution_id), after=0, follow=False, task_ids=(task_id,))
    async with aclosing(messages):
        async for event in messages:
            if not isinstance(event, pb.Event):
                continue
            count += 1
            if output.json:
                output.record(event_record(event))
                continue
            output.line(f"{clock_time(event.at)}  {sentence_of(event)}")
            for criterion in criteria_of(event):
                output.line(criterion, indent=12)
    return count


async def workers(where: RunnerLocation, output: CommandOutput) -> int:
    """Prints the workers, and how validators judged canaries, also those that have left."""
    async with reach(where) as reached:
        told = await reached.client.workforce()
        connected, tallies = told.workers, told.canaries
        if reached.is_temporary and not tallies:
            raise Unavailable(
                f"no runner works on {where.data_dir} now, so it has no workers: `signoff serve` starts one"
            )
    if output.json:
        for worker in connected:
            output.record(record_of(worker))
        for tally in tallies:
            output.record({"canaries": canary_record(tally)})
        return 0
    if connected:
        show_workers(output, connected)
    else:
        output.note("no worker is connected: `signoff worker --role executor --runner ADDRESS` starts one")
    if tallies:
        output.line("")
        show_canaries(output, tallies)
    return 0
