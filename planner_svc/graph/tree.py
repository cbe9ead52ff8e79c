"""The decomposition of a plan: which task lies below which, as flat arrays over its tasks.

A task is named by its index among the tasks with usable ids; -1 means none. Nothing recurses, so depth is no limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner_svc.graph.nesting import NONE
from planner_svc.ids import natural_key
from planner_svc.model import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The tasks of a plan and their places in its tree."""

    tasks: Sequence[Task]
    index: dict[str, int]  #: of each id
    parents: Sequence[int]
    natural: Sequence[int]  #: all tasks in natural order
    preorder: Sequence[int]  #: all tasks, parents before children, siblings in natural order
    enter: Sequence[int]  #: place in preorder; the tasks below come right after
    leave: Sequence[int]  #: one past the place of the last task below
    atomic_below: Sequence[int]  #: how many atomic tasks lie below, itself not counted
    has_atomic: bool  #: without one there is nothing to run, and no other diagnostic about running is useful

    def is_below(self, task: int, above: int) -> bool:
        return self.enter[above] < self.enter[task] < self.leave[above]

    def related(self, one: int, other: int) -> bool:
        """Tells whether one of them is an ancestor of the other."""
        return self.is_below(one, other) or self.is_below(other, one)


def build_tree(tasks: Sequence[Task], index: dict[str, int], parents: Sequence[int]) -> Tree:
    """Builds the tree from the parents, which must be free of cycles."""
    natural = sorted(range(len(tasks)), key=lambda task: natural_key(tasks[task].task_id))
    preorder = _preorder(natural, parents)
    enter = [0] * len(tasks)
    for place, task in enumerate(preorder):
        enter[task] = place
    size, atomic = [1] * len(tasks), [0] * len(tasks)
    for task in reversed(preorder):
        parent = parents[task]
        if parent != NONE:
            size[parent] += size[task]
            atomic[parent] += atomic[task] + tasks[task].is_atomic
    leave = [place + count for place, count in zip(enter, size, strict=True)]
    return Tree(
        tasks=tasks,
        index=index,
        parents=parents,
        natural=natural,
        preorder=preorder,
        enter=enter,
        leave=leave,
        atomic_below=atomic,
        has_atomic=any(task.is_atomic for task in tasks),
    )


def _preorder(natural: Sequence[int], parents: Sequence[int]) -> list[int]:
    children: dict[int, list[int]] = {}
    for task in reversed(natural):
        children.setdefault(parents[task], []).append(task)
    pending, order = children.pop(NONE, []), []
    while pending:
        task = pending.pop()
        order.append(task)
        pending.extend(children.pop(task, ()))
    return order
