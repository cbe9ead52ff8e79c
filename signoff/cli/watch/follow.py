"""Follows an execution to its end, and prints how it ended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Self

from signoff.cli.remote.find_runner import RunnerLocation, execution_named, reach
from signoff.cli.show.amounts import describe_amount, sum_of
from signoff.cli.show.output import CommandOutput
from signoff.cli.show.tables import people_lines, show_tasks, task_record, unread_lines
from signoff.cli.watch.reporters import Reporter, reporter_for
from signoff.cli.watch.screen import GridRows
from signoff.cli.watch.stall import WHAT_TO_DO, Stall
from signoff.cli.watch.written import until_written
from signoff.client.client import Client
from signoff.client.costs import NOTHING
from signoff.client.values import by_execution
from signoff.client.view import DOING, View
from signoff.client.watch import Message, Snapshot
from signoff.display.progress import describe_counts
from signoff.display.wire_names import record_of, state_name, status_name
from signoff.errors import SignoffError
from signoff.states import is_at_rest
from signoff.v1 import execution_pb2 as pb

ALL_SIGNED_OFF, NOT_SIGNED_OFF, IS_PAUSED = 0, 1, 3  # exit codes

MOST_ON_A_SCREEN = 40  # tasks in the table at the end; a pipe gets all

HINT = "Ctrl-C ends the watching, not the execution"

_FAILED = (pb.TASK_STATUS_EXECUTION_FAILED, pb.TASK_STATUS_VALIDATION_FAILED)
_WAITS_FOR_A_PERSON = {
    pb.WAITING_FOR_JUDGE,
    pb.WAITING_FOR_RETRY_COMMAND,
    pb.WAITING_FOR_FAILED_DEPENDENCY,
    pb.WAITING_FOR_DEPENDENCIES,
}


async def follow(
    client: Client,
    execution_id: str,
    reporter: Reporter,
    *,
    thinking: bool,
    wait: bool = True,
    alone: bool = False,
    since: int | None = None,
) -> str:
    """Reports everything that happens until the execution is at rest, or until only a person can go on.

    `wait`: also goes on when the runner has paused it, or when no worker can do what is left. `alone`: no other workers
    can come. `since`: a reporter of every event also gets the events after this sequence that the snapshot covers.
    Returns why nothing can go on, as a sentence; empty when the watch ended otherwise.
    """
    view, stall, is_first = View(), Stall(client, execution_id, reporter), True
    contact = _Contact(reporter)
    async with (
        aclosing(client.watch(by_execution(execution_id), thinking=thinking, on_lost=contact.lost)) as messages,
        _Next(messages) as next_,
    ):
        while True:
            try:
                message = await next_.within(stall.pause)
            except TimeoutError:
                reason = await stall.look(view)
                # guard (2 lines): a run that cannot go on ends -> (removed)
                if reason and alone and not wait:
                    return reason
                continue
            if message is None:
                return ""
            stall.moved()
            contact.heard()
            # guard: json tells what the snapshot covers -> if since is not None and False:
            if since is not None and isinstance(message, Snapshot) and reporter.tells_every_event:
                await tell_earlier(client, execution_id, reporter, after=since, to=message.execution.sequence)
                since = None
            change = view.apply(message)
            reporter.show(view, message, change)
            # guard: a run that the runner pauses ends -> was_paused = False
            was_paused = change is not None and was_paused_by_the_runner(change.event)
            # It may have been paused as soon as it was started: then the watch begins with that.
            # guard: a run that was paused at once ends -> if not wait and (was_paused):
            if not wait and (was_paused or (is_first and view.state == pb.EXECUTION_STATE_PAUSED)):
                return ""
            is_first = False
            if may_wait_for_a_person(view) and await waits_for_a_person(client, execution_id):
                return ""


class _Contact:
    """Tells once when the runner is lost, and once when it is heard again: the view is old in between."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter, self._is_lost = reporter, False

    def lost(self) -> None:
        # guard: a watch says when its runner is lost -> if False:
        if not self._is_lost:
            self._is_lost = True
            self._reporter.notice("the runner does not answer: this is how it stood; the watch goes on when it is back")

    def heard(self) -> None:
        if self._is_lost:
            self._is_lost = False
            self._reporter.notice("the runner is back")


