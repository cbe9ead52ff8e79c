"""The cycles of a plan: one path for each knot of tasks that wait for each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from planner_svc.diagnostics import Diagnostics, shortened
from planner_svc.graph.graph import Graph, Levels, stuck_gates

if TYPE_CHECKING:
    import networkx


def report_cycles(graph: Graph, stuck: Levels, names: Sequence[str], diagnostics: Diagnostics) -> None:
    """cycle: reports a short closed path of each knot (strongly connected component), with the reason for each step."""
    import networkx as nx

    gates = stuck_gates(graph, stuck)
    knots = [knot for knot in nx.strongly_connected_components(gates) if len(knot) > 1]
    for knot in sorted(knots, key=min):
        path = _names_only(_closed_walk(gates.subgraph(knot), min(knot)))
        steps = [f"{names[node]} {reason}" for node, reason in _steps(path, graph, names)]
        closed = [names[node] for node in (*path, path[0])]
        message = f"{' -> '.join(shortened(closed))}: {'; '.join(shortened(steps))}"
        diagnostics.add("cycle", message, task_ids=[names[node] for node in path], path="tasks")


def _closed_walk(knot: networkx.DiGraph, gate: int) -> list[int]:
    """Finds a shortest way from a gate back to itself; the first gate is not repeated at the end."""
    import networkx as nx

    came_from: dict[int, int] = {}
    for before, after in nx.bfs_edges(knot, gate):
        came_from[after] = before
        if knot.has_edge(after, gate):
            break
    walk = [next(reversed(came_from))]
    while walk[-1] != gate:
        walk.append(came_from[walk[-1]])
    return walk[::-1]


def _names_only(walk: Sequence[int]) -> list[int]:
    """Returns the nodes of a walk over gates: each atomic task on it, and each group that is waited for as a whole.

    A group through which the walk only passes on its way to a member is left out: it explains a step.
    """
    path: list[int] = []
    for place, gate in enumerate(walk):
        before = walk[place - 1]
        waited_for = gate % 2 == 1 and before % 2 == 0
        atomic = gate % 2 == 0 and before == gate + 1
        if (waited_for or atomic) and path[-1:] != [gate >> 1]:
            path.append(gate >> 1)
    return path[:-1] if len(path) > 1 and path[0] == path[-1] else path


def _steps(path: Sequence[int], graph: Graph, names: Sequence[str]) -> Iterator[tuple[int, str]]:
    for place, node in enumerate(path):
        after = path[(place + 1) % len(path)]
        if node >= graph.nesting.task_count and graph.nesting.contains(node, after):
            yield node, f"is finished when {names[after]} is"
            continue
        holder = node
        while after not in graph.direct[holder]:
            holder = graph.nesting.parents[holder]
        yield node, f"waits for {names[after]}" + (f", as all of {names[holder]} does" if holder != node else "")
