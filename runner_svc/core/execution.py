"""One execution: its state, as the fold of its journal.

`apply` is the only way anything here changes, live and at restart alike; so a replayed journal gives the live state.
The ready queues are an index over that state: they may hold entries that no longer count, which are dropped when they
are popped.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Callable
from dataclasses import dataclass

from runner_svc.core import events as e
from runner_svc.core.plan import Map
from runner_svc.core.states import (
    DOING,
    DONE,
    TRANSITIONS,
    UNDONE,
    VALIDATING,
    ExecutionState,
    TaskStatus,
)
from runner_svc.core.values import (
    NO_TASK,
    Content,
    CriterionResult,
    ExecutionId,
    LeaseId,
    Outcome,
    Phase,
    Settings,
    WorkerName,
)


class IllegalEvent(Exception):
    """A bug: an event that the table of transitions, or the order of the journal, does not allow."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one worker to one phase of one attempt."""

    id: LeaseId
    phase: Phase
    worker: WorkerName


@dataclass(frozen=True, slots=True)
class Rejection:
    """A verdict fail, as far as a second one can be told from it."""

    digest: str
    failed: frozenset[str]  #: the criteria that failed


@dataclass(slots=True)
class Record:
    """What is known of a task that was ever touched; an untouched task has none."""

    attempt: int = 0
    failures: int = 0
    losses: int = 0
    judge_errors: int = 0
    rollbacks: int = 0  #: that this task caused
    lease: Lease | None = None
    executed_under: LeaseId | None = None  #: the last lease whose candidate or failure was committed
    judged_under: LeaseId | None = None  #: the last lease whose verdict was committed
    candidate: Content | None = None  #: not yet signed off
    artifact: Content | None = None  #: signed off
    withdrawn: Content | None = (
        None  #: was an artifact once, and may be one again when nothing it came from has changed
    )
    rejected: Content | None = None  #: the last candidate that a verdict failed
    rejection: Rejection | None = None
    no_progress: bool = False  #: the last two rejections were the same
    results: tuple[CriterionResult, ...] = ()  #: of the last verdict
    last_failure: str = ""  #: why the last attempt did not count
    retry_at: float = 0.0
    avoid: WorkerName | None = None  #: the validator that broke on the candidate
    given_up: bool = False  #: failed for good, or no judge could be found for it
    first_assigned_at: float = 0.0
    changed_at: float = 0.0

    def has_settled(self, lease: LeaseId) -> bool:
        """Whether what came under the lease is committed."""
        return lease in (self.executed_under, self.judged_under)