async def tell_earlier(client: Client, execution_id: str, reporter: Reporter, *, after: int, to: int) -> None:
    """Reports the events after one sequence and up to another, with the state of the tasks at that time."""
    view = View()
    if after >= to:
        return
    async with aclosing(client.watch(by_execution(execution_id), after=after, follow=False)) as messages:
        async for message in messages:
            reporter.show(view, message, view.apply(message))
            if view.sequence >= to:
                return


class _Next:
    """The messages of a watch, one after the other, each with a time limit of its own."""

    def __init__(self, messages: AsyncIterator[Message]) -> None:
        self._messages = messages
        self._coming: asyncio.Task[Message | None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        if self._coming is not None:
            self._coming.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._coming

    async def within(self, seconds: float) -> Message | None:
        """Returns the next message, None at the end. Raises TimeoutError when none has come yet; none is lost by it."""
        if self._coming is None:
            self._coming = asyncio.create_task(self._take())
        done, _ = await asyncio.wait({self._coming}, timeout=seconds)
        if not done:
            raise TimeoutError
        coming, self._coming = self._coming, None
        return coming.result()

    async def _take(self) -> Message | None:
        return await anext(self._messages, None)


def was_paused_by_the_runner(event: pb.Event) -> bool:
    """Tells whether the runner itself paused the execution: a person's pause has a request id."""
    return event.HasField("execution_paused") and not event.execution_paused.request_id


def may_wait_for_a_person(view: View) -> bool:
    """Tells, cheaply, whether a person may be needed: judges broke on candidates, and nothing else is being done."""
    if not view.troubled or view.is_at_rest or view.counts[DOING]:
        return False
    return not any(view.tasks[task_id].worker for task_id in view.troubled)


async def waits_for_a_person(client: Client, execution_id: str) -> bool:
    """Asks the runner whether judges broke too often, so that all unfinished tasks wait for a person's decision."""
    execution = await client.get(by_execution(execution_id))
    tasks = await client.tasks(by_execution(execution_id), unfinished=True)
    waits = {task.waiting.waiting_for for task in tasks}
    if pb.WAITING_FOR_JUDGE not in waits:
        return False
    return execution.state == pb.EXECUTION_STATE_PAUSED or waits <= _WAITS_FOR_A_PERSON


async def watch(name: str, where: RunnerLocation, output: CommandOutput, *, thinking: bool | None) -> int:
    """Follows an execution that runs already, for `signoff watch`."""
    async with reach(where) as reached:
        execution = await execution_named(reached.client, name)
        if reached.is_temporary and not is_at_rest(execution.state):
            output.note(
                "no runner works on this execution now: `signoff run PLAN` goes on with it; this is how it stands"
            )
        else:
            reporter = reporter_for(output, await grid_rows_of(reached.client, execution.plan_id), HINT)
            async with reporter:
                wanted = output.is_screen if thinking is None else thinking
                await follow(reached.client, execution.execution_id, reporter, thinking=wanted)
        data_dir = None if where.runner else where.data_dir
        return await tell_ending(reached.client, execution.execution_id, output, data_dir)


async def grid_rows_of(client: Client, plan_id: str) -> GridRows:
    """Returns the rows of the tasks by the plan's layout; none when there is no layout."""
    with contextlib.suppress(SignoffError):
        layout = (await client.layout(plan_id)).layout
        return GridRows(
            rows={cell.task_id: cell.row for cell in layout.cells},
            descriptions={node.task_id: node.description for node in layout.nodes if node.atomic},
        )
    return GridRows()


async def tell_ending(
    client: Client, execution_id: str, output: CommandOutput, data_dir: Path | None, *, cannot: str = ""
) -> int:
    """Prints the table at the end and why tasks failed. Returns the exit code. `cannot` is why nothing can go on.

    The results lie on the runner's disk by then, as far as they can be written.
    """
    ref = by_execution(execution_id)

    def say(text: str) -> None:
        if output.json:
            output.record({"event": "notice", "message": text})
        else:
            output.note(text)

    await until_written(client, ref, say)
    execution, tasks = await client.get(ref), await client.tasks(ref)
    code = exit_code_of(execution)
    if output.json:
        for task in tasks:
            output.record({"event": "result", **task_record(task, execution.plan_id, data_dir)})
        cannot_go_on = {"cannot_go_on": cannot} if cannot else {}
        output.record({"event": "ended", "exit_code": code, **record_of(execution), **cannot_go_on})
        return code
    shown = tasks if len(tasks) <= MOST_ON_A_SCREEN or not output.is_screen else _unfinished_first(tasks)
    show_tasks(output, execution, shown, data_dir)
    if len(shown) < len(tasks):
        output.line(f"and {len(tasks) - len(shown):,} more tasks: `signoff status {execution.plan_id}` shows all")
    for task in shown:
        if task.status in _FAILED:
            output.line(describe_failure(task))
    # guard: a run says what a model was not shown -> for line in people_lines(tasks):
    for line in (*unread_lines(tasks), *people_lines(tasks)):
        output.line(line)
    for line in filter(None, (describe_canaries(execution), describe_cost(execution))):
        output.line(line)
    output.line(describe_ending(execution))
    if cannot:
        output.line(f"nothing can go on: {cannot}")
        output.line(WHAT_TO_DO)
    return code


def _unfinished_first(tasks: Sequence[pb.TaskState]) -> list[pb.TaskState]:
    """Returns as many tasks as a person reads: failed ones, then others that are not signed off, then the rest."""
    in_order = sorted(tasks, key=lambda task: (task.status not in _FAILED, task.status == pb.TASK_STATUS_DONE))
    return in_order[:MOST_ON_A_SCREEN]


def exit_code_of(execution: pb.Execution) -> int:
    if execution.state == pb.EXECUTION_STATE_PAUSED:
        return IS_PAUSED
    return ALL_SIGNED_OFF if execution.state == pb.EXECUTION_STATE_SUCCEEDED else NOT_SIGNED_OFF


def describe_canaries(execution: pb.Execution) -> str:
    """Returns for example "validators judged 7 of 9 canaries right: they passed 2 known to be bad"; empty for none."""
    tallies = execution.canaries
    passed, failed = sum(tally.false_accepts for tally in tallies), sum(tally.false_rejects for tally in tallies)
    judged = sum(tally.good + tally.bad for tally in tallies)
    wrong = [f"passed {passed} known to be bad"] if passed else []
    wrong += [f"failed {failed} known to be good"] if failed else []
    how = f": they {' and '.join(wrong)}" if wrong else ""
    return f"validators judged {judged - passed - failed} of {judged} canaries right{how}" if judged else ""


def describe_cost(execution: pb.Execution) -> str:
    """Returns for example "it has cost ~12,345 tokens in 20 requests: `signoff cost trends` says on what"."""
    spent = sum_of(execution.usage)
    told = describe_amount(spent, execution.currency)
    return f"it has cost {told}: `signoff cost {execution.plan_id}` says on what" if spent != NOTHING else ""


def describe_failure(task: pb.TaskState) -> str:
    times = "once" if task.attempt == 1 else f"{task.attempt} times"
    return f"{task.task_id} {status_name(task.status)}, tried {times}: {task.last_failure or 'no reason was given'}"


def describe_ending(execution: pb.Execution) -> str:
    """Returns for example "ai_trends succeeded: 13 of 13 signed off"."""
    counts = describe_counts(execution)
    reason = f" ({execution.reason})" if execution.reason else ""
    plan_id, state = execution.plan_id, state_name(execution.state)
    if execution.state == pb.EXECUTION_STATE_SUCCEEDED:
        return f"{plan_id} succeeded: {counts}"
    if execution.state == pb.EXECUTION_STATE_FAILED:
        return f"{plan_id} failed: {counts}{reason}; `signoff why {plan_id}` says what each task waits for"
    if execution.state == pb.EXECUTION_STATE_QUARANTINED:
        return f"{plan_id} is quarantined{reason}; `signoff resume {plan_id}` tries again"
    return f"{plan_id} is {state}: {counts}{reason}; `signoff why {plan_id}` says what it waits for"
