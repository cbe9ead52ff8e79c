"""The execution map, which a plan compiles to, and a view of its dependencies with every group written out."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from planner_svc.graph.nesting import Nesting
from planner_svc.ids import natural_key
from planner_svc.model import Budget, OnFailure, PlanInput, Task


class Group(NamedTuple):
    """A task that is not atomic and has atomic tasks below it. It opens when the last of them is done."""

    task_id: str
    description: str
    budget: Budget | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionMap:
    """Atomic tasks and groups in natural order. Node numbers are those of plan.proto: tasks first, then groups."""

    plan_id: str
    idea: str
    digest: str  #: SHA-256 in hex over the content (not the plan id): equal digests mean equal work
    inferred: bool  #: whether missing producers were added as data dependencies
    stage_count: int
    tasks: Sequence[Task]
    groups: Sequence[Group]
    nesting: Nesting  #: which nodes lie below which group, siblings in natural order
    stages: Sequence[int]  #: of every task, 1-based
    waits_for: Sequence[Sequence[int]]  #: of every task: tasks and groups, own and inherited, ascending
    data_dependencies: Sequence[Sequence[int]]  #: of every task: tasks it waits for only because it reads from them
    on_failure: OnFailure | None = None  #: as in the plan
    inputs: Sequence[PlanInput] = ()  #: as in the plan

    @property
    def parents(self) -> Sequence[int]:
        """Returns for every node the group directly above it, or -1."""
        return self.nesting.parents

    def names(self) -> list[str]:
        """Returns the ids of all nodes, in the order of their numbers."""
        return [*(task.task_id for task in self.tasks), *(group.task_id for group in self.groups)]

    def name(self, node: int) -> str:
        count = len(self.tasks)
        return self.tasks[node].task_id if node < count else self.groups[node - count].task_id


def natural_nodes(tasks: Sequence[Task], groups: Sequence[Group]) -> Iterable[int]:
    """Returns all nodes in natural order, merged from tasks and groups, each of which is already sorted."""
    count = len(tasks)
    names = [*(task.task_id for task in tasks), *(group.task_id for group in groups)]
    return heapq.merge(range(count), range(count, len(names)), key=lambda node: natural_key(names[node]))


class FlatDependencies:
    """The dependencies with every group written out as its tasks: a view, because all together may be millions."""

    def __init__(self, execution_map: ExecutionMap) -> None:
        self._waits_for = execution_map.waits_for
        self._nesting = execution_map.nesting

    def dependencies(self, task: int) -> list[int]:
        """Returns every atomic task that a task waits for, ascending, which is natural order."""
        leaves = self._nesting.leaves
        return sorted(leaf for first, last in self._nesting.runs(self._waits_for[task]) for leaf in leaves[first:last])

    def count_pairs(self) -> int:
        """Counts the dependencies of all tasks together without writing them out."""
        counts: dict[int, int] = {}  # by identity: tasks that wait for the same share one tuple
        for waits in self._waits_for:
            if id(waits) not in counts:
                counts[id(waits)] = sum(last - first for first, last in self._nesting.runs(waits))
        return sum(counts[id(waits)] for waits in self._waits_for)
