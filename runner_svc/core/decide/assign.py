"""Gives ready work to free workers, in the turn in which the work became ready or the worker became free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runner_svc.core.decide.canary_choice import due_canary
from runner_svc.core.decide.housekeeping import tidy_up
from runner_svc.core.decide.inputs import (
    Inputs,
    Omitted,
    input_digest,
    input_digest_of_lease,
    inputs_of,
    inputs_of_lease,
)
from runner_svc.core.decide.patience import pause_if_away
from runner_svc.core.decide.reuse import keep_earlier, to_compare_with
from runner_svc.core.decide.turn import State, Turn
from runner_svc.core.fleet.leases import LiveLease
from runner_svc.core.fleet.queues import HasRoom
from runner_svc.core.fleet.sessions import WorkerSession
from runner_svc.core.model import commands, events
from runner_svc.core.model.requirements import Requirement
from runner_svc.core.model.states import DOING, VALIDATING, ExecutionState
from runner_svc.core.model.values import Content, LeaseId, Phase, Role
from runner_svc.core.spending.commitments import LET_GO_A_TURN, Commitments
from runner_svc.core.spending.reservations import ExpectedCosts
from runner_svc.core.state.execution import Execution
from runner_svc.core.state.task_record import TaskRecord

#: Executors get no new work while this many candidates wait for a verdict per lease that validators would hold.
BACKLOG_PER_SLOT = 3
#: The most that one step of a turn lends: 100 leases, or fewer with many inputs, in 8 to 20 ms. The next one goes on.
WORK_A_STEP = 2500
FEW_INPUTS = 20
LOOKS_OF_WORK = 10  # looks at queues that count as one
WORK_OF_LEASE = 25  # times that of one input; half of it for a task that a budget turns out to hold


def lend_all(turn: Turn, at: float) -> None:
    """Gives ready work to free workers: verdicts before new work, so that candidates do not pile up."""
    running = turn.state.queues.running()
    spenders = [(execution, execution.agenda.commitments) for execution in running if execution.agenda.commitments]
    are_more_free = False
    for execution, commitments in spenders:
        turn.look_at(execution.id)
        free = commitments.let_go(expected_costs(turn.state, commitments))
        are_more_free |= len(free) >= LET_GO_A_TURN
        execution.agenda.add_all(free)
        turn.touch(execution)
    tidy_up(turn, at)
    are_all_seen = _keep_earlier(turn, running, at)
    turn.state.is_lending = not are_all_seen or not _lend_some(turn, at) or are_more_free
    for execution, commitments in spenders:
        turn.look_at(execution.id)
        _pause_if_spent(turn, execution, commitments, at)
    if turn.state.roster.outages and not turn.state.is_lending:
        for execution in turn.state.queues.running():
            turn.look_at(execution.id)
            # guard: patience ends with a pause -> pass
            pause_if_away(turn, execution, at)


def _keep_earlier(turn: Turn, running: Sequence[Execution], at: float) -> bool:
    """Keeps what earlier executions offer. Returns False when more is to be looked up: until then nothing is lent."""
    for execution in running:
        if execution.agenda.unseen:
            turn.look_at(execution.id)
            if not keep_earlier(turn, execution, at):
                return False
    return True


def _lend_some(turn: Turn, at: float) -> bool:
    """Lends as much as fits a step. Returns True when nothing more can be lent by now."""
    has_room = _RoomFinder(turn.state)
    left = WORK_A_STEP
    for role in (Role.VALIDATOR, Role.EXECUTOR):
        if role is Role.EXECUTOR and is_backlogged(turn.state):
            break
        while work := _lend_one(turn, role, has_room, at):
            left -= work
            # guard: a turn lends a bounded amount -> if False:
            if left <= 0:
                return False
    return True


class _RoomFinder:
    """A view of the matching that remembers requirements without room: while a turn lends, no worker gets room."""

    def __init__(self, state: State) -> None:
        self._has_room = state.roster.matching.has_room
        self._none = set[Requirement]()

    def __call__(self, requirement: Requirement, at: float) -> bool:
        if requirement in self._none:
            return False
        found = self._has_room(requirement, at)
        if not found:
            self._none.add(requirement)
        return found


def _pause_if_spent(turn: Turn, execution: Execution, commitments: Commitments, at: float) -> None:
    """Pauses an execution in which all that is left to do waits for a budget."""
    if not commitments.held or execution.counts[DOING] or execution.state is not ExecutionState.RUNNING:
        return
    waiting = [held for held in commitments.held.values() if execution.is_free(held.task, at)]
    if not waiting or len(waiting) < execution.ready_count + execution.unjudged_count:
        return
    reason = commitments.why(waiting[0], expected_costs(turn.state, commitments)(waiting[0].size))
    turn.emit(execution, events.ExecutionPaused(at=at, request_id="", reason=reason))


def expected_costs(state: State, commitments: Commitments) -> ExpectedCosts:
    """Returns the function that says what attempts of an execution may cost."""
    return ExpectedCosts(commitments.ledger, state.roster.matching, state.roster.tables.prices)


def is_backlogged(state: State) -> bool:
    """Tells whether so many candidates wait for a verdict that executors must wait too."""
    # Candidates that wait for a person, for a budget, or for a judge that is away or is tried again later do not count:
    # they would hold up all executors for as long.
    backlog = sum(
        # guard: candidates of judges that are away hold no other up -> execution.backlog - _judges_held(execution)
        execution.backlog - _judges_away(state, execution) - _judges_held(execution)
        for execution in state.queues.running()
    )
    return backlog >= BACKLOG_PER_SLOT and backlog >= BACKLOG_PER_SLOT * max(1, state.roster.reach(Role.VALIDATOR))


def _judges_away(state: State, execution: Execution) -> int:
    """Counts the candidates whose judges' model is away. It is an estimate: some entries of queues may be moot."""
    matching = state.roster.matching
    if not matching.outages:
        return 0
    queues = execution.agenda.queued[Role.VALIDATOR].items()
    return min(
        execution.backlog, sum(len(queue) for requirement, queue in queues if matching.away(requirement) is not None)
    )


