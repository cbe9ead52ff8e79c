"""The outline of the drawn graph: classes of equal tasks and groups, with columns and edges, before they have rows.

A class is named by its first task. All lists are by node number, and have one more entry at their end: that of the
whole picture, which is found under the number NONE of the parent of what is at the top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner_svc.graph.nesting import NONE, Nesting


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """The classes and groups to draw; a node here is either."""

    node_count: int  #: of the map
    task_count: int
    parents: Sequence[int]
    shown_as: Sequence[int]  #: of each task: the first task of its class; a group stands for itself
    top_down: Sequence[int]  #: the nodes, groups before their members, siblings in natural order
    members: Sequence[Sequence[int]]  #: of each group: the nodes directly inside, in natural order
    counts: Sequence[int]  #: tasks of each class
    first: Sequence[int]  #: the column at which each node begins: a stage
    last: Sequence[int]
    edges: Sequence[tuple[int, int]]  #: source and target, by target, then source


def outlined(nesting: Nesting, stages: Sequence[int], edges: Sequence[tuple[int, int]]) -> Outline:
    """Builds the outline of a map. `edges`: transitively reduced, by target, then source."""
    shown_as = [*_classes(nesting, edges), *range(nesting.task_count, nesting.node_count)]
    top_down = [node for node in nesting.top_down if shown_as[node] == node]
    members: list[list[int]] = [[] for _ in range(nesting.node_count + 1)]
    for node in top_down:
        members[nesting.parents[node]].append(node)
    counts = [0] * nesting.node_count
    for task in range(nesting.task_count):
        counts[shown_as[task]] += 1
    first, last = _columns(nesting, stages, top_down)
    return Outline(
        node_count=nesting.node_count,
        task_count=nesting.task_count,
        parents=nesting.parents,
        shown_as=shown_as,
        top_down=top_down,
        members=members,
        counts=counts,
        first=first,
        last=last,
        edges=[edge for edge in edges if shown_as[edge[0]] == edge[0] and shown_as[edge[1]] == edge[1]],
    )


def _classes(nesting: Nesting, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Returns for each task the first one in the same group that has the same edges.

    So the edges of a first task are those of its class: each leads to the same groups and whole classes.
    """
    sources: dict[int, list[int]] = {}
    targets: dict[int, list[int]] = {}
    for source, target in edges:
        sources.setdefault(target, []).append(source)
        targets.setdefault(source, []).append(target)
    before = {task: tuple(nodes) for task, nodes in sources.items() if task < nesting.task_count}
    after = {task: tuple(nodes) for task, nodes in targets.items() if task < nesting.task_count}
    first: dict[tuple[int, tuple[int, ...], tuple[int, ...]], int] = {}
    return [
        first.setdefault((nesting.parents[task], before.get(task, ()), after.get(task, ())), task)
        for task in range(nesting.task_count)
    ]


def _columns(nesting: Nesting, stages: Sequence[int], top_down: Sequence[int]) -> tuple[list[int], list[int]]:
    """Returns the first and the last stage of each node."""
    nothing = [0] * (nesting.node_count - nesting.task_count + 1)
    first, last = [*stages, *nothing], [*stages, *nothing]
    for node in reversed(top_down):
        group = nesting.parents[node]
        first[group] = min(first[group] or first[node], first[node])
        last[group] = max(last[group], last[node])
    return first, last


def top_of(order: Sequence[int], task_count: int) -> list[int]:
    """Returns the groups of a picture from the inside out, and the picture itself at the end."""
    return [*(node for node in reversed(order) if node >= task_count), NONE]
