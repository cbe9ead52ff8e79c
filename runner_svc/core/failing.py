"""What happens when something goes wrong: retries, rollbacks, lost leases, and the end of an execution."""

from __future__ import annotations

from collections.abc import Sequence

from runner_svc.core import commands as c
from runner_svc.core import events as e
from runner_svc.core.deadlines import Due
from runner_svc.core.execution import Execution
from runner_svc.core.leases import LiveLease
from runner_svc.core.measuring import judge_canary
from runner_svc.core.outages import MOST_MODELS, MOST_OUTAGES, OUTAGES
from runner_svc.core.policy import add_downstream, in_order, jitter, retry_time, roots_of
from runner_svc.core.states import DOING, DONE, UNDONE, VALIDATING, ExecutionState
from runner_svc.core.turn import Steps, Turn
from runner_svc.core.values import CriterionResult, FailureKind, LeaseId, ModelAt, Outcome, RollbackScope

BY_COMMAND = LeaseId("")  # of a verdict that a person gave


def fail_attempt(
    turn: Turn, lease: LiveLease, at: float, kind: FailureKind, message: str, retry_after: float | None = None
) -> None:
    """The executor failed, or its time ran out; the lease has ended."""
    execution, task = lease.execution, lease.task
    event = e.AttemptFailed(
        at=at,
        task=task,
        lease=lease.id,
        attempt=execution.records[task].attempt,
        kind=kind,
        message=message,
        retry_after=retry_after,
    )
    turn.emit(execution, event)
    permanent = kind is FailureKind.PERMANENT
    after_failure(turn, execution, task, at, last=permanent, end=permanent, retry_after=retry_after)


def reject(
    turn: Turn,
    execution: Execution,
    task: int,
    results: tuple[CriterionResult, ...],
    feedback: str,
    *,
    at: float,
    lease: LeaseId = BY_COMMAND,
    retry_worthwhile: bool = True,
    request_id: str = "",
) -> None:
    """The candidate is not good enough: by a validator, whose lease has ended, or by a person."""
    event = e.VerdictFailed(
        at=at,
        task=task,
        lease=lease,
        attempt=execution.records[task].attempt,
        results=results,
        feedback=feedback,
        retry_worthwhile=retry_worthwhile,
        request_id=request_id,
    )
    turn.emit(execution, event)
    hopeless = not retry_worthwhile and execution.settings.rollback_scope is RollbackScope.DOWNSTREAM
    after_failure(turn, execution, task, at, last=not retry_worthwhile, end=hopeless)


def after_failure(
    turn: Turn,
    execution: Execution,
    task: int,
    at: float,
    *,
    last: bool,
    end: bool,
    retry_after: float | None = None,
) -> None:
    """Retry, rollback or the end. `last`: another try is useless. `end`: so is a rollback."""
    record = execution.records[task]
    settings = execution.settings
    if not last and not record.no_progress and record.failures < execution.max_failures(task):
        retry_at = retry_time(execution, task, record.failures, retry_after, at)
        turn.emit(execution, e.RetryScheduled(at=at, task=task, retry_at=retry_at))
        turn.state.roster.deadlines.remind(retry_at, Due.RETRY, (execution, task))
    elif not end and record.rollbacks < settings.max_rollbacks:
        turn.later.append(_roll_back_all(turn, execution, task, at))
        return
    else:
        turn.emit(execution, e.TaskFailed(at=at, task=task, reason=_why_given_up(execution, task)))
    settle(turn, execution, at)


def _roll_back_all(turn: Turn, execution: Execution, task: int, at: float) -> Steps:
    anew = roots_of(execution, task)
    found = set(anew)
    yield from add_downstream(execution, found)
    affected = in_order(execution, task, found)
    yield from cancel_all(turn, affected, execution, at, f"{execution.map.name(task)} was rolled back")
    yield from roll_back(turn, execution, affected, cause=task, anew=anew, at=at)
    turn.state.queues.offer(execution)
    settle(turn, execution, at)


def roll_back(
    turn: Turn, execution: Execution, tasks: Sequence[int], *, cause: int, anew: frozenset[int], at: float
) -> Steps:
    for task in tasks:
        if execution.status[task] != UNDONE:
            turn.emit(execution, e.TaskRolledBack(at=at, task=task, cause=cause, make_anew=task in anew))
            yield


def judge_broke(turn: Turn, lease: LiveLease, at: float, message: str, retry_after: float | None = None) -> None:
    """A validation ended without an opinion; the lease has ended. The candidate is offered again, later."""
    if lease.canary:
        judge_canary(turn, lease, at, Outcome.ERROR, message)
        return
    execution, task = lease.execution, lease.task
    record = execution.records[task]
    retry_at = retry_time(execution, task, record.judge_errors + 1, retry_after, at)
    event = e.JudgeFailed(at=at, task=task, lease=lease.id, attempt=record.attempt, message=message, retry_at=retry_at)
    turn.emit(execution, event)
    turn.state.roster.deadlines.remind(retry_at, Due.RETRY, (execution, task))
    settle(turn, execution, at)


