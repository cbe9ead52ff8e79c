"""The layout of a map on a screen: the grid (columns are stages), tasks without edges, the tree view, the drawn graph.

A layout has node numbers; wire/layouts.py turns them into ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from planner_svc.execution_map import ExecutionMap
from planner_svc.graph.nesting import NONE, Nesting
from planner_svc.layout.drawn import Drawn, draw
from planner_svc.layout.reduction import reduced_edges


class Edge(NamedTuple):
    """`target` waits for `source`; either may be a group."""

    source: int
    target: int
    data: bool  #: it was inferred from artifacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The places of all nodes of a map, and the edges to draw."""

    rows: Sequence[int]  #: of each task: its row in the column of its stage, or -1 when it has no edge at all
    top_down: Sequence[int]  #: all nodes, groups before their members, siblings in natural order
    first_stages: Sequence[int]  #: of each node: the first stage of the tasks below it
    edges: Sequence[Edge]  #: transitively reduced, by target, then source
    drawn: Drawn | None  #: None in what version 0.1.0 has stored

    @property
    def isolated(self) -> list[int]:
        """Returns the tasks without edges: they wait for no task, and no task waits for them."""
        return [task for task, row in enumerate(self.rows) if row == NONE]


def lay_out(execution_map: ExecutionMap, direct: Sequence[Sequence[int]]) -> Layout:
    """Lays a map out. `direct`: the nodes that each node itself waits for: edges are drawn as declared."""
    nesting = execution_map.nesting
    edges = reduced_edges(execution_map, nesting, direct)
    return Layout(
        rows=_rows(execution_map, nesting, _tasks_with_edges(execution_map, nesting)),
        top_down=nesting.top_down,
        first_stages=_first_stages(execution_map.stages, nesting),
        edges=[Edge(source, target, data) for target, source, data in edges],
        drawn=draw(nesting, execution_map.stages, edges),
    )


def _first_stages(stages: Sequence[int], nesting: Nesting) -> list[int]:
    first = [*stages, *[0] * (nesting.node_count - nesting.task_count)]
    for node in reversed(nesting.top_down):
        group = nesting.parents[node]
        if group != NONE:
            first[group] = min(first[group] or first[node], first[node])
    return first


def _tasks_with_edges(execution_map: ExecutionMap, nesting: Nesting) -> list[bool]:
    """Tells for each task whether it waits for a node, or a node waits for it or a group around it."""
    waited_for = [False] * nesting.node_count
    for waits in execution_map.waits_for:
        for node in waits:
            waited_for[node] = True
    for producers in execution_map.data_dependencies:
        for node in producers:
            waited_for[node] = True
    for node in nesting.top_down:
        group = nesting.parents[node]
        waited_for[node] = waited_for[node] or (group != NONE and waited_for[group])
    both = zip(waited_for, execution_map.waits_for, execution_map.data_dependencies, strict=False)
    return [followed or bool(waits) or bool(data) for followed, waits, data in both]


def _rows(execution_map: ExecutionMap, nesting: Nesting, in_grid: Sequence[bool]) -> list[int]:
    """Puts each task in the row of the producer it follows, or the next one that is free in its column."""
    rows = [NONE] * len(execution_map.tasks)
    latest = _latest_tasks(execution_map.stages, nesting)
    columns: list[list[int]] = [[] for _ in range(execution_map.stage_count + 1)]
    for task, stage in enumerate(execution_map.stages):
        if in_grid[task]:
            columns[stage].append(task)
    for column in columns:
        wanted = [(_row_beside(task, execution_map, latest, rows), task) for task in column]
        free = 0
        for row, task in sorted(wanted):
            rows[task] = max(row, free)
            free = rows[task] + 1
    return rows


def _row_beside(task: int, execution_map: ExecutionMap, latest: Sequence[int], rows: Sequence[int]) -> int:
    """Returns the row of the producer with the largest stage, the first of equals; the top row when there is none."""
    followed = [latest[node] for node in execution_map.waits_for[task]]
    followed += execution_map.data_dependencies[task]
    if not followed:
        return 0
    return rows[min(followed, key=lambda producer: (-execution_map.stages[producer], producer))]


def _latest_tasks(stages: Sequence[int], nesting: Nesting) -> list[int]:
    """Returns for each node the task below it with the largest stage, the first of equals; for a task itself."""
    latest = [*range(nesting.task_count), *[NONE] * (nesting.node_count - nesting.task_count)]
    for node in reversed(nesting.top_down):
        group, task = nesting.parents[node], latest[node]
        if group != NONE and (latest[group] == NONE or (-stages[task], task) < (-stages[latest[group]], latest[group])):
            latest[group] = task
    return latest
