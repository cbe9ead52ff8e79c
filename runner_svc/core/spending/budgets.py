"""Budgets: what an execution, a group or a task may spend, and what is spent of it. A part of the fold of its journal.

A ledger exists only for executions that have a budget: all others pay nothing for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from runner_svc.core.model.map import Map
from runner_svc.core.model.usage import NOTHING, Usage
from runner_svc.core.model.values import WHOLE, Budget
from runner_svc.core.spending.expectations import AttemptSize, Key, largest, taken


@dataclass(slots=True, kw_only=True)
class Ledger:
    """The budgets of one execution, by node; WHOLE is the execution itself."""

    map: Map = field(compare=False)
    limits: dict[int, Budget]
    spent: dict[int, Usage] = field(default_factory=dict)
    largest: dict[Key, Usage] = field(default_factory=dict)  #: what attempts have taken at most (expecting.taken)

    def scopes(self, task: int) -> Iterator[int]:
        """Yields the nodes with a budget that a task's costs count against."""
        if WHOLE in self.limits:
            yield WHOLE
        yield from (node for node in self.map.with_groups(task) if node in self.limits)

    def spend(self, task: int, usage: Usage) -> None:
        """Takes in a change of what a task has cost."""
        for node in self.scopes(task):
            self.spent[node] = self.spent.get(node, NOTHING) + usage

    def learn(self, size: AttemptSize, usage: Usage) -> None:
        """Takes in what an attempt has cost: one that has ended, or that its provider has counted.

        Not what is booked ahead of an answer that still comes: that is more than attempts take.
        """
        lesson = taken(size, usage)
        if lesson is not None:
            self.largest[size.kind.key] = largest(self.largest.get(size.kind.key), lesson)

    @property
    def bounds_cost(self) -> bool:
        return any(limit.cost_nanos is not None for limit in self.limits.values())


def ledger_of(plan: Map, whole: Budget | None) -> Ledger | None:
    """Returns what an execution begins with: the plan's budgets, and the one its settings give to the whole."""
    limits = dict(plan.budgets)
    if whole is not None:
        limits[WHOLE] = whole
    return Ledger(map=plan, limits=limits) if limits else None


def spent_by(plan: Map, node: int, usage_of: Mapping[int, Usage]) -> Usage:
    """Returns what the tasks of a node have cost together."""
    tasks = usage_of if node == WHOLE else plan.tasks_below(node)
    return sum((usage_of.get(task, NOTHING) for task in tasks), start=NOTHING)