def meets_outage(
    turn: Turn, lease: LiveLease, at: float, kind: FailureKind | None, message: str, retry_after: float | None
) -> bool:
    """Tells whether a lease, which has ended, failed because its model is away; then its task is offered again.

    A task that was the first to meet an outage again and again, while its model answered others, is told apart: it
    fails like any other.
    """
    outages = turn.state.roster.outages
    model = turn.state.roster.model_of(lease) if kind in OUTAGES else None
    if kind is None or model is None:
        return False
    execution, task = lease.execution, lease.task
    record = execution.records[task]
    if outages.get(model) is None and (record.outages >= MOST_OUTAGES or len(outages) >= MOST_MODELS):
        return False
    away = outages.met(
        model,
        message,
        is_probe=lease.is_probe,
        retry_after=retry_after,
        fraction=jitter(execution, task),
        at=at,
    )
    event = e.OutageMet(
        at=at, task=task, lease=lease.id, attempt=record.attempt, phase=lease.phase, kind=kind, away=away
    )
    turn.emit(execution, event)
    turn.state.queues.offer(execution)
    return True


def end_outage(turn: Turn, model: ModelAt, at: float) -> None:
    """The model has answered: what waits for it goes on at once."""
    turn.state.roster.outages.end(model)
    for execution in list(turn.state.executions.values()):
        if model in execution.outages:
            turn.look_at(execution.id)
            turn.emit(execution, e.OutageEnded(at=at, model=model))


def cancel_all(turn: Turn, tasks: Sequence[int], execution: Execution, at: float, reason: str) -> Steps:
    for task in tasks:
        held = execution.records[task].lease if execution.status[task] in (DOING, VALIDATING) else None
        if held is not None:
            take_back(turn, turn.state.roster.leases[held.id], at, reason)
            yield


def take_back(turn: Turn, lease: LiveLease, at: float, reason: str) -> None:
    """Ends a lease from our side."""
    session = turn.state.roster.current.get(lease.worker)
    give_back(turn, lease, at, reason)
    if session is not None:
        turn.order(c.Cancel(session=session.id, lease=lease.id, reason=reason))


def give_back(turn: Turn, lease: LiveLease, at: float, reason: str) -> None:
    """The lease ends in order and costs nothing."""
    turn.state.roster.end(lease.id)
    attempt = lease.execution.records[lease.task].attempt
    event = e.LeaseReturned(at=at, task=lease.task, lease=lease.id, attempt=attempt, phase=lease.phase, reason=reason)
    turn.emit(lease.execution, event)
    turn.state.queues.offer(lease.execution)


def lose(turn: Turn, lease: LiveLease, at: float, reason: str) -> None:
    """The lease ends with its worker; too many of these and the task is given up."""
    turn.state.roster.end(lease.id)
    execution, task = lease.execution, lease.task
    attempt = execution.records[task].attempt
    turn.emit(
        execution,
        e.LeaseLost(at=at, task=task, lease=lease.id, attempt=attempt, phase=lease.phase, reason=reason),
    )
    losses = execution.records[task].losses
    if execution.status[task] == UNDONE and losses >= execution.settings.max_losses:
        reason = f"{losses} workers were lost while they worked on it; the last time: {reason}"
        turn.emit(execution, e.TaskFailed(at=at, task=task, reason=reason))
    turn.state.queues.offer(execution)
    settle(turn, execution, at)


def settle(turn: Turn, execution: Execution, at: float) -> None:
    """Ends the execution when nothing is left that could happen without a command."""
    plan = execution.map
    if execution.state not in (ExecutionState.RUNNING, ExecutionState.PAUSED):
        return
    if execution.counts[DONE] == plan.task_count:
        turn.emit(execution, e.ExecutionSucceeded(at=at))
    elif execution.open_count or execution.state is ExecutionState.PAUSED:
        return
    elif execution.stuck:
        reason = f"the judge of {_some(execution, execution.stuck)} kept breaking: resume to offer it again"
        turn.emit(execution, e.ExecutionPaused(at=at, request_id="", reason=reason))
    else:
        reason = f"{_some(execution, execution.failed)} failed for good"
        turn.emit(execution, e.ExecutionFailed(at=at, reason=reason))


def _some(execution: Execution, tasks: set[int]) -> str:
    """Names the first few tasks of a set."""
    names = [execution.map.name(task) for task in sorted(tasks)]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{', '.join(names[:5])}{more}"


def _why_given_up(execution: Execution, task: int) -> str:
    record = execution.records[task]
    times = "once" if record.failures == 1 else f"{record.failures} times"
    again = " with nothing changed between the last two" if record.no_progress else ""
    return f"it failed {times}{again}; the last time: {record.last_failure}"
