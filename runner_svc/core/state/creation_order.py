"""The executions in the order of their creation: all of them, and those of each plan."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Iterator, Mapping, Set
from itertools import count

from runner_svc.core.model.values import ExecutionId


class CreationOrder:
    """Keeps the order by numbers that grow, because an execution may move to the plan that its journal names."""

    def __init__(self) -> None:
        self.newest: dict[str, ExecutionId] = {}  #: the last execution of each plan
        self.of_plan: dict[str, list[ExecutionId]] = {}  #: all executions of each plan, in order
        self._ranks: dict[ExecutionId, int] = {}  # of all executions, in order
        self._numbers = count()

    def __iter__(self) -> Iterator[ExecutionId]:
        return iter(self._ranks)

    def __reversed__(self) -> Iterator[ExecutionId]:
        return reversed(self._ranks)

    def rank(self, execution: ExecutionId) -> int:
        """Returns a number that is larger for every execution that was created later."""
        return self._ranks[execution]

    def add(self, execution: ExecutionId, plan_id: str) -> None:
        """Takes in an execution as the newest one."""
        self._ranks[execution] = next(self._numbers)
        self.newest[plan_id] = execution
        self.of_plan.setdefault(plan_id, []).append(execution)

    def move(self, execution: ExecutionId, old_plan: str, new_plan: str) -> None:
        """Puts an execution under another plan, in its place among those of that plan."""
        self.of_plan[old_plan].remove(execution)
        insort(self.of_plan.setdefault(new_plan, []), execution, key=self.rank)
        self._find_newest()

    def sort(self, numbers: Mapping[ExecutionId, int]) -> None:
        """Puts all executions in the order of these numbers; those without one are the newest."""
        known = sorted(self._ranks, key=lambda execution: numbers.get(execution, math.inf))
        self._ranks = {execution: next(self._numbers) for execution in known}
        for names in self.of_plan.values():
            names.sort(key=self.rank)
        self._find_newest()

    def remove(self, gone: Set[ExecutionId]) -> None:
        """Forgets executions."""
        self._ranks = {execution: rank for execution, rank in self._ranks.items() if execution not in gone}
        self.of_plan = {
            plan_id: [execution for execution in names if execution not in gone]
            for plan_id, names in self.of_plan.items()
        }
        self._find_newest()

    def _find_newest(self) -> None:
        self.of_plan = {plan_id: names for plan_id, names in self.of_plan.items() if names}
        self.newest = {plan_id: names[-1] for plan_id, names in self.of_plan.items()}
