"""Folds the events of a journal into costs: one handler for each kind of event that says something about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from signoff.client.costs import EXECUTE, NOTHING, VALIDATE, Amount, Costs, Fate, FateCosts, TaskCosts, WorkFate, sum_of
from signoff.display.verdicts import author_of
from signoff.display.wire_names import enum_name
from signoff.v1 import execution_pb2 as pb


def costs_of(events: Iterable[pb.Event]) -> Costs:
    """Returns the costs after these events, which begin with the first of the journal."""
    fold = CostsFold()
    for event in events:
        fold.take(event)
    return fold.costs()


UNDECIDED = Fate(WorkFate.UNDECIDED)


@dataclass(slots=True, eq=False)
class _Work:
    """Work with one fate: a candidate with its judging, or a lease that brings no candidate."""

    fate: Fate = UNDECIDED


@dataclass(slots=True, eq=False)
class _Lease:
    task: _Task
    phase: int
    work: _Work
    spent: Amount = NOTHING


@dataclass(slots=True, eq=False)
class _Task:
    attempts: int = 0
    candidate: _Work | None = None  #: is judged, or will be
    artifact: _Work | None = None  #: is signed off
    withdrawn: _Work | None = None  #: was signed off, and may be so again
    by_model: dict[tuple[int, str], Amount] = field(default_factory=dict)


class CostsFold:
    """Adds up costs. Feed it every event of a journal, in order. It keeps a record for each lease, not each event."""

    def __init__(self) -> None:
        self._task_count, self._currency = 0, ""
        self._tasks: dict[str, _Task] = {}
        self._leases: dict[str, _Lease] = {}

    def take(self, event: pb.Event) -> None:
        """Takes one event in. One of a kind that says nothing about costs changes nothing."""
        kind = event.WhichOneof("kind") or ""
        change = _CHANGES.get(kind)
        if change is not None:
            change(self, event.task_id, getattr(event, kind))

    def costs(self) -> Costs:
        """Returns what has been taken in so far."""
        tasks = {name: _task_costs(name, task) for name, task in self._tasks.items()}
        return Costs(
            task_count=self._task_count,
            currency=self._currency,
            by_model=_by_model(tasks.values()),
            by_fate=self._by_fate(),
            tasks=tasks,
        )

    def _by_fate(self) -> dict[Fate, FateCosts]:
        leases: dict[Fate, list[_Lease]] = {}
        for lease in self._leases.values():
            leases.setdefault(lease.work.fate, []).append(lease)
        return {
            fate: FateCosts(times=len({lease.work for lease in its}), spent=sum_of(lease.spent for lease in its))
            for fate, its in leases.items()
        }

    # ------------------------------------------------------------ events

    def _created(self, _task_id: str, event: pb.ExecutionCreated) -> None:
        self._task_count, self._currency = event.task_count, event.currency

    def _assigned(self, task_id: str, event: pb.TaskAssigned) -> None:
        task = self._task(task_id)
        self._leases[event.lease_id] = _Lease(task, event.phase, _Work())
        task.attempts += event.phase == EXECUTE

    def _spent(self, task_id: str, event: pb.UsageRecorded) -> None:
        """Adds usage to its lease. Usage that comes late has no attempt number, and needs none."""
        lease, amount = self._lease(task_id, event.lease_id, event.phase), amount_of(event)
        lease.spent += amount
        key = (event.phase, event.model)
        lease.task.by_model[key] = lease.task.by_model.get(key, NOTHING) + amount

    def _candidate(self, task_id: str, event: pb.CandidateStored) -> None:
        lease = self._lease(task_id, event.lease_id, EXECUTE)
        lease.task.candidate = lease.work

    def _judged(self, task_id: str, lease_id: str) -> _Work:
        """Joins a judging to its candidate, and returns their work. A person's verdict comes under no lease."""
        work = self._task(task_id).candidate or _Work()
        if lease_id:
            self._lease(task_id, lease_id, VALIDATE).work = work
        return work

    def _asked(self, task_id: str, event: pb.PersonAsked) -> None:
        self._judged(task_id, event.lease_id)

    def _passed(self, task_id: str, event: pb.VerdictPassed) -> None:
        task, work = self._task(task_id), self._judged(task_id, event.lease_id)
        work.fate = Fate(WorkFate.SIGNED_OFF)
        task.artifact, task.candidate, task.withdrawn = work, None, None

    def _rejected(self, task_id: str, event: pb.VerdictFailed) -> None:
        self._judged(task_id, event.lease_id).fate = Fate(WorkFate.REJECTED, _rejecter(event))
        self._task(task_id).candidate = None

    def _failed(self, task_id: str, event: pb.AttemptFailed) -> None:
        kind = enum_name(pb.FailureKind.DESCRIPTOR, event.kind)
        self._lease(task_id, event.lease_id, EXECUTE).work.fate = Fate(WorkFate.FAILED, kind)

    def _judge_failed(self, task_id: str, event: pb.JudgeFailed) -> None:
        self._lease(task_id, event.lease_id, VALIDATE).work.fate = Fate(WorkFate.JUDGE_FAILED)

    def _canary(self, task_id: str, event: pb.CanaryJudged) -> None:
        self._lease(task_id, event.lease_id, VALIDATE).work.fate = Fate(WorkFate.CANARY)

    def _lost(self, task_id: str, event: pb.LeaseLost) -> None:
        self._lease(task_id, event.lease_id, event.phase).work.fate = Fate(WorkFate.LOST)

    def _returned(self, task_id: str, event: pb.LeaseReturned) -> None:
        self._not_begun(task_id, event, WorkFate.RETURNED)

    def _outage(self, task_id: str, event: pb.OutageMet) -> None:
        self._not_begun(task_id, event, WorkFate.OUTAGE)

    def _not_begun(self, task_id: str, event: pb.LeaseReturned | pb.OutageMet, what: WorkFate) -> None:
        lease = self._lease(task_id, event.lease_id, event.phase)
        lease.work.fate = Fate(what)
        lease.task.attempts -= event.phase == EXECUTE  # its number is given out again

    def _rolled_back(self, task_id: str, event: pb.TaskRolledBack) -> None:
        self._withdraw(task_id, keep=not event.make_anew)

    def _retried(self, task_id: str, _event: pb.TaskRetried) -> None:
        self._withdraw(task_id, keep=False)

    def _withdraw(self, task_id: str, *, keep: bool) -> None:
        task = self._task(task_id)
        for work in (task.artifact, task.candidate):
            if work is not None:
                work.fate = Fate(WorkFate.WITHDRAWN)
        task.withdrawn = task.artifact if keep else None
        task.artifact = task.candidate = None

    def _kept(self, task_id: str, _event: pb.ArtifactKept) -> None:
        task = self._task(task_id)
        task.artifact, task.withdrawn = task.withdrawn or _Work(), None
        task.artifact.fate = Fate(WorkFate.SIGNED_OFF)

    def _artifact_reused(self, task_id: str, _event: pb.ArtifactReused) -> None:
        self._task(task_id).artifact = _Work(Fate(WorkFate.SIGNED_OFF))  # it has cost nothing here

    def _candidate_reused(self, task_id: str, _event: pb.CandidateReused) -> None:
        self._task(task_id).candidate = _Work()

    def _adopted(self, task_id: str, event: pb.OrphanAdopted) -> None:
        work = self._lease(task_id, event.candidate.lease_id, EXECUTE).work
        work.fate = Fate(WorkFate.UNDECIDED)
        task = self._task(task_id)
        task.candidate, task.attempts = work, event.candidate.attempt

    def _task(self, task_id: str) -> _Task:
        task = self._tasks.get(task_id)
        if task is None:
            task = self._tasks[task_id] = _Task()
        return task

    def _lease(self, task_id: str, lease_id: str, phase: int) -> _Lease:
        """Returns the lease; one of unknown fate when the events do not begin with the journal."""
        lease = self._leases.get(lease_id)
        if lease is None:
            lease = self._leases[lease_id] = _Lease(self._task(task_id), phase, _Work(Fate(WorkFate.UNKNOWN)))
        return lease


