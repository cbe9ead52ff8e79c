"""Handles reports from workers: they join and leave, and report on the leases that they hold."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from runner_svc.core.decide.accounting import book, close, take_in, take_in_late
from runner_svc.core.decide.assign import assign_again
from runner_svc.core.decide.canary_choice import judge_canary
from runner_svc.core.decide.failures import (
    end_outage,
    fail_attempt,
    fail_judging,
    give_back,
    lose,
    meet_outage,
    reject,
)
from runner_svc.core.decide.inputs import input_digest_of_lease
from runner_svc.core.decide.turn import State, Steps, Turn
from runner_svc.core.fleet.leases import LiveLease
from runner_svc.core.fleet.matching import WorkerSession
from runner_svc.core.model import commands, events, signals
from runner_svc.core.model.requirements import usual_abilities
from runner_svc.core.model.values import (
    Content,
    ExecutionId,
    FailureKind,
    LeaseId,
    Outcome,
    Phase,
    SessionId,
    VerdictBy,
    execution_of_lease,
)
from runner_svc.core.state.execution import Execution

MOST_DIGITS = 10  # digits of a task's number
MOST_CHECKPOINTS = 1_000  # kept under one lease


def joined(turn: Turn, signal: signals.WorkerJoined) -> None:
    old = turn.state.roster.current.get(signal.worker)
    held = frozenset(turn.state.roster.held_by(signal.worker))
    # guard: only the present session is continued -> continued = old is not None and signal.continues is not None
    continued = old is not None and old.id == signal.continues and old.role is signal.role
    session = WorkerSession(
        id=signal.session,
        worker=signal.worker,
        role=signal.role,
        slots=signal.slots,
        makers=signal.makers,
        abilities=signal.abilities or usual_abilities(signal.role),
        model=signal.model,
        endpoints=signal.endpoints,
        own_names=signal.own_names,
    )
    if old is not None:
        # guard: who drains goes on draining -> pass
        session.draining = continued and old.draining
        # guard: one session a name -> pass
        _replace(turn, old, signal.at, continued=continued)
    turn.state.roster.join(session, signal.at)
    turn.later.append(_reclaim_all(turn, session, held, signal, continued=continued))


def _reclaim_all(
    turn: Turn, session: WorkerSession, held: Set[LeaseId], signal: signals.WorkerJoined, *, continued: bool
) -> Steps:
    for lease_id in sorted(held | signal.held):
        turn.look_at(execution_of_lease(lease_id))
        _reclaim(turn, session, lease_id, claimed=lease_id in signal.held, continued=continued, at=signal.at)
        yield


def _replace(turn: Turn, old: WorkerSession, at: float, *, continued: bool) -> None:
    turn.state.roster.leave(old, at, may_return=False)
    reason = f"a newer session of {old.worker} took over"
    # guard: a continued session ends in order ->
    #     turn.order(commands.EndSession(session=old.id, reason=reason, continued=False))
    turn.order(commands.EndSession(session=old.id, reason=reason, continued=continued))


def _reclaim(
    turn: Turn, session: WorkerSession, lease_id: LeaseId, *, claimed: bool, continued: bool, at: float
) -> None:
    """Settles one lease of a worker that is back: it is kept, ended, or assigned again if the assignment was lost."""
    lease = turn.state.roster.leases.get(lease_id)
    if lease is None or lease.worker != session.worker:
        # guard: stop -> pass
        _answer_stale(turn, session, lease_id, stop=True)
    # guard: assign again -> elif False:
    elif continued and not claimed and not lease.accepted:
        assign_again(turn, lease, session, at)
    elif not claimed or lease.phase.role is not session.role:
        if lease.accepted:
            # guard: back with empty hands -> pass
            # guard: what a worker does not name is not its any more -> return
            lose(turn, lease, at, f"{session.worker} came back without it")
        else:
            if lease.accepted is None:
                book(turn, lease, at)  # an earlier runner may have heard that it was begun
            give_back(turn, lease, at, f"{session.worker} never took it")
    else:
        # guard: to come back is no progress; world: to come back is no progress -> _begins(turn, lease, at)
        _begins(turn, lease, at if not lease.accepted else lease.progress_at)  # to come back is no progress
        # guard: keep; kept and told so -> pass
        turn.order(commands.Keep(session=session.id, lease=lease_id))


def _begins(turn: Turn, lease: LiveLease, progress_at: float) -> None:
    """Starts the run and idle clocks of a lease, because its worker has begun."""
    lease.accepted, lease.progress_at = True, progress_at
    idle = progress_at + lease.execution.idle_timeout(lease.task, lease.phase)
    turn.state.roster.deadlines.look_at(lease, min(lease.run_until, idle))


def lost(turn: Turn, signal: signals.WorkerLost) -> None:
    session = turn.state.roster.sessions.get(signal.session)
    # guard (2 lines): a replaced session cannot be lost ->
    #     session = session or next(iter(turn.state.roster.sessions.values()))
    if session is None:
        return  # a newer session took over before this one was seen to end
    turn.state.roster.leave(session, signal.at, may_return=not signal.orderly)
    # guard: an orderly end gives back -> if False:
    if signal.orderly:
        turn.later.append(_give_all_back(turn, session, signal.at))


def _give_all_back(turn: Turn, session: WorkerSession, at: float) -> Steps:
    for lease_id in sorted(session.leases):
        turn.look_at(execution_of_lease(lease_id))
        give_back(turn, turn.state.roster.leases[lease_id], at, f"{session.worker} has left")
        yield


def credit(turn: Turn, signal: signals.CreditGranted) -> None:
    session = turn.state.roster.sessions.get(signal.session)
    if session is not None:
        session.window = signal.window
        turn.state.roster.matching.made_room(session)


def draining(turn: Turn, signal: signals.WorkerDraining) -> None:
    session = turn.state.roster.sessions.get(signal.session)
    if session is not None:
        session.draining = True


def _held(turn: Turn, signal: signals.AboutLease) -> LiveLease | None:
    """Returns the lease that a message is about, if the session holds it."""
    session = turn.state.roster.sessions.get(signal.session)
    # guard: a lease is its session's; world: lease fence ->
    #     return turn.state.roster.leases.get(signal.lease) if session else None
    return turn.state.roster.leases.get(signal.lease) if session and signal.lease in session.leases else None


def accepted(turn: Turn, signal: signals.LeaseAccepted) -> None:
    lease = _held(turn, signal)
    if lease is not None and not lease.accepted:
        _begins(turn, lease, signal.at)


def not_assignable(turn: Turn, signal: signals.NotAssignable) -> None:
    lease = _held(turn, signal)
    if lease is None:
        return
    close(turn, lease, signal.at)
    turn.state.roster.end(lease.id)
    if lease.phase is Phase.EXECUTE:
        fail_attempt(turn, lease, signal.at, FailureKind.PERMANENT, signal.message)
    else:
        fail_judging(turn, lease, signal.at, signal.message)


def given_back(turn: Turn, signal: signals.LeaseGivenBack) -> None:
    lease = _held(turn, signal)
    if lease is not None:
        # guard: abandon -> pass
        give_back(turn, lease, signal.at, signal.reason)


def progress(turn: Turn, signal: signals.ProgressMade) -> None:
    lease = _held(turn, signal)
    if lease is not None:
        # guard: progress refreshes the idle clock -> pass
        lease.progress_at = signal.at
        # guard (2 lines): the first word ends an outage -> (removed)
        if signal.answered:
            _answered(turn, lease, signal.at)


def _answered(turn: Turn, lease: LiveLease, at: float) -> None:
    """Takes in that the model of a lease has begun to answer. If the lease was the probe, the outage ends."""
    if lease.is_probe and lease.model is not None:
        lease.is_probe = False
        end_outage(turn, lease.model, at)


def checkpoint(turn: Turn, signal: signals.CheckpointMade) -> None:
    """Keeps a checkpoint of an executor that holds its lease. The same again, as after a reconnect, changes nothing."""
    lease = _held(turn, signal)
    if lease is None:
        return
    lease.progress_at = signal.at
    record = lease.execution.records[lease.task]
    is_new = record.checkpoint is None or record.checkpoint.digest != signal.content.digest
    if lease.phase is Phase.EXECUTE and is_new and lease.checkpoints < MOST_CHECKPOINTS:
        lease.checkpoints += 1
        content = replace(signal.content, attempt=record.attempt, input_digest=input_digest_of_lease(lease))
        turn.keep(content, signal.body)
        turn.emit(
            lease.execution, events.CheckpointStored(at=signal.at, task=lease.task, lease=lease.id, content=content)
        )


def usage(turn: Turn, signal: signals.UsageReported) -> None:
    """Records the cost of an attempt, even after its end. Totals that come again after a reconnect add nothing."""
    lease = _held(turn, signal)
    if lease is not None:
        lease.progress_at = signal.at
        change = take_in(turn, lease, signal.model, signal.total, signal.at)
        if change.output_tokens:
            _answered(turn, lease, signal.at)
        return
    session = turn.state.roster.sessions.get(signal.session)
    found = _locate(turn.state, signal.lease)
    if session is not None and found is not None:  # else the worker reports it again on its next stream
        take_in_late(turn, *found, session.worker, signal)


def candidate(turn: Turn, signal: signals.CandidateMade) -> None:
    lease = _result_of(turn, signal, Phase.EXECUTE, "candidate", signal.content, signal.body)
    if lease is None:
        return
    execution, task = lease.execution, lease.task
    made = signal.content
    content = Content(
        digest=made.digest,
        size=made.size,
        media_type=made.media_type,
        attempt=execution.records[task].attempt,
        maker=made.maker,
        input_digest=input_digest_of_lease(lease),
        remark=made.remark,
        # guard: what the author was not shown is kept -> (removed)
        unread=made.unread,
    )
    _answered(turn, lease, signal.at)
    turn.keep(content, signal.body)
    turn.emit(execution, events.CandidateStored(at=signal.at, task=task, lease=lease.id, content=content))


def failure(turn: Turn, signal: signals.WorkFailed) -> None:
    lease = _result_of(turn, signal, Phase.EXECUTE, "failure")
    if lease is None or meet_outage(turn, lease, signal.at, signal.kind, signal.message, signal.retry_after):
        return
    fail_attempt(turn, lease, signal.at, signal.kind, signal.message, signal.retry_after, signal.gist)


def verdict(turn: Turn, signal: signals.VerdictGiven) -> None:
    lease = _result_of(turn, signal, Phase.VALIDATE, "verdict")
    if lease is None:
        return
    outcome, message = _outcome_of(lease, signal)
    is_error = outcome is Outcome.ERROR
    if is_error and meet_outage(turn, lease, signal.at, signal.kind, message, signal.retry_after):
        return
    # guard: a canary signs nothing off -> if False:
    if lease.canary:
        # guard: the runner counts for canaries ->
        #     judge_canary(turn, lease, signal.at, signal.outcome, message if is_error else signal.feedback)
        judge_canary(turn, lease, signal.at, outcome, message if is_error else signal.feedback)
    elif outcome is Outcome.PASS:
        _pass(turn, lease, signal)
    elif outcome is Outcome.FAIL:
        reject(
            turn,
            lease.execution,
            lease.task,
            signal.results,
            signal.feedback,
            at=signal.at,
            by=VerdictBy(lease.worker, is_person=False),
            lease=lease.id,
            retry_worthwhile=signal.retry_worthwhile,
        )
    else:
        fail_judging(turn, lease, signal.at, message, signal.retry_after)


def _outcome_of(lease: LiveLease, signal: signals.VerdictGiven) -> tuple[Outcome, str]:
    """Returns the outcome of a verdict, and why it is an error if it is one: a pass must meet the task's demands."""
    demands = lease.execution.map.demands_of(lease.task)
    # guard: the runner counts -> if signal.outcome is Outcome.PASS and (missing := ''):
    if signal.outcome is Outcome.PASS and (missing := demands.missing_in(signal.passed)):
        return Outcome.ERROR, f"the verdict was pass, without a passed result for {missing}"
    return signal.outcome, signal.feedback or "the judge broke and said nothing"


