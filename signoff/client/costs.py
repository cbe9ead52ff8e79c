"""Costs of an execution, added up from its journal: by model, by the fate of the work, and by task.

    costs = costs_of(events)                      # or: await client.costs(by_plan("trends"))
    costs.spent.tokens                            # all of it, estimates too
    costs.by_fate[Fate(WorkFate.FAILED, "transient")]  # how often, and what it took
    costs.per_sign_off                            # of one task that is signed off
    costs.left                                    # an estimate for the tasks that are left

Usage that is reported under a lease has the fate of that lease's work. A candidate and the judging that decided on it
share one fate. Each amount has exactly one fate, model and task, so the sums over each of them are the same. No clock,
no sockets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from operator import add
from statistics import median
from typing import NamedTuple

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
        """All tokens, estimated ones too."""
        return self.input_tokens + self.output_tokens + self.estimated_tokens

    @property
    def estimated_tokens(self) -> int:
        return self.estimated_input_tokens + self.estimated_output_tokens

    @property
    def cost(self) -> int:
        """The whole cost in billionths, estimates too."""
        return self.cost_nanos + self.estimated_cost_nanos


NOTHING = Amount()

ByModel = Mapping[tuple[int, str], Amount]  # by phase and model


class WorkFate(StrEnum):
    """The ways in which work can end."""

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
    """How some work ended, with the kind of its rejection or failure."""

    what: WorkFate
    kind: str = ""  #: of a rejection or a failure, as WorkFate lists them


@dataclass(frozen=True, slots=True, kw_only=True)
class FateCosts:
    """The costs of all work with one fate."""

    times: int  #: how often it happened: candidates, or leases that brought none
    spent: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCosts:
    """The costs of a task so far, in all its attempts."""

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
    """The costs of signing a task off."""

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
    """The costs of an execution up to some event of its journal."""

    task_count: int  #: of the plan
    currency: str
    by_model: ByModel
    by_fate: Mapping[Fate, FateCosts]
    tasks: Mapping[str, TaskCosts]  #: those that were ever assigned, in the order of their first event

    @cached_property
    def spent(self) -> Amount:
        return sum_of(self.by_model.values())

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


def _tokens_in(phase: int, by_model: ByModel) -> int:
    return sum(amount.tokens for (its, _), amount in by_model.items() if its == phase)


def sum_of(amounts: Iterable[Amount]) -> Amount:
    return Amount._make(map(sum, zip(NOTHING, *amounts, strict=True)))
