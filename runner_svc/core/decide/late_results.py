"""Answers results that come under a lease which has ended, and keeps them as orphans."""

from __future__ import annotations

from runner_svc.core.decide.turn import State, Turn
from runner_svc.core.fleet.sessions import WorkerSession
from runner_svc.core.model import commands, events, signals
from runner_svc.core.model.values import Content, ExecutionId, LeaseId, SessionId
from runner_svc.core.state.execution import Execution

MOST_DIGITS = 10  # digits of a task's number


def answer_stale(turn: Turn, session: WorkerSession, lease_id: LeaseId, *, stop: bool) -> bool:
    """Answers a worker about a lease that it no longer holds. Returns True when its result is already committed."""
    found = locate(turn.state, lease_id)
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


def locate(state: State, lease_id: LeaseId) -> tuple[Execution, int] | None:
    """Returns the execution and the task in a lease id, whether or not the lease was ever given."""
    execution_id, _, rest = lease_id.partition(".")
    number = rest.partition(".")[0]
    execution = state.executions.get(ExecutionId(execution_id))
    if execution is None or not (number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS):
        return None
    # guard: nothing is written about what was pruned -> (removed)
    if execution.pruned_at is not None:
        return None
    return (execution, int(number)) if int(number) < execution.map.task_count else None


def _may_report(state: State, session_id: SessionId, lease_id: LeaseId) -> bool:
    """Tells whether a result of the session under the lease would be kept: as the lease's own, or as an orphan."""
    session = state.roster.sessions.get(session_id)
    if session is None:
        return False
    if lease_id in session.leases:
        return True
    found = locate(state, lease_id)
    ended = found[0].record(found[1]).ended_lease(lease_id, session.worker) if found is not None else None
    # guard: one orphan a lease -> return ended is not None
    return ended is not None and not ended.orphaned


def keep_orphan(
    turn: Turn,
    session: WorkerSession,
    signal: signals.AboutLease,
    what: str,
    content: Content | None,
    body: bytes | None,
) -> None:
    """Keeps a result that came too late: one per lease, and only from the worker that held it."""
    found = locate(turn.state, signal.lease)
    if found is None or not _may_report(turn.state, session.id, signal.lease):
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