def _pass(turn: Turn, lease: LiveLease, signal: signals.VerdictGiven) -> None:
    """Signs the candidate off, or asks a person where the task wants one."""
    execution, task, results = lease.execution, lease.task, signal.results
    attempt = execution.records[task].attempt
    # guard: a person signs off -> if False:
    if execution.map.requirements_of(task).human:
        asked = events.PersonAsked(at=signal.at, task=task, lease=lease.id, attempt=attempt, results=results)
        turn.emit(execution, asked)
        return
    by = VerdictBy(lease.worker, is_person=False)
    passed = events.VerdictPassed(at=signal.at, task=task, lease=lease.id, attempt=attempt, results=results, by=by)
    turn.emit(execution, passed)


def _result_of(
    turn: Turn,
    signal: signals.AboutLease,
    phase: Phase,
    what: str,
    content: Content | None = None,
    body: bytes | None = None,
) -> LiveLease | None:
    """Ends the lease that a result came under, acknowledges it, and returns the lease. None: it no longer counts."""
    session = turn.state.roster.sessions.get(signal.session)
    if session is None:
        return None  # its stream is gone, and the worker repeats what was not acknowledged on the next one
    # guard: lease fence -> lease = _held(turn, signal) or next(iter(turn.state.roster.leases.values()), None)
    lease = _held(turn, signal)
    if lease is None or lease.phase is not phase:
        if not _answer_stale(turn, session, signal.lease, stop=False):
            # guard: orphans are kept -> pass
            _keep_orphan(turn, session, signal, what, content, body)
        return None
    close(turn, lease, signal.at)
    turn.state.roster.end(lease.id)
    turn.order(commands.Acknowledge(session=session.id, lease=lease.id))
    return lease


