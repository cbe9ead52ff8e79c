"""The overview of an execution: all that is known of it without its tasks.

An execution that has ended is archived once nothing is left to do for it: only its overview stays in memory. A question
about the rest raises NotInMemory; the engine then brings it in from the store and asks again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from runner_svc.core.model.inputs import GivenInput
from runner_svc.core.model.states import ExecutionState
from runner_svc.core.model.tallies import Tallies
from runner_svc.core.model.usage import Usage
from runner_svc.core.model.values import AcceptedRequest, Away, Budget, ExecutionId, LeaseId, Phase, Settings
from runner_svc.core.spending.commitments import NOTHING_KEPT, Reservation
from runner_svc.core.spending.expectations import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """A budget, and how much of it is spent."""

    node: int  #: WHOLE: the execution
    name: str  #: of the task or the group; empty for the execution
    budget: Budget
    spent: Usage
    #: kept back for attempts under way; a restart finds it anew
    kept: Reservation = field(default=NOTHING_KEPT, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """An execution as lists show it."""

    id: ExecutionId
    plan_id: str
    map_digest: str
    idea: str
    settings: Settings
    state: ExecutionState
    reason: str
    sequence: int
    created_at: float
    started_at: float | None
    ended_at: float | None
    active_since: float | None  #: its start or last resume
    outages: tuple[Away, ...]  #: models its tasks could not ask and that have not answered since
    counts: tuple[
        int, ...
    ]  #: of tasks, by TaskStatus; the first of those that are not asked for, which are in no other
    awaiting_person: int  #: tasks that wait for a person's verdict
    usage: tuple[tuple[Phase, str, Usage], ...]  #: its costs, by phase and model
    currency: str  #: that costs are counted in
    budgets: tuple[Spending, ...]
    largest: tuple[tuple[Key, Usage], ...]  #: the most that an attempt has taken, where there is a budget
    candidates: int  #: made so far, by tasks that have canaries
    canaries_given: int
    canaries: Tallies  #: how they were judged, by pool
    requests: tuple[AcceptedRequest, ...]  #: commands about it that have a request id, in order
    pruned_at: float | None = None  #: when it was pruned to its artifacts; it has no journal since
    inputs: tuple[GivenInput, ...] = ()  #: of the plan, as it was given them
    inputs_digest: str = ""  #: of all of them; empty: there are none


class NotInMemory(Exception):
    """The execution or map that was asked for is only in the store. Bring it in, and ask again."""


class ExecutionArchived(NotInMemory):
    def __init__(self, execution: ExecutionId) -> None:
        super().__init__(f"execution {execution} is archived")
        self.execution = execution


class LeaseUnknown(NotInMemory):
    """An archived execution may have given a lease. Only if it has, it is needed for what comes under the lease."""

    def __init__(self, execution: ExecutionId, task: int, lease: LeaseId) -> None:
        super().__init__(f"lease {lease} is of an execution that is archived")
        self.execution, self.task, self.lease = execution, task, lease


class EarlierUnknown(NotInMemory):
    """The results of a plan's executions, of those before one of them, are not collected yet."""

    def __init__(self, plan_id: str, before: ExecutionId | None = None, *, with_parts: bool = False) -> None:
        """`before`: None for a new execution, which comes after all. `with_parts`: to say what has changed since."""
        super().__init__(f"earlier results of {plan_id} are not collected")
        self.plan_id, self.before, self.with_parts = plan_id, before, with_parts


class MapUnloaded(NotInMemory):
    def __init__(self, key: str) -> None:
        super().__init__(f"map {key} is not loaded")
        self.key = key
