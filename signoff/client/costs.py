"""What an execution has cost, folded from its journal: by model, by what became of it, and by task.

    costs = costs_of(events)                      # or: await client.costs(by_plan("trends"))
    costs.spent.tokens                            # all of it, estimates too
    costs.by_fate[Fate(What.FAILED, "transient")] # how often, and what it took
    costs.per_sign_off                            # of one task that is signed off
    costs.left                                    # an estimate of what the others will take

What is reported under a lease has the fate of that lease's work: a candidate and the judging that decided on it share
one. The fates divide the whole: their sums, those of the models and those of the tasks are all the same. No clock, no
sockets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from operator import add
from statistics import median
from types import MappingProxyType
from typing import Any, NamedTuple

from signoff.display.verdicts import by_of
from signoff.display.wire_names import enum_word
from signoff.v1 import execution_pb2 as pb

EXECUTE, VALIDATE = pb.PHASE_EXECUTE, pb.PHASE_VALIDATE


# ---------------------------------------------------------------- values


class Amount(NamedTuple):
    """Requests and tokens, and what they cost: the columns of UsageTotal. An amount of an event may be negative.

    It is a tuple because sums of a large journal are a hundred thousand: they take a quarter of a dataclass's time.
    """

    requests: int = 0
    input_tokens: int = 0  #: as providers counted them
    output_tokens: int = 0  #: as above
    cached_input_tokens: int = 0  #: of `input_tokens`
    reasoning_tokens: int = 0  #: of `output_tokens`
    estimated_input_tokens: int = 0  #: besides `input_tokens`
    estimated_output_tokens: int = 0  #: besides `output_tokens`
    cost_nanos: int = 0  #: in billionths of the currency, as far as prices were known
    estimated_cost_nanos: int = 0  #: besides `cost_nanos`
    unpriced_tokens: int = 0  #: whose price was not known, estimated ones too

    def __add__(self, other: Amount) -> Amount:  # type: ignore[override]
        return Amount._make(map(add, self, other))

    @property
    def tokens(self) -> int:
        """All of them, estimated ones too."""
        return self.input_tokens + self.output_tokens + self.estimated_tokens

    @property
    def estimated_tokens(self) -> int:
        return self.estimated_input_tokens + self.estimated_output_tokens

    @property
    def cost(self) -> int:
        """All of it in billionths, estimates too."""
        return self.cost_nanos + self.estimated_cost_nanos


NOTHING = Amount()

ByModel = Mapping[tuple[int, str], Amount]  # by phase and model


class WorkFate(StrEnum):
    """What became of work."""

    SIGNED_OFF = "signed-off"  #: the candidate is the task's artifact
    REJECTED = "rejected"  #: a verdict failed the candidate; kind: "check", "judge" or "person"
    FAILED = "failed"  #: the executor failed; kind: that of the failure, for example "rate-limited"
    JUDGE_FAILED = "judge-failed"  #: a validation ended without an opinion
    LOST = "lost"  #: the worker died, or its stream
    OUTAGE = "outage"  #: the model was away
    RETURNED = "returned"  #: the worker gave it back, or it was cancelled, as by a stop
    WITHDRAWN = "withdrawn"  #: a rollback or a retry threw the candidate away, signed off or not
    CANARY = "canary"  #: a canary was judged
    UNDECIDED = "undecided"  #: it runs, or its candidate waits for a verdict
    UNKNOWN = "unknown"  #: the events do not say where the lease comes from


@dataclass(frozen=True, slots=True)
class Fate:
    what: WorkFate
    kind: str = ""  #: of a rejection and of a failure, as above


@dataclass(frozen=True, slots=True, kw_only=True)
class FateCosts:
    times: int  #: how often it happened: candidates, or leases that brought none
    spent: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCosts:
    """What a task has cost so far, in all its attempts."""

    task_id: str
    attempts: int  #: that were begun, without those that were given back or met an outage
    is_signed_off: bool
    spent: Amount
    by_model: ByModel

    def tokens_in(self, phase: int) -> int:
        return _tokens_in(phase, self.by_model)

    def estimated_in(self, phase: int) -> int:
        """Returns how many of those tokens are estimated."""
        return sum(amount.estimated_tokens for (its, _), amount in self.by_model.items() if its == phase)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """A measure of tasks: tokens by phase and together, with what they cost."""

    execute: float
    validate: float
    together: float
    cost_nanos: float  #: as far as prices were known


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOffCosts:
    """What it takes to sign a task off."""

    tasks: int  #: that are signed off
    mean: Tokens  #: all that was spent on any task, divided by `tasks`
    median: Tokens  #: of the tasks that are signed off, each column by itself
    largest: TaskCosts  #: the dearest of them


@dataclass(frozen=True, slots=True, kw_only=True)
class RemainingCosts:
    """An estimate: the tasks that are not signed off, each at the mean of SignOffCosts."""

    tasks: int
    tokens: int
    cost_nanos: int  #: as far as prices were known


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What an execution has cost up to some event of its journal."""

    task_count: int  #: of the plan
    currency: str
    by_model: ByModel
    by_fate: Mapping[Fate, FateCosts]
    tasks: Mapping[str, TaskCosts]  #: those that were ever assigned, in the order of their first event

    @cached_property
    def spent(self) -> Amount:
        return _sum(self.by_model.values())

    @cached_property
    def is_priced(self) -> bool:
        """Tells whether the price of anything is known."""
        return bool(self.spent.cost) or self.spent.tokens > self.spent.unpriced_tokens

    @cached_property
    def per_sign_off(self) -> SignOffCosts | None:
        """Returns None while nothing is signed off."""
        signed_off = [task for task in self.tasks.values() if task.is_signed_off]
        if not signed_off:
            return None
        return SignOffCosts(
            tasks=len(signed_off),
            mean=Tokens(
                execute=_tokens_in(EXECUTE, self.by_model) / len(signed_off),
                validate=_tokens_in(VALIDATE, self.by_model) / len(signed_off),
                together=self.spent.tokens / len(signed_off),
                cost_nanos=self.spent.cost / len(signed_off),
            ),
            median=Tokens(
                execute=median(task.tokens_in(EXECUTE) for task in signed_off),
                validate=median(task.tokens_in(VALIDATE) for task in signed_off),
                together=median(task.spent.tokens for task in signed_off),
                cost_nanos=median(task.spent.cost for task in signed_off),
            ),
            largest=self._by_expense(signed_off)[0],
        )

    @cached_property
    def left(self) -> RemainingCosts | None:
        """Returns None when nothing is left, and while nothing is signed off: there is no measure then."""
        done = self.per_sign_off
        if done is None or done.tasks >= self.task_count:
            return None
        tasks = self.task_count - done.tasks
        tokens, cost = round(tasks * done.mean.together), round(tasks * done.mean.cost_nanos)
        return RemainingCosts(tasks=tasks, tokens=tokens, cost_nanos=cost)

    def most_expensive(self, most: int) -> tuple[TaskCosts, ...]:
        """Returns the dearest tasks, the dearest first: by money if all prices are known, else by tokens."""
        return tuple(task for task in self._by_expense(self.tasks.values())[:most] if task.spent.tokens)

    def _by_expense(self, tasks: Iterable[TaskCosts]) -> list[TaskCosts]:
        by_money = not self.spent.unpriced_tokens
        return sorted(tasks, key=lambda task: (by_money * task.spent.cost, task.spent.tokens), reverse=True)


