"""The record of one task: its attempts, leases, candidate, artifact and failures. task_events.py changes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass

from runner_svc.core.model.usage import NOTHING, OpenUsage, Totals, Usage
from runner_svc.core.model.value import value
from runner_svc.core.model.values import (
    Content,
    CriterionResult,
    LeaseId,
    Makers,
    Phase,
    WorkerName,
)
from runner_svc.core.state.attempts import NONE_FAILED, FailedAttempts


@value(frozen=True, slots=True)
class Lease:
    """The right of one worker to one phase of one attempt."""

    id: LeaseId
    phase: Phase
    worker: WorkerName
    canary: int = 0  #: see TaskAssigned
    model: str | None = None  #: see TaskAssigned


@value(frozen=True, slots=True)
class EndedLease:
    """A lease that brought no result. Its worker may still report costs, and one result that comes too late."""

    id: LeaseId
    phase: Phase
    worker: WorkerName
    orphaned: bool = False  #: no further result is kept: one came too late, or none is wanted
    reports: int = 0  #: recorded reports of costs that came after its end
    input_digest: str = ""  #: of what the worker was given, if a candidate from it will do; empty: it will not


@value(frozen=True, slots=True)
class Rejection:
    """The part of a failing verdict by which the next one is compared with it."""

    digest: str
    failed: frozenset[str]  #: the criteria that failed


@dataclass(slots=True)
class TaskRecord:
    """The state of a task that was ever touched; an untouched task has none."""

    attempt: int = 0
    failures: int = 0
    losses: int = 0
    judge_errors: int = 0
    rollbacks: int = 0  #: caused by this task
    lease: Lease | None = None
    executed_under: LeaseId | None = None  #: the last lease whose candidate or failure was committed
    judged_under: LeaseId | None = None  #: the last lease whose verdict was committed
    settled_before: tuple[LeaseId, ...] = ()  #: earlier values of these two, the last ones
    ended: tuple[EndedLease, ...] = ()  #: the last leases that brought no result
    candidate: Content | None = None  #: not yet signed off
    artifact: Content | None = None  #: signed off
    withdrawn: Content | None = None  #: the former artifact, which is used again when the inputs are the same
    #: the former artifact's evidence: the results of its verdict, and what gave it
    evidence: tuple[tuple[CriterionResult, ...], Makers] = ((), ())
    rejected: Content | None = None  #: the last candidate that a verdict failed
    checkpoint: Content | None = None  #: left by the executor for the next one
    rejection: Rejection | None = None
    fingerprint: str = ""  #: of the last attempt's failure: attempts.py
    no_progress: bool = False  #: the last two rejections, or the last two failures, were the same
    too_small: tuple[str, ...] = ()  #: models that cannot hold the task
    results: tuple[CriterionResult, ...] = ()  #: of the last verdict
    judged_by: Makers = ()  #: what gave it, as far as the worker has said
    last_failure: str = ""  #: why the last attempt did not count, or why it was given up
    feedback: str = ""  #: why the last attempt that failed or was rejected did not count
    failed_attempts: FailedAttempts = NONE_FAILED  #: since it was last signed off or had other inputs
    retry_at: float = 0.0
    avoid: WorkerName | None = None  #: the validator that broke on the candidate, or the worker whose model was away
    outages: int = 0  #: met first by this task, since it last had a result
    awaits_person: bool = False  #: the candidate has passed all that workers check
    canary_given: bool = False  #: one was given before the present candidate
    is_fresh: bool = False  #: it was asked for anew: no result of an earlier execution will do
    given_up: bool = False  #: failed for good, or no judge could be found for it
    first_assigned_at: float = 0.0
    changed_at: float = 0.0
    usage: Totals | None = None  #: None: nothing was ever reported
    open_usage: OpenUsage | None = None  #: recorded under leases that have brought no result

    @property
    def is_free(self) -> bool:
        """Tells whether the candidate may be offered to validators."""
        return self.lease is None and not self.given_up and not self.awaits_person

    def has_settled(self, lease: LeaseId) -> bool:
        """Tells whether a result under the lease is committed."""
        # guard: leases settled before -> return lease in (self.executed_under, self.judged_under)
        return lease in (self.executed_under, self.judged_under) or lease in self.settled_before

    def knows(self, lease: LeaseId) -> bool:
        """Tells whether a lease was given that has ended, as far as ended leases are remembered."""
        return self.has_settled(lease) or any(ended.id == lease for ended in self.ended)

    def cost_of(self, lease: LeaseId) -> Usage:
        """Returns the recorded cost of a lease that has brought no result, for all models together."""
        return sum((self.open_usage or {}).get(lease, {}).values(), start=NOTHING)

    def ended_lease(self, lease: LeaseId, worker: WorkerName) -> EndedLease | None:
        """Returns a lease that the worker held and that brought no result; None: it held no such lease."""
        # guard: costs of settled leases ->
        #     return next(
        #         (ended for ended in self.ended if ended.id == lease), EndedLease(lease, Phase.EXECUTE, worker)
        #     )
        # guard: orphans of leases that were given; costs of given leases only ->
        #     return next((ended for ended in self.ended if ended.id == lease), None)
        return next((ended for ended in self.ended if ended.id == lease and ended.worker == worker), None)


class TaskRecords(MutableMapping[int, TaskRecord]):
    """The records by task number. Those in `kept` stay bytes until they are first needed; then `read` makes them."""

    def __init__(self, kept: dict[int, bytes], read: Callable[[bytes], TaskRecord]) -> None:
        self._made: dict[int, TaskRecord] = {}
        self._kept = kept
        self._read = read

    def __getitem__(self, task: int) -> TaskRecord:
        record = self._made.get(task)
        if record is None:
            record = self._made[task] = self._read(self._kept[task])
            del self._kept[task]
        return record

    def __setitem__(self, task: int, record: TaskRecord) -> None:
        self._kept.pop(task, None)
        self._made[task] = record

    def __delitem__(self, task: int) -> None:
        del (self._made if task in self._made else self._kept)[task]

    def __contains__(self, task: object) -> bool:
        return task in self._made or task in self._kept

    def __iter__(self) -> Iterator[int]:
        return iter((*self._made, *self._kept))  # a copy: reading a record moves it

    def __len__(self) -> int:
        return len(self._made) + len(self._kept)
