"""The fold of a journal: applies each event to its execution, live and at a restart alike.

The table of transitions (model/states.py) says which event may come next. lifecycle.py applies the events of an
execution as a whole, task_events.py those of a task; progress.py updates the counters that follow from them.
"""

from __future__ import annotations

from runner_svc.core.model import events
from runner_svc.core.model.map import Map
from runner_svc.core.model.states import TRANSITIONS, TaskStatus
from runner_svc.core.model.usage import NOTHING, add
from runner_svc.core.model.values import NO_TASK
from runner_svc.core.state import lifecycle, progress, task_events
from runner_svc.core.state.execution import Execution
from runner_svc.core.state.requests import COMMANDS, request_of
from runner_svc.core.state.task_record import TaskRecord


class IllegalEvent(Exception):
    """A bug: an event that the table of transitions, or the order of the journal, does not allow."""


def created_by(entry: events.Entry, plan: Map) -> Execution:
    """Returns an execution as it is before its first event. Raises IllegalEvent unless that is ExecutionCreated."""
    if not isinstance(entry.event, events.ExecutionCreated):
        raise IllegalEvent(f"{entry.execution}: expected ExecutionCreated first, but got {entry.event}")
    return Execution(entry.execution, entry.event.settings, plan, entry.event.inputs)


def apply(execution: Execution, entry: events.Entry) -> None:
    """Applies one event. Raises IllegalEvent, with nothing changed, when it cannot come next."""
    event = entry.event
    if entry.sequence != execution.sequence + 1:
        raise IllegalEvent(
            f"{execution.id}: expected event {execution.sequence + 1}, but got {entry.sequence}: {event}"
        )
    to = _next_status(execution, event) if event.task != NO_TASK else None
    execution.sequence = entry.sequence
    if to is None:
        lifecycle.apply(execution, event)
    else:
        _apply_to_task(execution, event, to)
    if type(event) in COMMANDS and (request := request_of(entry, execution.map)) is not None:
        execution.requests.append(request)


def _next_status(execution: Execution, event: events.Event) -> TaskStatus:
    to = TRANSITIONS[execution.status[event.task]].get(type(event))
    if to is None:
        name, status = execution.map.name(event.task), execution.task_status(event.task).label
        raise IllegalEvent(f"{execution.id}: task {name} is {status}: {event} cannot happen")
    return to


def _apply_to_task(execution: Execution, event: events.Event, to: TaskStatus) -> None:
    task, changes = event.task, execution.changes
    changes.since_checkpoint.add(task)
    # guard: a task is written down before it changes -> if False:
    if changes.onlookers:
        changes.about_to_happen(task)
    record = execution.records.get(task)
    if record is None:
        record = execution.records[task] = TaskRecord()
    if execution.ledger is not None:
        _learn(execution, event, record)
    task_events.apply(record, event, execution.settings)
    # guard: canaries count without their map -> if task in execution.map.canaries:
    if task in execution.map.canaries or type(event) is events.CanaryJudged:
        execution.canaries.apply(event)
    if type(event) is events.OutageMet:
        execution.outages[event.away.model] = event.away
    if type(event) is events.UsageRecorded:
        add(execution.usage, event.phase, event.model, event.usage)
        if execution.ledger is not None:
            execution.ledger.spend(task, event.usage)
    else:
        progress.move(execution, task, to, record, event.at)


def _learn(execution: Execution, event: events.Event, record: TaskRecord) -> None:
    """Has the ledger learn the cost of an attempt which ends with the event, or which its provider has counted."""
    lease = record.lease
    if execution.ledger is None or lease is None or event.task == NO_TASK:
        return
    usage = record.cost_of(lease.id)
    if isinstance(event, events.UsageRecorded):
        usage += event.usage
        asks_a_model = execution.requirement(event.task, lease.phase.role).asks_a_model
        # guard: experience is not booked ahead -> is_over = event.lease == lease.id and asks_a_model
        is_over = event.lease == lease.id and usage.is_counted and asks_a_model
    else:
        is_over = isinstance(event, events.LeaseResult) or (isinstance(event, events.LeaseFault) and usage != NOTHING)
    if is_over and next(execution.ledger.scopes(event.task), None) is not None:
        execution.ledger.learn(execution.size_of_attempt(event.task, lease.phase, lease.canary), usage)