# ---------------------------------------------------------------- the fold


def costs_of(events: Iterable[pb.Event]) -> Costs:
    """Returns the costs after these events, which begin with the first of the journal."""
    fold = CostsFold()
    for event in events:
        fold.take(event)
    return fold.costs()


@dataclass(slots=True, eq=False)
class _Work:
    """What has one fate: a candidate, from its making to its verdict and after; or a lease that brings none."""

    fate: Fate = Fate(WorkFate.UNDECIDED)


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
    """Feed it every event of a journal, in order. Needs memory for each lease, and none for an event."""

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
            fate: FateCosts(times=len({lease.work for lease in its}), spent=_sum(lease.spent for lease in its))
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
        """What comes late counts where its lease does: the attempt's number is not known then, and not needed."""
        lease, amount = self._lease(task_id, event.lease_id, event.phase), amount_of(event)
        lease.spent += amount
        key = (event.phase, event.model)
        lease.task.by_model[key] = lease.task.by_model.get(key, NOTHING) + amount

    def _candidate(self, task_id: str, event: pb.CandidateStored) -> None:
        lease = self._lease(task_id, event.lease_id, EXECUTE)
        lease.task.candidate = lease.work

    def _judged(self, task_id: str, lease_id: str) -> _Work:
        """Joins a judging to the candidate that it is about. A person's verdict comes under no lease."""
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
        kind = enum_word(pb.FailureKind.DESCRIPTOR, event.kind)
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
    }
)


def amount_of(event: pb.UsageRecorded) -> Amount:
    """Returns what an event adds. Without a cost its price was not known."""
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
    if by_of(verdict).WhichOneof("who") == "person":
        return "person"
    failed = [result for result in verdict.results if result.outcome != pb.OUTCOME_PASS]
    return "check" if any(result.deterministic for result in failed) else "judge"


def _task_costs(task_id: str, task: _Task) -> TaskCosts:
    return TaskCosts(
        task_id=task_id,
        attempts=task.attempts,
        is_signed_off=task.artifact is not None,
        spent=_sum(task.by_model.values()),
        by_model=dict(task.by_model),
    )


def _by_model(tasks: Iterable[TaskCosts]) -> dict[tuple[int, str], Amount]:
    """In the order of phases, then of models."""
    totals: dict[tuple[int, str], Amount] = {}
    for task in tasks:
        for key, amount in task.by_model.items():
            totals[key] = totals.get(key, NOTHING) + amount
    return dict(sorted(totals.items()))


def _tokens_in(phase: int, by_model: ByModel) -> int:
    return sum(amount.tokens for (its, _), amount in by_model.items() if its == phase)


def _sum(amounts: Iterable[Amount]) -> Amount:
    return Amount._make(map(sum, zip(NOTHING, *amounts, strict=True)))
