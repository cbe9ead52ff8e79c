"""The lifecycle of an execution: applies the events about it as a whole; task_events.py has those of its tasks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from runner_svc.core.model import events
from runner_svc.core.model.states import ExecutionState
from runner_svc.core.model.usage import NOTHING, Usage
from runner_svc.core.spending.budgets import Ledger, spent_by
from runner_svc.core.state import task_events
from runner_svc.core.state.execution import Execution

HANDLERS: dict[type[events.Event], Callable[[Execution, Any], None]] = {}

_E = TypeVar("_E", bound=events.Event)
_Handler: TypeAlias = Callable[[Execution, _E], None]


def _on(kind: type[_E]) -> Callable[[_Handler[_E]], _Handler[_E]]:
    """Registers the function that applies a kind of event."""

    def register(handler: _Handler[_E]) -> _Handler[_E]:
        HANDLERS[kind] = handler
        return handler

    return register


def apply(execution: Execution, event: events.Event) -> None:
    """Applies an event that is about no task."""
    HANDLERS[type(event)](execution, event)


@_on(events.ExecutionCreated)
def _created(execution: Execution, event: events.ExecutionCreated) -> None:
    execution.created_at, execution.currency = event.at, event.currency


@_on(events.ExecutionStarted)
def _started(execution: Execution, event: events.ExecutionStarted) -> None:
    execution.state, execution.started_at = ExecutionState.RUNNING, event.at
    execution.active_since = event.at


@_on(events.ExecutionPaused)
def _paused(execution: Execution, event: events.ExecutionPaused) -> None:
    execution.state, execution.reason = ExecutionState.PAUSED, event.reason


@_on(events.ExecutionStopped)
def _stopped(execution: Execution, event: events.ExecutionStopped) -> None:
    execution.state, execution.reason = ExecutionState.STOPPED, event.reason


@_on(events.ExecutionResumed)
def _resumed(execution: Execution, event: events.ExecutionResumed) -> None:
    execution.state, execution.reason, execution.ended_at = ExecutionState.RUNNING, "", None
    execution.active_since = event.at
    # guard: checkpoint keeps every change -> (removed)
    execution.changes.since_checkpoint |= execution.stuck
    for task in sorted(execution.stuck):
        # guard: a resume is told before it changes tasks -> (removed)
        execution.changes.about_to_happen(task)
        task_events.offer_again(execution.records[task])
        execution.agenda.add(task)
    execution.stuck.clear()


@_on(events.ExecutionSucceeded)
def _succeeded(execution: Execution, event: events.ExecutionSucceeded) -> None:
    execution.state, execution.reason, execution.ended_at = ExecutionState.SUCCEEDED, "", event.at
    execution.outages.clear()  # they no longer matter to it


@_on(events.ExecutionFailed)
def _failed(execution: Execution, event: events.ExecutionFailed) -> None:
    execution.state, execution.reason, execution.ended_at = ExecutionState.FAILED, event.reason, event.at
    execution.outages.clear()


@_on(events.BudgetSet)
def _budget_set(execution: Execution, event: events.BudgetSet) -> None:
    if execution.ledger is None:
        execution.set_ledger(Ledger(map=execution.map, limits={}))
    ledger = execution.ledger
    assert ledger is not None
    if event.node not in ledger.limits:
        ledger.spent[event.node] = spent_by(execution.map, event.node, _usage_by_task(execution))
    ledger.limits[event.node] = event.budget


def _usage_by_task(execution: Execution) -> dict[int, Usage]:
    return {
        task: sum(record.usage.values(), start=NOTHING)
        for task, record in ((task, execution.records[task]) for task in execution.records)
        if record.usage
    }


@_on(events.OutageEnded)
def _outage_ended(execution: Execution, event: events.OutageEnded) -> None:
    execution.outages.pop(event.model, None)


@_on(events.CommandNoted)
def _noted(_execution: Execution, _event: events.CommandNoted) -> None:
    """Changes nothing: the event only keeps the request id."""
