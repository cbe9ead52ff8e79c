"""The drawn graph: nodes for classes of equal tasks, boxes around groups, edges between both, each with its place.

Three orders are tried: the natural one, that of a sweep forward, and that of another one backward. The first with the
fewest crossings stays, so that no picture is worse than one in natural order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from planner_svc.graph.nesting import Nesting
from planner_svc.layout.crossings import crossings
from planner_svc.layout.outline import Outline, outlined
from planner_svc.layout.places import Places, placed
from planner_svc.layout.reduction import TargetSourceData
from planner_svc.layout.sweeps import Sweeps

Members = Sequence[Sequence[int]]  # of each group, in the order in which they are drawn


class DrawnNode(NamedTuple):
    """A class of equal tasks. Its column is their stage."""

    task: int  #: the first of them
    size: int  #: how many they are
    row: int


class DrawnEdge(NamedTuple):
    """An edge between nodes, each named by its first task, and boxes, each named by its group."""

    source: int
    target: int
    data: bool  #: all edges that it stands for were inferred from artifacts
    long: bool  #: it passes over at least one stage


class DrawnBox(NamedTuple):
    """The frame around everything in a group, inclusive."""

    group: int
    first_column: int
    last_column: int
    first_row: int
    last_row: int
    first_task_row: int  #: when each task is drawn by itself
    last_task_row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """The drawn graph of a map."""

    nodes: Sequence[DrawnNode]  #: by their first tasks
    node_of: Sequence[int]  #: of each task: the index of its node
    task_rows: Sequence[int]  #: of each task: its row when each task is drawn by itself
    edges: Sequence[DrawnEdge]
    boxes: Sequence[DrawnBox]


def draw(nesting: Nesting, stages: Sequence[int], edges: Sequence[TargetSourceData]) -> Drawn:
    """Draws a map. `edges`: transitively reduced, by target, then source."""
    outline = outlined(nesting, stages, [(source, target) for target, source, _ in edges])
    members, places = _best(outline)
    by_task = places if _all_single(outline) else placed(outline, members, outline.counts)
    nodes = [
        DrawnNode(task, count, places.rows[task])
        for task, count in enumerate(outline.counts[: nesting.task_count])
        if count
    ]
    return Drawn(
        nodes=nodes,
        node_of=_indexes(outline, nodes),
        task_rows=_task_rows(outline, by_task),
        edges=list(_drawn_edges(outline, edges)),
        boxes=list(_boxes(outline, places, by_task)),
    )


def _best(outline: Outline) -> tuple[Members, Places]:
    """Returns the order with the fewest crossings, the first of equals."""
    heights = [1] * outline.node_count
    best: Members = outline.members
    places = placed(outline, best, heights)
    fewest = crossings(outline, places)
    for members in _orders(outline) if fewest else ():
        other = placed(outline, members, heights)
        count = crossings(outline, other)
        if count < fewest:
            best, places, fewest = members, other, count
    return best, places


def _orders(outline: Outline) -> Iterator[Members]:
    sweeps = Sweeps(outline)
    yield sweeps.forward()
    yield sweeps.backward()


def _all_single(outline: Outline) -> bool:
    return max(outline.counts) == 1


def _indexes(outline: Outline, nodes: Sequence[DrawnNode]) -> list[int]:
    """Returns for each task the index of its node."""
    index = {node.task: number for number, node in enumerate(nodes)}
    return [index[task] for task in outline.shown_as[: outline.task_count]]


def _task_rows(outline: Outline, places: Places) -> list[int]:
    """Returns the row of each task. Those of a class have rows one after another, in natural order."""
    free = list(places.rows)
    rows = []
    for task in outline.shown_as[: outline.task_count]:
        rows.append(free[task])
        free[task] += 1
    return rows


def _drawn_edges(outline: Outline, edges: Sequence[TargetSourceData]) -> Iterator[DrawnEdge]:
    shown_as = outline.shown_as
    inferred = any(data for _, _, data in edges)
    declared = {(shown_as[source], shown_as[target]) for target, source, data in edges if not data} if inferred else ()
    for source, target in outline.edges:
        long = outline.first[target] - outline.last[source] > 1
        yield DrawnEdge(source, target, inferred and (source, target) not in declared, long)


def _boxes(outline: Outline, places: Places, by_task: Places) -> Iterator[DrawnBox]:
    for group in range(outline.task_count, outline.node_count):
        first, height = places.rows[group], places.heights[group]
        task_row, task_height = by_task.rows[group], by_task.heights[group]
        yield DrawnBox(
            group=group,
            first_column=outline.first[group],
            last_column=outline.last[group],
            first_row=first,
            last_row=first + height - 1,
            first_task_row=task_row,
            last_task_row=task_row + task_height - 1,
        )
