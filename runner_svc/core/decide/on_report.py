"""Handles reports from workers about the leases that they hold; on_session.py has those about themselves."""

from __future__ import annotations

from dataclasses import replace

from runner_svc.core.decide.accounting import close, take_in, take_in_late
from runner_svc.core.decide.canary_choice import judge_canary
from runner_svc.core.decide.failures import end_outage, fail_attempt, fail_judging, give_back, meet_outage, reject
from runner_svc.core.decide.inputs import input_digest_of_lease
from runner_svc.core.decide.late_results import adopt, answer_stale, candidate_of, keep_orphan, locate
from runner_svc.core.decide.reuse import keep_unchanged, to_compare_with
from runner_svc.core.decide.turn import State, Turn
from runner_svc.core.fleet.leases import LiveLease
from runner_svc.core.model import commands, events, signals
from runner_svc.core.model.values import Content, FailureKind, Outcome, Phase, Role, VerdictBy

MOST_CHECKPOINTS = 1_000  # kept under one lease
MOST_PROMPTS = 16  # kept under one lease
NO_BYTES = "expected the bytes of a candidate, but they came when its lease was not held, and were dropped"


def _held(turn: Turn, signal: signals.AboutLease) -> LiveLease | None:
    """Returns the lease that a message is about, if the session holds it."""
    session = turn.state.roster.sessions.get(signal.session)
    # guard: a lease is its session's; world: lease fence ->
    #     return turn.state.roster.leases.get(signal.lease) if session else None
    return turn.state.roster.leases.get(signal.lease) if session and signal.lease in session.leases else None


def begin_work(turn: Turn, lease: LiveLease, progress_at: float) -> None:
    """Starts the run and idle clocks of a lease, because its worker has begun."""
    lease.accepted, lease.progress_at = True, progress_at
    idle = progress_at + lease.execution.idle_timeout(lease.task, lease.phase)
    turn.state.roster.deadlines.look_at(lease, min(lease.run_until, idle))


def accepted(turn: Turn, signal: signals.LeaseAccepted) -> None:
    lease = _held(turn, signal)
    if lease is not None and not lease.accepted:
        begin_work(turn, lease, signal.at)


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
        turn.state.roster.gave_back(lease.worker, signal.at)


def unchanged(turn: Turn, signal: signals.WorkUnchanged) -> None:
    """Ends a lease whose worker has found that an earlier result will do, and keeps that result."""
    session, lease = turn.state.roster.sessions.get(signal.session), _held(turn, signal)
    if lease is not None and lease.phase is Phase.EXECUTE:
        earlier = to_compare_with(lease)
        give_back(turn, lease, signal.at, "what it works with is unchanged since an earlier execution")
        turn.order(commands.Acknowledge(session=signal.session, lease=lease.id))
        if keep_unchanged(turn, lease, earlier, signal.maker, signal.at):
            turn.state.roster.brought_result(lease.worker, signal.at)
        else:
            turn.state.roster.gave_back(lease.worker, signal.at)
    elif session is not None:
        answer_stale(turn, session, signal.lease, stop=False)


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


def wants_prompt(state: State, signal: signals.PromptSent) -> LiveLease | None:
    """Returns the lease that a prompt is to be kept for.

    None: the lease has ended, has this prompt already or enough others, or its execution keeps no prompts.
    """
    session = state.roster.sessions.get(signal.session)
    # guard (2 lines): prompts are kept under leases that are held ->
    #     lease = state.roster.leases.get(signal.lease)
    held = session is not None and signal.lease in session.leases
    lease = state.roster.leases.get(signal.lease) if held else None
    # guard: no prompt is kept against the settings -> if lease is None:
    if lease is None or not lease.execution.settings.keep_prompts:
        return None
    # guard: prompts of a lease are bounded -> has_room = True
    has_room = len(lease.prompts) < MOST_PROMPTS
    return lease if has_room and signal.content.digest not in lease.prompts else None


def prompt(turn: Turn, signal: signals.PromptSent) -> None:
    """Keeps a prompt of the lease that its worker holds. The same again, as after a reconnect, changes nothing."""
    lease = wants_prompt(turn.state, signal)
    if lease is None:
        return
    lease.prompts.add(signal.content.digest)
    # guard: a prompt that is kept is no leftover -> brought: tuple[str, ...] = ()
    brought = (signal.content.digest,) if signal.body is None else ()
    turn.keep(signal.content, signal.body, brought)
    kept = events.PromptKept(
        at=signal.at,
        task=lease.task,
        lease=lease.id,
        attempt=lease.execution.records[lease.task].attempt,
        phase=lease.phase,
        digest=signal.content.digest,
        size=signal.content.size,
    )
    turn.emit(lease.execution, kept)


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
    found = locate(turn.state, signal.lease)
    if session is not None and found is not None:  # else the worker reports it again on its next stream
        take_in_late(turn, *found, session.worker, signal)


def candidate(turn: Turn, signal: signals.CandidateMade) -> None:
    lease = _held(turn, signal)
    session = turn.state.roster.sessions.get(signal.session)
    # guard: a candidate without its bytes does not count -> has_bytes = True
    has_bytes = signal.body is not None or signal.content.digest in signal.brought
    # guard: a late candidate is adopted -> if False:
    if lease is None and session is not None and has_bytes and adopt(turn, session, signal):
        return
    lease = _result_of(turn, signal, Phase.EXECUTE, "candidate", signal.content, signal.body)
    if lease is None or session is None:
        return
    if not has_bytes:
        fail_attempt(turn, lease, signal.at, FailureKind.TRANSIENT, NO_BYTES)
        return
    attempt = lease.execution.records[lease.task].attempt
    content = candidate_of(session, signal.content, attempt, input_digest_of_lease(lease))
    _answered(turn, lease, signal.at)
    turn.keep(content, signal.body, signal.brought)
    turn.emit(lease.execution, events.CandidateStored(at=signal.at, task=lease.task, lease=lease.id, content=content))


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
    judged_by = turn.state.roster.current[lease.worker].makers_for(execution.requirement(task, Role.VALIDATOR))
    # guard: a person signs off -> if False:
    if execution.map.requirements_of(task).human:
        turn.emit(
            execution,
            events.PersonAsked(
                at=signal.at, task=task, lease=lease.id, attempt=attempt, results=results, judged_by=judged_by
            ),
        )
        return
    by = VerdictBy(lease.worker, is_person=False)
    turn.emit(
        execution,
        events.VerdictPassed(
            at=signal.at, task=task, lease=lease.id, attempt=attempt, results=results, by=by, judged_by=judged_by
        ),
    )


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
        if not answer_stale(turn, session, signal.lease, stop=False):
            # guard: orphans are kept -> pass
            keep_orphan(turn, session, signal, what, content, body)
        return None
    close(turn, lease, signal.at)
    turn.state.roster.end(lease.id)
    # guard: a result ends a rest -> pass
    turn.state.roster.brought_result(lease.worker, signal.at)
    turn.order(commands.Acknowledge(session=session.id, lease=lease.id))
    return lease
