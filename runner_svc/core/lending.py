"""Ready work goes to free workers, in the same turn in which either came to be."""

from __future__ import annotations

from dataclasses import replace

from runner_svc.core import commands as c
from runner_svc.core import events as e
from runner_svc.core.budget import Ledger
from runner_svc.core.execution import Execution
from runner_svc.core.failing import settle
from runner_svc.core.inputs import input_digest, inputs_of
from runner_svc.core.leases import LiveLease
from runner_svc.core.measuring import canary_of, due_canary
from runner_svc.core.records import Lease, Record
from runner_svc.core.room import Session
from runner_svc.core.states import DOING, ExecutionState
from runner_svc.core.turn import State, Turn
from runner_svc.core.values import Content, LeaseId, Phase, Role

#: Executors get no new work while this many candidates wait for a verdict per lease that validators would hold.
BACKLOG_PER_SLOT = 3


def lend_all(turn: Turn, at: float) -> None:
    """Gives ready work to free workers: verdicts before new work, so that candidates do not pile up."""
    spenders = [(execution, execution.ledger) for execution in turn.state.queues.running() if execution.ledger]
    for execution, ledger in spenders:
        turn.look_at(execution.id)
        execution.enqueue_all(ledger.let_go())
        turn.state.queues.offer(execution)
    for role in (Role.VALIDATOR, Role.EXECUTOR):
        if role is Role.EXECUTOR and is_backlogged(turn.state):
            break
        while _lend_one(turn, role, at):
            pass
    for execution, ledger in spenders:
        turn.look_at(execution.id)
        _pause_if_spent(turn, execution, ledger, at)


def _pause_if_spent(turn: Turn, execution: Execution, ledger: Ledger, at: float) -> None:
    """Pauses an execution in which nothing happens any more but that work waits for a budget."""
    if not ledger.held or execution.counts[DOING] or execution.state is not ExecutionState.RUNNING:
        return
    waiting = [(task, kind[0]) for kind, tasks in ledger.held.items() for task in tasks if execution.is_free(task, at)]
    if not waiting or len(waiting) < execution.ready_count + execution.unjudged_count:
        return
    task, node = waiting[0]
    reason = ledger.why(node, ledger.estimate(task, execution.next_phase(task)))
    turn.emit(execution, e.ExecutionPaused(at=at, request_id="", reason=reason))


def is_backlogged(state: State) -> bool:
    """Whether so many candidates wait for a verdict that executors must wait too."""
    # Those that wait for a person would hold everything up for as long as nobody comes.
    unjudged = sum(execution.unjudged_count for execution in state.queues.running())
    return unjudged >= BACKLOG_PER_SLOT and unjudged >= BACKLOG_PER_SLOT * max(1, state.roster.reach(Role.VALIDATOR))


def _lend_one(turn: Turn, role: Role, at: float) -> bool:
    choice = turn.state.queues.next(role, turn.state.roster.room.has_room, at)
    if choice is None:
        return False
    execution, task, wants = choice
    turn.look_at(execution.id)
    if role is Role.EXECUTOR and _keep_artifact(turn, execution, task, at):
        return True
    if _is_held(execution, task):
        return True
    session = turn.state.roster.room.with_room(wants, at, execution.record(task).avoid)
    assert session is not None
    _lend(turn, execution, task, session, at)
    return True


def _is_held(execution: Execution, task: int) -> bool:
    """Whether a budget does not allow the attempt: then the task waits until it does."""
    ledger = execution.ledger
    if ledger is None:
        return False
    ledger.drop(task)
    phase = execution.next_phase(task)
    node = ledger.refusing(task, ledger.estimate(task, phase))
    if node is not None:
        ledger.hold(node, task, phase)
    return node is not None


def _keep_artifact(turn: Turn, execution: Execution, task: int, at: float) -> bool:
    """Reinstates a withdrawn artifact when the work would be the same again."""
    withdrawn = execution.record(task).withdrawn
    if withdrawn is None or not turn.state.roster.has_maker(withdrawn.maker):
        return False
    inputs, _ = inputs_of(execution, task)
    if input_digest(execution.map.spec_digest(task), inputs) != withdrawn.input_digest:
        return False
    turn.emit(execution, e.ArtifactKept(at=at, task=task, attempt=withdrawn.attempt))
    turn.state.queues.offer(execution)
    settle(turn, execution, at)
    return True


def _lend(turn: Turn, execution: Execution, task: int, session: Session, at: float) -> None:
    record = execution.record(task)
    phase = execution.next_phase(task)
    attempt = record.attempt + 1 if phase is Phase.EXECUTE else record.attempt
    lease_id = LeaseId(f"{execution.id}.{task}.{execution.sequence + 1}")
    canary = due_canary(execution, task) if phase is Phase.VALIDATE else 0
    event = e.TaskAssigned(
        at=at, task=task, lease=lease_id, attempt=attempt, phase=phase, worker=session.worker, canary=canary
    )
    turn.emit(execution, event)
    if canary:
        given = canary_of(execution, task, canary)
        turn.keep(given.content, given.body)
    turn.state.roster.lend(execution, task, at)
    turn.order(_assignment(execution, task, session))


def assign_again(turn: Turn, lease: LiveLease, session: Session, at: float) -> None:
    """Repeats an assignment on the stream that continues the one it was sent on."""
    turn.state.roster.lend_again(lease, session, at)
    turn.order(_assignment(lease.execution, lease.task, session))


def _assignment(execution: Execution, task: int, session: Session) -> c.Assign:
    """What a session is told of the lease on a task."""
    record = execution.records[task]
    lease = record.lease
    assert lease is not None, f"{execution.map.name(task)} has no lease"
    inputs, omitted = inputs_of(execution, task)
    return c.Assign(
        session=session.id,
        lease=lease.id,
        execution=execution,
        task=task,
        phase=lease.phase,
        attempt=record.attempt,
        inputs=inputs,
        omitted=omitted,
        candidate=_candidate(execution, task, lease) if lease.phase is Phase.VALIDATE else None,
        feedback=_feedback(record) if record.failures and lease.phase is Phase.EXECUTE else None,
        model=execution.wants(task, lease.phase.role).model,
        checkpoint=_checkpoint(execution, task, inputs),
    )


def _candidate(execution: Execution, task: int, lease: Lease) -> Content | None:
    """What is to be judged under a lease."""
    candidate = execution.records[task].candidate
    if lease.canary and candidate is not None:
        return replace(canary_of(execution, task, lease.canary).content, media_type=candidate.media_type)
    return candidate


def _checkpoint(execution: Execution, task: int, inputs: tuple[c.Input, ...]) -> Content | None:
    """What the executor before has left: none since there is a candidate, nor of use for other inputs."""
    checkpoint = execution.records[task].checkpoint
    if checkpoint is None or checkpoint.input_digest != input_digest(execution.map.spec_digest(task), inputs):
        return None
    return checkpoint


def _feedback(record: Record) -> c.Feedback:
    return c.Feedback(summary=record.last_failure, results=record.results, candidate=record.rejected)