class Execution:
    """The state of one execution. Tasks are named by their numbers in the map."""

    def __init__(self, execution_id: ExecutionId, created: e.ExecutionCreated, plan: Map) -> None:
        self.id = execution_id
        self.map = plan
        self.settings: Settings = created.settings
        self.state = ExecutionState.READY
        self.reason = ""
        self.sequence = 0
        self.created_at = created.at
        self.started_at: float | None = None
        self.ended_at: float | None = None
        self.status = bytearray([UNDONE]) * plan.task_count
        self.records: dict[int, Record] = {}
        self.counts = [0, plan.task_count, 0, 0, 0, 0, 0]  # by TaskStatus
        #: of each task: how many of the nodes it waits for are not done
        self.waiting = array("I", map(len, plan.waits_for))
        #: of each node: how many nodes directly below it are not done
        self.unfinished = array("I", plan.member_counts)
        self.ready_count = 0  #: undone tasks that wait for nothing but a worker or a retry time
        self.failed: set[int] = set()  #: tasks that failed for good
        self.stuck: set[int] = set()  #: validating tasks that wait for a person, because judges keep breaking
        self.ready: list[tuple[int, int]] = []  #: heap of (minus tail, task) for executors
        self.unjudged: list[tuple[int, int]] = []  #: the same for validators
        for task in range(plan.task_count):
            if not self.waiting[task]:
                self._became_ready(task)

    def record(self, task: int) -> Record:
        """The record of a task; an empty one that is not kept when there is none."""
        return self.records.get(task) or Record()

    def task_status(self, task: int) -> TaskStatus:
        return TaskStatus(self.status[task])

    @property
    def open_count(self) -> int:
        """Tasks that something will happen to without a command."""
        return self.ready_count + self.counts[DOING] + self.counts[VALIDATING] - len(self.stuck)

    def is_ready(self, task: int, at: float) -> bool:
        """Whether an executor may have the task now."""
        return (
            self.status[task] == UNDONE
            and not self.waiting[task]
            and (task not in self.records or self.records[task].retry_at <= at)
        )

    def is_unjudged(self, task: int, at: float) -> bool:
        """Whether a validator may have the task's candidate now."""
        if self.status[task] != VALIDATING:
            return False
        record = self.records[task]
        return record.lease is None and not record.given_up and record.retry_at <= at

    def enqueue(self, task: int) -> None:
        """Puts a task whose retry time has come back in its queue."""
        queue = self.unjudged if self.status[task] == VALIDATING else self.ready
        heapq.heappush(queue, (-self.map.tails[task], task))

    # ------------------------------------------------------------ the fold

    def apply(self, entry: e.Entry) -> None:
        """Takes one event in. Raises IllegalEvent, with nothing changed, when it cannot come next."""
        event = entry.event
        if entry.sequence != self.sequence + 1:
            raise IllegalEvent(f"{self.id}: expected event {self.sequence + 1}, but got {entry.sequence}: {event}")
        to = None
        if event.task != NO_TASK:
            to = TRANSITIONS[self.task_status(event.task)].get(type(event))
            if to is None:
                status = self.task_status(event.task).label
                raise IllegalEvent(f"{self.id}: task {self.map.name(event.task)} is {status}: {event} cannot happen")
        self.sequence = entry.sequence
        if to is None:
            _EXECUTION_EVENTS[type(event)](self, event)
        else:
            record = self.records.get(event.task)
            if record is None:
                record = self.records[event.task] = Record()
            _TASK_EVENTS[type(event)](self, record, event)
            self._move(event.task, to, record, event.at)

    def _move(self, task: int, to: TaskStatus, record: Record, at: float) -> None:
        was = self.status[task]
        if was == to:
            free = record.lease is None and not record.given_up
            if (to == VALIDATING and free) or (to == UNDONE and not self.waiting[task]):
                self.enqueue(task)
            return
        record.changed_at = at
        self.status[task] = to
        self.counts[was] -= 1
        self.counts[to] += 1
        if was == UNDONE and not self.waiting[task]:
            self.ready_count -= 1
        if was == DONE:
            self._reopen(task)
        if to == DONE:
            self._finish(task)
        elif to == VALIDATING:
            self.enqueue(task)
        elif to == UNDONE and not self.waiting[task]:
            self._became_ready(task)

    def _became_ready(self, task: int) -> None:
        self.ready_count += 1
        heapq.heappush(self.ready, (-self.map.tails[task], task))

    def _finish(self, node: int) -> None:
        """A node is done: what waits for it waits for one node less, and the group above may be done too."""
        for waiter in self.map.waiters[node]:
            self.waiting[waiter] -= 1
            if not self.waiting[waiter] and self.status[waiter] == UNDONE:
                self._became_ready(waiter)
        group = self.map.parents[node]
        if group >= 0:
            self.unfinished[group] -= 1
            if not self.unfinished[group]:
                self._finish(group)

    def _reopen(self, node: int) -> None:
        """The opposite of _finish."""
        for waiter in self.map.waiters[node]:
            if not self.waiting[waiter] and self.status[waiter] == UNDONE:
                self.ready_count -= 1
            self.waiting[waiter] += 1
        group = self.map.parents[node]
        if group >= 0:
            self.unfinished[group] += 1
            if self.unfinished[group] == 1:
                self._reopen(group)

    # ------------------------------------------------------------ events of the execution

    def _created(self, event: e.ExecutionCreated) -> None:
        self.created_at = event.at

    def _started(self, event: e.ExecutionStarted) -> None:
        self.state, self.started_at = ExecutionState.RUNNING, event.at

    def _paused(self, event: e.ExecutionPaused) -> None:
        self.state, self.reason = ExecutionState.PAUSED, event.reason

    def _stopped(self, event: e.ExecutionStopped) -> None:
        self.state, self.reason = ExecutionState.STOPPED, event.reason

    def _resumed(self, _event: e.ExecutionResumed) -> None:
        self.state, self.reason, self.ended_at = ExecutionState.RUNNING, "", None
        for task in sorted(self.stuck):
            self._unstick(task, self.records[task])
            self.enqueue(task)

    def _succeeded(self, event: e.ExecutionSucceeded) -> None:
        self.state, self.reason, self.ended_at = ExecutionState.SUCCEEDED, "", event.at

    def _failed(self, event: e.ExecutionFailed) -> None:
        self.state, self.reason, self.ended_at = ExecutionState.FAILED, event.reason, event.at

    def _noted(self, _event: e.CommandNoted) -> None:
        pass  # its place in the journal is all there is to it

    # ------------------------------------------------------------ events of a task

    def _assigned(self, record: Record, event: e.TaskAssigned) -> None:
        record.lease = Lease(event.lease, event.phase, event.worker)
        record.retry_at = 0.0
        record.attempt = event.attempt
        record.first_assigned_at = record.first_assigned_at or event.at

    def _candidate(self, record: Record, event: e.CandidateStored) -> None:
        record.lease, record.executed_under = None, event.lease
        record.candidate = event.content
        record.judge_errors, record.avoid = 0, None

    def _passed(self, record: Record, event: e.VerdictPassed) -> None:
        record.lease, record.judged_under = None, event.lease
        record.artifact, record.candidate = record.candidate, None
        record.withdrawn = None
        record.results = event.results
        record.last_failure = ""

    def _rejected(self, record: Record, event: e.VerdictFailed) -> None:
        record.lease, record.judged_under = None, event.lease
        record.failures += 1
        record.rejected, record.candidate = record.candidate, None
        failed = frozenset(result.criterion for result in event.results if result.outcome is not Outcome.PASS)
        rejection = Rejection(record.rejected.digest if record.rejected else "", failed)
        record.no_progress = rejection == record.rejection
        record.rejection = rejection
        record.results = event.results
        record.last_failure = event.feedback

    def _attempt_failed(self, record: Record, event: e.AttemptFailed) -> None:
        record.lease, record.executed_under = None, event.lease
        record.failures += 1
        record.results = ()
        record.last_failure = event.message

    def _judge_failed(self, record: Record, event: e.JudgeFailed) -> None:
        record.avoid = record.lease.worker if record.lease else None
        record.lease, record.judged_under = None, event.lease
        record.judge_errors += 1
        record.retry_at = event.retry_at
        record.last_failure = event.message
        self._stick_after(event.task, record, record.judge_errors, self.settings.max_judge_errors)

    def _lease_lost(self, record: Record, event: e.LeaseLost) -> None:
        record.lease = None
        record.losses += 1
        record.last_failure = event.reason
        if event.phase is Phase.VALIDATE:
            self._stick_after(event.task, record, record.losses, self.settings.max_losses)

    def _lease_returned(self, record: Record, event: e.LeaseReturned) -> None:
        record.lease = None
        if event.phase is Phase.EXECUTE:
            record.attempt -= 1  # it was never begun

    def _retry_scheduled(self, record: Record, event: e.RetryScheduled) -> None:
        record.retry_at = event.retry_at

    def _rolled_back(self, record: Record, event: e.TaskRolledBack) -> None:
        self._start_anew(event.task, record, keep=not event.make_anew)
        if event.cause == event.task:
            record.rollbacks += 1

    def _task_failed(self, record: Record, event: e.TaskFailed) -> None:
        record.given_up = True
        record.last_failure = event.reason
        self.failed.add(event.task)

    def _task_retried(self, record: Record, event: e.TaskRetried) -> None:
        self._start_anew(event.task, record, keep=False)
        record.rollbacks = 0

    def _orphaned(self, _record: Record, _event: e.OrphanStored) -> None:
        pass  # kept for the story; it changes nothing

    def _kept(self, record: Record, event: e.ArtifactKept) -> None:
        record.artifact, record.withdrawn = record.withdrawn, None
        record.attempt = event.attempt

    def _stick_after(self, task: int, record: Record, count: int, limit: int) -> None:
        """A judge that keeps breaking never fails the work: the task waits for a person."""
        if count >= limit:
            record.given_up = True
            self.stuck.add(task)

    def _unstick(self, task: int, record: Record) -> None:
        record.given_up, record.judge_errors, record.losses, record.retry_at = False, 0, 0, 0.0
        self.stuck.discard(task)

    def _start_anew(self, task: int, record: Record, *, keep: bool) -> None:
        self.stuck.discard(task)
        self.failed.discard(task)
        record.withdrawn = record.artifact if keep else None
        record.artifact = record.candidate = record.rejected = record.rejection = record.avoid = None
        record.failures = record.losses = record.judge_errors = 0
        record.no_progress = record.given_up = False
        record.results = ()
        record.retry_at = record.first_assigned_at = 0.0