_CHANGES: Mapping[str, Callable[[CostsFold, str, Any], None]] = MappingProxyType(
    {
        "execution_created": CostsFold._created,
        "task_assigned": CostsFold._assigned,
        "usage_recorded": CostsFold._spent,
        "candidate_stored": CostsFold._candidate,
        "person_asked": CostsFold._asked,
        "verdict_passed": CostsFold._passed,
        "verdict_failed": CostsFold._rejected,
        "attempt_failed": CostsFold._failed,
        "judge_failed": CostsFold._judge_failed,
        "canary_judged": CostsFold._canary,
        "lease_lost": CostsFold._lost,
        "lease_returned": CostsFold._returned,
        "outage_met": CostsFold._outage,
        "task_rolled_back": CostsFold._rolled_back,
        "task_retried": CostsFold._retried,
        "artifact_kept": CostsFold._kept,
        "artifact_reused": CostsFold._artifact_reused,
        "candidate_reused": CostsFold._candidate_reused,
        "orphan_adopted": CostsFold._adopted,
    }
)


def amount_of(event: pb.UsageRecorded) -> Amount:
    """Returns the amount that an event adds. Without a cost, its tokens count as unpriced."""
    tokens = event.input_tokens + event.output_tokens + event.estimated_input_tokens + event.estimated_output_tokens
    return Amount(
        requests=event.requests,
        input_tokens=event.input_tokens,
        output_tokens=event.output_tokens,
        cached_input_tokens=event.cached_input_tokens,
        reasoning_tokens=event.reasoning_tokens,
        estimated_input_tokens=event.estimated_input_tokens,
        estimated_output_tokens=event.estimated_output_tokens,
        cost_nanos=event.cost_nanos,
        estimated_cost_nanos=event.estimated_cost_nanos,
        unpriced_tokens=0 if event.HasField("cost_nanos") else tokens,
    )


def _rejecter(verdict: pb.VerdictFailed) -> str:
    if author_of(verdict).WhichOneof("who") == "person":
        return "person"
    failed = [result for result in verdict.results if result.outcome != pb.OUTCOME_PASS]
    return "check" if any(result.deterministic for result in failed) else "judge"


def _task_costs(task_id: str, task: _Task) -> TaskCosts:
    return TaskCosts(
        task_id=task_id,
        attempts=task.attempts,
        is_signed_off=task.artifact is not None,
        spent=sum_of(task.by_model.values()),
        by_model=dict(task.by_model),
    )


def _by_model(tasks: Iterable[TaskCosts]) -> dict[tuple[int, str], Amount]:
    """Returns the sums by phase and model, in this order."""
    totals: dict[tuple[int, str], Amount] = {}
    for task in tasks:
        for key, amount in task.by_model.items():
            totals[key] = totals.get(key, NOTHING) + amount
    return dict(sorted(totals.items()))
