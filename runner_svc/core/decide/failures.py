"""The consequences of failures: retries, rollbacks, lost leases, and the end of an execution."""

from __future__ import annotations

from collections.abc import Sequence

from runner_svc.core.decide.accounting import book, close
from runner_svc.core.decide.canary_choice import judge_canary
from runner_svc.core.decide.inputs import input_digest_of_lease
from runner_svc.core.decide.policy import add_downstream, in_order, jitter, retry_time, roots_of
from runner_svc.core.decide.turn import Steps, Turn
from runner_svc.core.fleet.deadlines import Due
from runner_svc.core.fleet.leases import LiveLease
from runner_svc.core.fleet.outages import MOST_MODELS, MOST_OUTAGES, OUTAGES
from runner_svc.core.model import commands, events
from runner_svc.core.model.states import DOING, UNDONE, VALIDATING, ExecutionState
from runner_svc.core.model.values import (
    CriterionResult,
    FailureKind,
    LeaseId,
    ModelAt,
    OnFailure,
    Outcome,
    Phase,
    Role,
    RollbackScope,
    VerdictBy,
    WorkerName,
)
from runner_svc.core.state.attempts import fingerprint_of
from runner_svc.core.state.execution import Execution
from runner_svc.core.state.task_record import TaskRecord

BY_COMMAND = LeaseId("")  # the lease of a verdict by a person


def fail_attempt(
    turn: Turn,
    lease: LiveLease,
    at: float,
    kind: FailureKind,
    message: str,
    retry_after: float | None = None,
    gist: str = "",
) -> None:
    """Records that the executor failed or ran out of time, and goes on from there. `gist`: see attempts.py."""
    execution, task = lease.execution, lease.task
    record = execution.records[task]
    is_too_small = kind is FailureKind.TOO_SMALL
    event = events.AttemptFailed(
        at=at,
        task=task,
        lease=lease.id,
        attempt=record.attempt,
        kind=kind,
        message=message,
        retry_after=retry_after,
        fingerprint=_fingerprint(lease, record, kind, gist),
        model=execution.requirement(task, Role.EXECUTOR).model if is_too_small else "",
        input_digest=input_digest_of_lease(lease) if kind is FailureKind.TIMEOUT else "",
    )
    turn.emit(execution, event)
    # guard: a larger model is what escalation is for -> if False:
    if is_too_small and not execution.is_outgrown(task):
        _try_again(turn, execution, task, at, at)  # the next model, however many attempts there were
        return
    permanent = is_too_small or kind is FailureKind.PERMANENT
    hopeless = permanent or (record.no_progress and not _may_differ_anew(execution, task))
    after_failure(turn, execution, task, at, last=permanent, end=hopeless, retry_after=retry_after)


def _fingerprint(lease: LiveLease, record: TaskRecord, kind: FailureKind, gist: str) -> str:
    if not gist:
        return ""
    # guard: a checkpoint is progress -> checkpoint = ""
    checkpoint = record.checkpoint.digest if record.checkpoint is not None else ""
    # guard: other inputs are worth another try -> return fingerprint_of(kind, gist, "", checkpoint)
    return fingerprint_of(kind, gist, input_digest_of_lease(lease), checkpoint)


def _may_differ_anew(execution: Execution, task: int) -> bool:
    """Tells whether a rollback changes what the task works with: a checkpoint is dropped, or producers run again."""
    return execution.records[task].checkpoint is not None or len(roots_of(execution, task)) > 1