def _judges_held(execution: Execution) -> int:
    """Counts the candidates that a budget does not allow to be judged yet."""
    commitments = execution.agenda.commitments
    if commitments is None:
        return 0
    return sum(execution.status[task] == VALIDATING for task in commitments.judging)


def _lend_one(turn: Turn, role: Role, has_room: HasRoom, at: float) -> int:
    """Lends one task. Returns how much work it was; 0: there is nothing to lend."""
    choice = turn.state.queues.next(role, has_room, at)
    if choice is None:
        return 0
    execution, task, requirement, looked = choice
    turn.look_at(execution.id)
    # guard: inputs of dependencies are work -> work = looked // LOOKS_OF_WORK + len(execution.map.reads[task])
    work = looked // LOOKS_OF_WORK + execution.map.input_counts[task]
    given = inputs_of(execution, task) if role is Role.EXECUTOR and _may_keep(turn, execution, task) else None
    if given is not None and _keep_artifact(turn, execution, task, given[0], at):
        return work + WORK_OF_LEASE
    # guard: a canary is judged before the candidate -> canary = 0
    canary = due_canary(execution, task) if role is Role.VALIDATOR else 0
    if _is_held(turn.state, execution, task, canary):
        return work + WORK_OF_LEASE // 2
    session = turn.state.roster.matching.with_room(requirement, at, execution.record(task).avoid)
    assert session is not None
    _lend(turn, execution, task, session, at, given, canary)
    return work + WORK_OF_LEASE


def _is_held(state: State, execution: Execution, task: int, canary: int) -> bool:
    """Tells whether a budget does not allow the attempt; then the task waits until it does."""
    commitments = execution.agenda.commitments
    if commitments is None:
        return False
    commitments.drop(task)
    scope = next(commitments.ledger.scopes(task), None)
    if scope is None:
        return False
    size = execution.size_of_attempt(task, execution.next_phase(task), canary)
    expected = expected_costs(state, commitments)(size)
    node = commitments.refusing(task, expected)
    if node is None and commitments.is_first_out(size.kind, expected):
        node = scope
    if node is not None:
        commitments.hold(node, task, size)
    # guard: budgets hold work back -> return False
    return node is not None


def _may_keep(turn: Turn, execution: Execution, task: int) -> bool:
    """Tells whether the task has a withdrawn artifact, whose maker is connected and would make it again."""
    withdrawn = execution.record(task).withdrawn
    return withdrawn is not None and turn.state.roster.has_maker(withdrawn.maker)