_EXECUTION_EVENTS: dict[type[e.Event], Callable[..., None]] = {
    e.ExecutionCreated: Execution._created,
    e.ExecutionStarted: Execution._started,
    e.ExecutionPaused: Execution._paused,
    e.ExecutionResumed: Execution._resumed,
    e.ExecutionStopped: Execution._stopped,
    e.ExecutionSucceeded: Execution._succeeded,
    e.ExecutionFailed: Execution._failed,
    e.CommandNoted: Execution._noted,
}

_TASK_EVENTS: dict[type[e.Event], Callable[..., None]] = {
    e.TaskAssigned: Execution._assigned,
    e.CandidateStored: Execution._candidate,
    e.VerdictPassed: Execution._passed,
    e.VerdictFailed: Execution._rejected,
    e.AttemptFailed: Execution._attempt_failed,
    e.JudgeFailed: Execution._judge_failed,
    e.LeaseLost: Execution._lease_lost,
    e.LeaseReturned: Execution._lease_returned,
    e.RetryScheduled: Execution._retry_scheduled,
    e.TaskRolledBack: Execution._rolled_back,
    e.TaskFailed: Execution._task_failed,
    e.TaskRetried: Execution._task_retried,
    e.OrphanStored: Execution._orphaned,
    e.ArtifactKept: Execution._kept,
}