def reject(
    turn: Turn,
    execution: Execution,
    task: int,
    results: tuple[CriterionResult, ...],
    feedback: str,
    *,
    at: float,
    by: VerdictBy,
    lease: LeaseId = BY_COMMAND,
    retry_worthwhile: bool = True,
    request_id: str = "",
) -> None:
    """Records a failing verdict, by a validator whose lease has ended or by a person, and goes on from there."""
    event = events.VerdictFailed(
        at=at,
        task=task,
        lease=lease,
        attempt=execution.records[task].attempt,
        results=results,
        feedback=feedback,
        retry_worthwhile=retry_worthwhile,
        request_id=request_id,
        by=by,
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
    """Retries the task, rolls it back, or gives it up. `last`: a retry is useless. `end`: so is a rollback."""
    record = execution.records[task]
    settings = execution.settings
    if not last and not record.no_progress and record.failures < execution.max_failures(task):
        _try_again(turn, execution, task, retry_time(execution, task, record.failures, retry_after, at), at)
    elif not end and record.rollbacks < settings.max_rollbacks:
        turn.later.append(_roll_back_all(turn, execution, task, at))
        return
    else:
        _give_up(turn, execution, task, _why_given_up(execution, task), at)


def _try_again(turn: Turn, execution: Execution, task: int, retry_at: float, at: float) -> None:
    turn.emit(execution, events.RetryScheduled(at=at, task=task, retry_at=retry_at))
    if retry_at > at:
        turn.state.roster.deadlines.remind(retry_at, Due.RETRY, (execution, task))


def _give_up(turn: Turn, execution: Execution, task: int, reason: str, at: float) -> None:
    """Fails the task for good, and stops the execution if the task's `on_failure` says so."""
    turn.emit(execution, events.TaskFailed(at=at, task=task, reason=reason))
    # guard: stop stops -> if False:
    if execution.on_failure(task) is OnFailure.STOP:
        turn.later.append(_stop_all(turn, execution, task, at))


def _stop_all(turn: Turn, execution: Execution, task: int, at: float) -> Steps:
    reason = f"{execution.map.name(task)} failed for good, and its on_failure is stop"
    for lease in turn.state.roster.of_execution(execution):
        take_back(turn, lease, at, reason)
        yield
    if execution.state in (ExecutionState.RUNNING, ExecutionState.PAUSED):
        turn.emit(execution, events.ExecutionFailed(at=at, reason=reason))


def _roll_back_all(turn: Turn, execution: Execution, task: int, at: float) -> Steps:
    anew = roots_of(execution, task)
    found = set(anew)
    yield from add_downstream(execution, found)
    affected = in_order(execution, task, found)
    yield from cancel_all(turn, affected, execution, at, f"{execution.map.name(task)} was rolled back")
    yield from roll_back(turn, execution, affected, cause=task, anew=anew, at=at)


def roll_back(
    turn: Turn, execution: Execution, tasks: Sequence[int], *, cause: int, anew: frozenset[int], at: float
) -> Steps:
    # guard (4 lines): a rollback has steps ->
    #     for task in tasks:
    #         if execution.status[task] != UNDONE:
    #             turn.emit(execution, events.TaskRolledBack(at=at, task=task, cause=cause, make_anew=task in anew))
    #     yield
    for task in tasks:
        if execution.status[task] != UNDONE:
            turn.emit(execution, events.TaskRolledBack(at=at, task=task, cause=cause, make_anew=task in anew))
            yield


def fail_judging(turn: Turn, lease: LiveLease, at: float, message: str, retry_after: float | None = None) -> None:
    """Records that a validation ended without a verdict. The candidate is offered again, later."""
    if lease.canary:
        judge_canary(turn, lease, at, Outcome.ERROR, message)
        return
    execution, task = lease.execution, lease.task
    record = execution.records[task]
    retry_at = retry_time(execution, task, record.judge_errors + 1, retry_after, at)
    event = events.JudgeFailed(
        at=at, task=task, lease=lease.id, attempt=record.attempt, message=message, retry_at=retry_at
    )
    turn.emit(execution, event)
    turn.state.roster.deadlines.remind(retry_at, Due.RETRY, (execution, task))


def meet_outage(
    turn: Turn, lease: LiveLease, at: float, kind: FailureKind | None, message: str, retry_after: float | None
) -> bool:
    """Records an outage, if a lease that has ended failed because of one; tells whether it did.

    The task is then offered again. But a task that is the first to meet an outage again and again, while the model
    answers other tasks, fails like any other.
    """
    outages = turn.state.roster.outages
    # guard: outages are no failures -> model = None
    model = turn.state.roster.model_of(lease) if kind in OUTAGES else None
    if kind is None or model is None:
        return False
    execution, task = lease.execution, lease.task
    record = execution.records[task]
    is_new = outages.get(model) is None
    # guard: an outage of one task alone is a failure -> if False:
    if is_new and record.outages >= MOST_OUTAGES:
        return False
    # guard: the models that are away at once are bounded -> if False:
    if is_new and len(outages) >= MOST_MODELS:
        end_outage(turn, outages.longest_unasked(), at)
    away = outages.met(
        model,
        message,
        is_probe=lease.is_probe,
        retry_after=retry_after,
        fraction=jitter(execution, task),
        at=at,
    )
    event = events.OutageMet(
        at=at, task=task, lease=lease.id, attempt=record.attempt, phase=lease.phase, kind=kind, away=away
    )
    turn.emit(execution, event)
    return True


def end_outage(turn: Turn, model: ModelAt, at: float) -> None:
    """Ends an outage, because the model has answered, or is not asked any more. Work that waits for it goes on."""
    turn.state.roster.outages.end(model)
    for execution in list(turn.state.executions.values()):
        if model in execution.outages:
            turn.look_at(execution.id)
            turn.emit(execution, events.OutageEnded(at=at, model=model))


def end_outages_of(turn: Turn, worker: WorkerName, at: float) -> None:
    """Ends the outages of models that only a worker asked which has left for good."""
    for away in turn.state.roster.outages.all():
        if away.model.worker == worker:
            end_outage(turn, away.model, at)


def cancel_all(turn: Turn, tasks: Sequence[int], execution: Execution, at: float, reason: str) -> Steps:
    for task in tasks:
        held = execution.records[task].lease if execution.status[task] in (DOING, VALIDATING) else None
        if held is not None:
            take_back(turn, turn.state.roster.leases[held.id], at, reason)
            yield


def take_back(turn: Turn, lease: LiveLease, at: float, reason: str) -> None:
    """Takes a lease back from its worker, which may have begun the work."""
    book(turn, lease, at)
    session = turn.state.roster.current.get(lease.worker)
    give_back(turn, lease, at, reason, input_digest=_of_candidate(lease))
    if session is not None:
        # guard: a stop cancels -> pass
        turn.order(commands.Cancel(session=session.id, lease=lease.id, reason=reason))


def _of_candidate(lease: LiveLease) -> str:
    """Returns the input digest of a candidate that the lease's worker may still bring (late_results.py)."""
    return input_digest_of_lease(lease) if lease.phase is Phase.EXECUTE else ""


def give_back(turn: Turn, lease: LiveLease, at: float, reason: str, input_digest: str = "") -> None:
    """Ends a lease in order. It costs only what its worker has reported. `input_digest`: see LeaseLost."""
    close(turn, lease, at)
    turn.state.roster.end(lease.id)
    attempt = lease.execution.records[lease.task].attempt
    event = events.LeaseReturned(
        at=at,
        task=lease.task,
        lease=lease.id,
        attempt=attempt,
        phase=lease.phase,
        reason=reason,
        input_digest=input_digest,
    )
    turn.emit(lease.execution, event)


def lose(turn: Turn, lease: LiveLease, at: float, reason: str) -> None:
    """Ends a lease together with its worker. After too many of these the task is given up."""
    book(turn, lease, at)
    turn.state.roster.end(lease.id)
    execution, task = lease.execution, lease.task
    attempt = execution.records[task].attempt
    event = events.LeaseLost(
        at=at,
        task=task,
        lease=lease.id,
        attempt=attempt,
        phase=lease.phase,
        reason=reason,
        input_digest=_of_candidate(lease),
    )
    turn.emit(execution, event)
    losses = execution.records[task].losses
    if execution.status[task] == UNDONE and losses >= execution.settings.max_losses:
        reason = f"{losses} workers were lost while they worked on it; the last time: {reason}"
        _give_up(turn, execution, task, reason, at)


def _why_given_up(execution: Execution, task: int) -> str:
    record = execution.records[task]
    times = "once" if record.failures == 1 else f"{record.failures} times"
    if record.no_progress and record.fingerprint:
        again = ", as before it was rolled back" if record.failures == 1 else ", the last two in the same way"
    else:
        again = " with nothing changed between the last two" if record.no_progress else ""
    return f"it failed {times}{again}; the last time: {record.last_failure}"
