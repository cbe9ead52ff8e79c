"""Handles reports from workers about themselves: they join, grant credit, drain and leave."""

from __future__ import annotations

from collections.abc import Set

from runner_svc.core.decide.accounting import book
from runner_svc.core.decide.assign import assign_again
from runner_svc.core.decide.failures import end_outages_of, give_back, lose
from runner_svc.core.decide.late_results import answer_stale
from runner_svc.core.decide.on_report import begin_work
from runner_svc.core.decide.reuse import look_again
from runner_svc.core.decide.turn import Steps, Turn
from runner_svc.core.fleet.sessions import WorkerSession
from runner_svc.core.model import commands, signals
from runner_svc.core.model.requirements import usual_abilities
from runner_svc.core.model.values import LeaseId, execution_of_lease


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
        known_makers=signal.known_makers,
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
    for execution in turn.state.queues.running():
        if execution.agenda.unseen_by_workers:
            look_again(execution)
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
        answer_stale(turn, session, lease_id, stop=True)
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
        # guard: to come back is no progress; world: to come back is no progress -> begin_work(turn, lease, at)
        begin_work(turn, lease, at if not lease.accepted else lease.progress_at)  # to come back is no progress
        # guard: keep; kept and told so -> pass
        turn.order(commands.Keep(session=session.id, lease=lease_id))


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
    # guard: the models of a worker that leaves are not away -> pass
    end_outages_of(turn, session.worker, at)


def credit(turn: Turn, signal: signals.CreditGranted) -> None:
    session = turn.state.roster.sessions.get(signal.session)
    if session is not None:
        session.window = signal.window
        turn.state.roster.matching.made_room(session)


def draining(turn: Turn, signal: signals.WorkerDraining) -> None:
    session = turn.state.roster.sessions.get(signal.session)
    if session is not None:
        session.draining = True
