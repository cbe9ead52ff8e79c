"""Handles results that come under a lease which has ended: a candidate may be adopted, the others are orphans.

A candidate is adopted, which means that it is judged after all, when its task has nothing better and would be given the
same inputs again. An attempt that was to replace it is taken back: what is there need not be made twice. Every other
late result is kept as an orphan and changes nothing.
"""

from __future__ import annotations

from runner_svc.core.decide.failures import take_back
from runner_svc.core.decide.inputs import input_digest, inputs_of
from runner_svc.core.decide.turn import State, Turn
from runner_svc.core.fleet.sessions import WorkerSession
from runner_svc.core.model import commands, events, signals
from runner_svc.core.model.states import DOING, UNDONE
from runner_svc.core.model.values import Content, LeaseId, Phase, SessionId, execution_of_lease, task_of_lease
from runner_svc.core.state.execution import Execution
from runner_svc.core.state.task_record import EndedLease


def answer_stale(turn: Turn, session: WorkerSession, lease_id: LeaseId, *, stop: bool) -> bool:
    """Answers a worker about a lease that it no longer holds, or whose phase has another result.

    Returns True when its result is already committed.
    """
    found = locate(turn.state, lease_id)
    # guard: what is settled is acknowledged again -> if False:
    if found is not None and found[0].record(found[1]).has_settled(lease_id):
        turn.order(commands.Acknowledge(session=session.id, lease=lease_id))
        return True
    reason = "the lease has ended" if lease_id not in session.leases else "expected the result of another phase"
    turn.order(
        commands.Stop(session=session.id, lease=lease_id, reason=reason)
        if stop
        else commands.Supersede(session=session.id, lease=lease_id, reason=reason)
    )
    return False


def locate(state: State, lease_id: LeaseId) -> tuple[Execution, int] | None:
    """Returns the execution and the task in a lease id, whether or not the lease was ever given."""
    execution, task = state.executions.get(execution_of_lease(lease_id)), task_of_lease(lease_id)
    if execution is None or task is None:
        return None
    # guard: nothing is written about what was pruned -> (removed)
    if execution.pruned_at is not None:
        return None
    return (execution, task) if task < execution.map.task_count else None


def may_bring_candidate(state: State, session_id: SessionId, lease_id: LeaseId) -> bool:
    """Tells whether a candidate of the session under the lease would count: as the lease's own, or by adoption."""
    session = state.roster.sessions.get(session_id)
    if session is None:
        return False
    if lease_id in session.leases:
        # guard: a judge brings no candidate -> return True
        return state.roster.leases[lease_id].phase is Phase.EXECUTE
    return _adoptable(state, session, lease_id) is not None


def adopt(turn: Turn, session: WorkerSession, signal: signals.CandidateMade) -> bool:
    """Has a late candidate judged, if there is nothing better. Returns True when it did, and has acknowledged it."""
    found = _adoptable(turn.state, session, signal.lease)
    if found is None:
        return False
    execution, task, ended = found
    record = execution.records[task]
    if record.lease is not None:
        later = turn.state.roster.leases[record.lease.id]
        take_back(turn, later, signal.at, f"what {session.worker} was to make came after all")
    content = candidate_of(session, signal.content, record.attempt + 1, ended.input_digest)
    turn.keep(content, signal.body, signal.brought)
    adopted = events.OrphanAdopted(at=signal.at, task=task, lease=signal.lease, worker=session.worker, content=content)
    turn.emit(execution, adopted)
    turn.order(commands.Acknowledge(session=session.id, lease=signal.lease))
    return True


def candidate_of(session: WorkerSession, made: Content, attempt: int, digest: str) -> Content:
    """Returns a candidate that a session has brought, as it is kept. `digest`: of its inputs."""
    return Content(
        digest=made.digest,
        size=made.size,
        media_type=made.media_type,
        attempt=attempt,
        maker=made.maker,
        made_by=session.maker_named(made.maker),
        input_digest=digest,
        remark=made.remark,
        # guard: what the author was not shown is kept -> (removed)
        unread=made.unread,
        files=made.files,
    )


def _adoptable(state: State, session: WorkerSession, lease_id: LeaseId) -> tuple[Execution, int, EndedLease] | None:
    """Returns execution, task and lease of a candidate that would be adopted; None: it would not."""
    found = locate(state, lease_id)
    if found is None:
        return None
    execution, task = found
    ended = execution.record(task).ended_lease(lease_id, session.worker)
    if ended is None or not ended.input_digest or execution.state.is_final:
        return None
    # guard: a task that was given up adopts nothing -> if execution.waiting[task]:
    if execution.status[task] not in (UNDONE, DOING) or execution.waiting[task]:
        return None
    now = input_digest(execution.map.spec_digest(task), inputs_of(execution, task)[0])
    # guard: a late candidate is of the same inputs -> return execution, task, ended
    return (execution, task, ended) if now == ended.input_digest else None


def _may_leave_orphan(state: State, session: WorkerSession, lease_id: LeaseId) -> bool:
    """Tells whether a result of the session under a lease that has ended would be kept."""
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
    if found is None or not _may_leave_orphan(turn.state, session, signal.lease):
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
