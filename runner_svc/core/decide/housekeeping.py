"""The housekeeping of a turn: offers the new work of executions that were touched, and ends those with none left."""

from __future__ import annotations

from runner_svc.core.decide.turn import Turn
from runner_svc.core.model import events
from runner_svc.core.model.states import DONE, ExecutionState
from runner_svc.core.state.execution import Execution


def tidy_up(turn: Turn, at: float) -> None:
    """Offers the work of all executions touched since the last call, and ends those in which nothing can happen."""
    while turn.state.restored:
        # guard: an outage that is over for others is over for all -> turn.state.restored.pop()
        _end_old_outages(turn, turn.state.restored.pop(), at)
    while turn.touched:
        execution = turn.touched.pop(next(iter(turn.touched)))
        turn.look_at(execution.id)
        turn.state.queues.offer(execution)
        _settle(turn, execution, at)


def _end_old_outages(turn: Turn, execution: Execution, at: float) -> None:
    """Ends outages that ended while the execution was in quarantine: the model has answered, and is away anew."""
    for model, away in list(execution.outages.items()):
        live = turn.state.roster.outages.get(model)
        if live is None or live.since > away.since:
            turn.look_at(execution.id)
            turn.emit(execution, events.OutageEnded(at=at, model=model))


def _settle(turn: Turn, execution: Execution, at: float) -> None:
    """Ends or pauses the execution when nothing can happen any more without a command."""
    if execution.state not in (ExecutionState.RUNNING, ExecutionState.PAUSED):
        return
    if execution.counts[DONE] == execution.wanted_count:
        turn.emit(execution, events.ExecutionSucceeded(at=at))
    elif execution.open_count or execution.state is ExecutionState.PAUSED:
        return
    elif execution.stuck:
        reason = f"the judge of {_some(execution, execution.stuck)} kept breaking: resume to offer it again"
        turn.emit(execution, events.ExecutionPaused(at=at, request_id="", reason=reason))
    else:
        reason = f"{_some(execution, execution.failed)} failed for good"
        turn.emit(execution, events.ExecutionFailed(at=at, reason=reason))


def _some(execution: Execution, tasks: set[int]) -> str:
    """Names the first few tasks of a set."""
    names = [execution.map.name(task) for task in sorted(tasks)]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{', '.join(names[:5])}{more}"
