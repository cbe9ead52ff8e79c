"""Budgets: the most that an execution, a group or a task may spend, and what is spent. A part of the journal's fold.

Only executions that have a budget have a ledger: all others pay nothing for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from runner_svc.core.model.map import Map
from runner_svc.core.model.usage import NOTHING, Usage
from runner_svc.core.model.values import WHOLE, Budget
from runner_svc.core.spending.expectations import AttemptSize, Key, cost_per_question, largest


@dataclass(slots=True, kw_only=True)
class Ledger:
    """The budgets of one execution, by node; WHOLE is the execution itself."""

    map: Map = field(compare=False)
    limits: dict[int, Budget]
    spent: dict[int, Usage] = field(default_factory=dict)
    largest: dict[Key, Usage] = field(default_factory=dict)  #: the most that an attempt has taken per question

    def scopes(self, task: int) -> Iterator[int]:
        """Yields the nodes whose budgets a task's costs count against."""
        if WHOLE in self.limits:
            yield WHOLE
        yield from (node for node in self.map.with_groups(task) if node in self.limits)

    def spend(self, task: int, usage: Usage) -> None:
        """Adds a change of a task's cost."""
        for node in self.scopes(task):
            self.spent[node] = self.spent.get(node, NOTHING) + usage

    def learn(self, size: AttemptSize, usage: Usage) -> None:
        """Learns from the cost of an attempt that has ended, or that its provider has counted.

        A cost booked ahead of an answer must not be learned: it is more than attempts take.
        """
        lesson = cost_per_question(size, usage)
        if lesson is not None:
            self.largest[size.kind.key] = largest(self.largest.get(size.kind.key), lesson)

    @property
    def bounds_cost(self) -> bool:
        return any(limit.cost_nanos is not None for limit in self.limits.values())


def ledger_of(plan: Map, whole: Budget | None) -> Ledger | None:
    """Returns the ledger of a new execution: the plan's budgets, and the one that its settings give to the whole."""
    limits = dict(plan.budgets)
    if whole is not None:
        limits[WHOLE] = whole
    return Ledger(map=plan, limits=limits) if limits else None


def spent_by(plan: Map, node: int, usage_of: Mapping[int, Usage]) -> Usage:
    """Returns the cost of all tasks of a node."""
    tasks = usage_of if node == WHOLE else plan.tasks_below(node)
    return sum((usage_of.get(task, NOTHING) for task in tasks), start=NOTHING)
