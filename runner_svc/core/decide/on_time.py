"""Handles the passing of time: deadlines of leases, of workers that are away or rest, of retries and of rate limits."""

from __future__ import annotations

from runner_svc.core.decide.accounting import book
from runner_svc.core.decide.failures import end_outages_of, fail_attempt, fail_judging, lose, take_back
from runner_svc.core.decide.turn import Steps, Turn
from runner_svc.core.fleet.deadlines import Due
from runner_svc.core.fleet.leases import LiveLease
from runner_svc.core.model import commands, signals
from runner_svc.core.model.states import UNDONE, VALIDATING
from runner_svc.core.model.values import FailureKind, Phase, WorkerName
from runner_svc.core.state.execution import Execution


def time_passed(turn: Turn, signal: signals.TimePassed) -> None:
    turn.later.append(_all_due(turn, signal.at))


def clock_jumped(turn: Turn, signal: signals.ClockJumped) -> None:
    # guard: no work runs out of time by a jump of the clock -> pass
    turn.state.roster.postpone(signal.by)
    turn.later.append(_all_due(turn, signal.at))


def _all_due(turn: Turn, at: float) -> Steps:
    for about, key in turn.state.roster.deadlines.due(at):
        if about is Due.LEASE:
            assert isinstance(key, LiveLease)
            turn.look_at(key.execution.id)
            _check_lease(turn, key, at)
        elif about is Due.GRACE:
            _check_grace(turn, WorkerName(str(key)), at)
        elif about is Due.REST:
            turn.state.roster.check_rest(WorkerName(str(key)), at)
        elif about is Due.RATE:
            pass  # the turn itself gives out the work that may be given out by now
        else:
            assert isinstance(key, tuple)
            turn.look_at(key[0].id)
            execution, task = key
            _retry(execution, task, at)
            turn.touch(execution)
        yield
        yield from turn.rest()  # before the next one is looked at


def _retry(execution: Execution, task: int, at: float) -> None:
    """Queues a task whose retry time has come, unless it has moved on meanwhile."""
    if execution.status[task] in (UNDONE, VALIDATING):
        if execution.record(task).retry_at <= at:
            execution.agenda.put_off.discard(task)
        execution.agenda.add(task)


def _check_lease(turn: Turn, lease: LiveLease, at: float) -> None:
    if turn.state.roster.leases.get(lease.id) is not lease or lease.worker not in turn.state.roster.current:
        return  # it has ended, or its worker is away: then the grace decides
    idle_timeout = lease.execution.idle_timeout(lease.task, lease.phase)
    # guard: idle timeout -> idle_until = float("inf")
    idle_until = lease.progress_at + idle_timeout
    if not lease.accepted and lease.accept_by <= at:
        # guard: accept deadline -> return
        take_back(turn, lease, at, f"{lease.worker} did not accept it in time")
        turn.state.roster.gave_back(lease.worker, at)
    elif lease.accepted and min(lease.run_until, idle_until) <= at:
        late = "ran out of time" if lease.run_until <= at else f"made no progress for {idle_timeout:g} s"
        _time_out(turn, lease, at, f"{lease.worker} {late}")
    else:
        due = min(lease.run_until, idle_until) if lease.accepted else lease.accept_by
        turn.state.roster.deadlines.look_at(lease, due)


def _time_out(turn: Turn, lease: LiveLease, at: float, reason: str) -> None:
    turn.order(commands.Cancel(session=turn.state.roster.current[lease.worker].id, lease=lease.id, reason=reason))
    book(turn, lease, at)
    turn.state.roster.end(lease.id)
    if lease.phase is Phase.EXECUTE:
        fail_attempt(turn, lease, at, FailureKind.TIMEOUT, reason)
    else:
        fail_judging(turn, lease, at, reason)


def _check_grace(turn: Turn, worker: WorkerName, at: float) -> None:
    if turn.state.roster.absent.get(worker, at + 1) > at:
        return  # it came back, or left again later
    turn.later.append(_lose_all(turn, worker, at))


def _lose_all(turn: Turn, worker: WorkerName, at: float) -> Steps:
    for lease_id in sorted(turn.state.roster.held_by(worker)):
        turn.look_at(turn.state.roster.leases[lease_id].execution.id)
        # guard: the grace ends; who stays away loses it -> pass
        lose(turn, turn.state.roster.leases[lease_id], at, f"{worker} was lost and did not come back")
        yield
    del turn.state.roster.absent[worker]
    # guard: the models of a worker that is lost are not away -> pass
    end_outages_of(turn, worker, at)