def _keep_artifact(turn: Turn, execution: Execution, task: int, inputs: Sequence[commands.Input], at: float) -> bool:
    """Uses a withdrawn artifact again when the work would be the same. Tells whether it did."""
    withdrawn = execution.record(task).withdrawn
    if withdrawn is None or input_digest(execution.map.spec_digest(task), inputs) != withdrawn.input_digest:
        return False
    turn.emit(execution, events.ArtifactKept(at=at, task=task, attempt=withdrawn.attempt))
    tidy_up(turn, at)
    return True


def _lend(
    turn: Turn,
    execution: Execution,
    task: int,
    session: WorkerSession,
    at: float,
    inputs: tuple[Inputs, Omitted] | None,
    canary: int,
) -> None:
    """Gives a task to a session. `inputs`: the task's inputs, when they are known already."""
    record = execution.record(task)
    phase = execution.next_phase(task)
    attempt = record.attempt + 1 if phase is Phase.EXECUTE else record.attempt
    lease_id = LeaseId(f"{execution.id}.{task}.{execution.sequence + 1}")
    event = events.TaskAssigned(
        at=at,
        task=task,
        lease=lease_id,
        attempt=attempt,
        phase=phase,
        worker=session.worker,
        canary=canary,
        model=session.reports(execution.requirement(task, phase.role)),
    )
    turn.emit(execution, event)
    if (given := execution.map.canary(task, canary)) is not None:
        turn.keep(given.content, given.body)
    lease = turn.state.roster.lend(execution, task, at)
    lease.inputs = inputs
    turn.order(_assignment(lease, session))


def assign_again(turn: Turn, lease: LiveLease, session: WorkerSession, at: float) -> None:
    """Repeats an assignment on the stream that continues the earlier one."""
    turn.state.roster.lend_again(lease, at)
    turn.order(_assignment(lease, session))


def _assignment(lease: LiveLease, session: WorkerSession) -> commands.Assign:
    """Returns the assignment of a lease for a session."""
    execution, task = lease.execution, lease.task
    record = execution.records[task]
    inputs, omitted = inputs_of_lease(lease)
    if len(inputs) > FEW_INPUTS and lease.phase is Phase.EXECUTE:
        input_digest_of_lease(lease)  # now: hundreds of candidates may come in one later turn, and need theirs
    return commands.Assign(
        session=session.id,
        lease=lease.id,
        execution=execution.id,
        map=execution.map,
        task=task,
        phase=lease.phase,
        attempt=record.attempt,
        inputs=inputs,
        omitted=omitted,
        candidate=_candidate(execution, task, lease) if lease.phase is Phase.VALIDATE else None,
        feedback=_feedback(record) if lease.phase is Phase.EXECUTE else None,
        model=execution.requirement(task, lease.phase.role).model,
        run_timeout=execution.run_timeout(task, lease.phase),
        idle_timeout=execution.idle_timeout(task, lease.phase),
        # guard: checkpoints are handed over -> checkpoint=None,
        checkpoint=_checkpoint(lease, record),
        unless_maker=earlier.content.maker if (earlier := to_compare_with(lease)) is not None else "",
        prompts_wanted=execution.settings.keep_prompts,
    )


def _candidate(execution: Execution, task: int, lease: LiveLease) -> Content | None:
    """Returns the candidate, or the canary, that is to be judged under a lease."""
    candidate = execution.records[task].candidate
    canary = execution.map.canary(task, lease.canary)
    if canary is not None and candidate is not None:
        return replace(canary.content, media_type=candidate.media_type, unread=candidate.unread)
    return candidate


def _checkpoint(lease: LiveLease, record: TaskRecord) -> Content | None:
    """Returns what the previous executor has left, if the inputs are still the same."""
    checkpoint = record.checkpoint
    # guard: checkpoints are for the same inputs -> if checkpoint is None:
    if checkpoint is None or checkpoint.input_digest != input_digest_of_lease(lease):
        return None
    return checkpoint


def _feedback(record: TaskRecord) -> commands.Feedback | None:
    if not record.failures and not record.failed_attempts.lines:
        return None
    # Earlier versions have kept no attempts that failed, and no other reason than the last.
    # guard: a lost worker is no rejection -> summary = record.last_failure
    summary = record.feedback if record.failed_attempts.lines else record.last_failure
    return commands.Feedback(
        summary=summary,
        results=record.results,
        candidate=record.rejected,
        # guard: each earlier attempt is told -> (removed)
        earlier=record.failed_attempts.before_the_last,
    )