def _answer_stale(turn: Turn, session: WorkerSession, lease_id: LeaseId, *, stop: bool) -> bool:
    """Answers a worker about a lease that it no longer holds. Returns True when its result is already committed."""
    found = _locate(turn.state, lease_id)
    # guard: what is settled is acknowledged again -> if False:
    if found is not None and found[0].record(found[1]).has_settled(lease_id):
        turn.order(commands.Acknowledge(session=session.id, lease=lease_id))
        return True
    reason = "the lease has ended"
    turn.order(
        commands.Stop(session=session.id, lease=lease_id, reason=reason)
        if stop
        else commands.Supersede(session=session.id, lease=lease_id, reason=reason)
    )
    return False


def _locate(state: State, lease_id: LeaseId) -> tuple[Execution, int] | None:
    """Returns the execution and the task in a lease id, whether or not the lease was ever given."""
    execution_id, _, rest = lease_id.partition(".")
    number = rest.partition(".")[0]
    execution = state.executions.get(ExecutionId(execution_id))
    if execution is None or not (number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS):
        return None
    return (execution, int(number)) if int(number) < execution.map.task_count else None


def may_report(state: State, session_id: SessionId, lease_id: LeaseId) -> bool:
    """Tells whether a result of the session under the lease would be kept: as the lease's own, or as an orphan."""
    session = state.roster.sessions.get(session_id)
    if session is None:
        return False
    if lease_id in session.leases:
        return True
    found = _locate(state, lease_id)
    ended = found[0].record(found[1]).ended_lease(lease_id, session.worker) if found is not None else None
    # guard: one orphan a lease -> return ended is not None
    return ended is not None and not ended.orphaned


def _keep_orphan(
    turn: Turn,
    session: WorkerSession,
    signal: signals.AboutLease,
    what: str,
    content: Content | None,
    body: bytes | None,
) -> None:
    """Keeps a result that came too late: one per lease, and only from the worker that held it."""
    found = _locate(turn.state, signal.lease)
    if found is None or not may_report(turn.state, session.id, signal.lease):
        return
    execution, task = found
    if content is not None:
        turn.keep(content, body)
    event = events.OrphanStored(
        at=signal.at,
        task=task,
        lease=signal.lease,
        worker=session.worker,
        what=what,
        digest=content.digest if content else "",
        size=content.size if content else 0,
    )
    turn.emit(execution, event)
