"""Pauses executions whose work has waited too long for models that are away. A resume goes on without loss."""

from __future__ import annotations

import math
from collections.abc import Iterator

from runner_svc.core.decide.turn import State, Turn
from runner_svc.core.model import events
from runner_svc.core.model.requirements import Requirement
from runner_svc.core.model.states import DOING, ExecutionState
from runner_svc.core.model.values import Away, Role, clock_time
from runner_svc.core.state.execution import Execution


def pause_if_away(turn: Turn, execution: Execution, at: float) -> None:
    """Pauses an execution in which all work waits for models, and one task has waited as long as it may."""
    if execution.state is not ExecutionState.RUNNING or execution.counts[DOING]:
        return
    outages = turn.state.roster.outages
    as_of = (outages.changes, execution.sequence)
    # guard: patience looks at every task once -> if False:
    if execution.agenda.patient[:2] == as_of and at < execution.agenda.patient[2]:
        return
    away = _models_away(turn.state, execution, at)
    if not away:
        return
    longest = min(away.values(), key=lambda known: known.since)
    patience = min(execution.settings.outage_patience, execution.map.shortest_patience)
    end = _begun(turn.state, execution, longest) + patience
    if end <= at:  # only now look at every task, which takes long
        until = _goes_on_until(turn.state, execution)
        if until > at:
            execution.agenda.patient = (*as_of, until)
            return
        end, _, longest = max(_ends(turn.state, execution, away, at), default=(at, 0, longest))
    if end > at:
        execution.agenda.patient = (*as_of, end)
        outages.remind_of(longest.model, execution.id, end)
        return
    turn.emit(execution, events.ExecutionPaused(at=at, request_id="", reason=_reason(longest)))


def _models_away(state: State, execution: Execution, at: float) -> dict[tuple[Role, Requirement], Away]:
    """Returns the outages by the work that waits for them; empty when there is other work, or none at all."""
    found = {}
    for role in Role:
        for requirement, queue in execution.agenda.queued[role].items():
            away = state.roster.matching.away(requirement)
            if away is not None:
                found[role, requirement] = away
            elif any(_counts(execution, role, requirement, task, at) for _, task in queue):
                return {}
    return found


def _counts(execution: Execution, role: Role, requirement: Requirement, task: int, at: float) -> bool:
    """Tells whether an entry of a queue still stands for work."""
    return execution.requirement(task, role) == requirement and execution.may_have(task, role, at)


def _goes_on_until(state: State, execution: Execution) -> float:
    """Returns the last retry time of its tasks; infinite when a worker holds one: the end of a lease is an event."""
    if any(lease.execution is execution for lease in state.roster.leases.values()):
        return math.inf
    return max((record.retry_at for _, record in execution.unfinished_records() if not record.given_up), default=0.0)


def _ends(
    state: State, execution: Execution, away: dict[tuple[Role, Requirement], Away], at: float
) -> Iterator[tuple[float, int, Away]]:
    """Yields when the patience of each waiting task ends, with the task and the outage."""
    for (role, requirement), outage in away.items():
        for _, task in execution.agenda.queued[role][requirement]:
            if _counts(execution, role, requirement, task, at):
                yield _begun(state, execution, outage) + execution.outage_patience(task), task, outage


def _begun(state: State, execution: Execution, outage: Away) -> float:
    """Returns when the execution began to wait for a model. A resume begins the waiting anew."""
    return max(state.roster.outages.waited_since(outage), execution.active_since or 0.0)


def _reason(outage: Away) -> str:
    what = f"{outage.model.in_words()} has been away since {clock_time(outage.since)}"
    return f"{what}, which is longer than this work waits for it: {outage.message}; resume once it answers"
