"""The waiting graph over atomic tasks and groups, in node numbers: which node waits for which, with groups kept whole.

Every node has a gate where it begins and one where it ends:

    begin(n)  opens when everything n itself waits for has ended, and the group around it has begun
    end(t)    of an atomic task: one stage after its begin
    end(g)    of a group: when the last of its members has ended

So the tasks of a group inherit what it waits for, and waiting for a group means all of its tasks, while neither is
written out. An atomic task with tasks below it is no group: these move up to the nearest group and take along what it
waits for, except the tasks below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner_svc.graph.nesting import NONE, Nesting, nest
from planner_svc.graph.tree import Tree

if TYPE_CHECKING:
    import networkx

DataEdges = Mapping[int, Sequence[int]]  # by reader: the producers it waits for only because it reads what they make
NO_DATA: DataEdges = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """The nodes, their nesting, and what each itself waits for."""

    nesting: Nesting
    direct: Sequence[tuple[int, ...]]  #: the nodes that each node itself waits for, ascending


def build_graph(tree: Tree, dependencies: Sequence[Sequence[int]], most: int) -> tuple[Graph, Sequence[int]] | None:
    """Builds the graph of a plan. Returns it with the task of the tree that each node stands for.

    Returns None when nodes would wait for more than `most` others in all: an atomic task hands on what it waits for to
    the tasks below it, and those hand it on again.
    """
    nodes = [task for task in tree.natural if tree.tasks[task].is_atomic]
    task_count = len(nodes)
    nodes += [task for task in tree.natural if tree.atomic_below[task] and not tree.tasks[task].is_atomic]
    number = [NONE] * len(tree.tasks)
    for node, task in enumerate(nodes):
        number[task] = node
    parents = [NONE] * len(nodes)
    direct: list[tuple[int, ...]] = [()] * len(nodes)
    order = [number[task] for task in tree.preorder if number[task] != NONE]
    entries = 0
    for node in order:
        waits = {number[other] for other in dependencies[nodes[node]]}
        above = tree.parents[nodes[node]]
        parents[node] = number[above] if above != NONE else NONE
        if 0 <= parents[node] < task_count:
            waits.update(other for other in direct[parents[node]] if not tree.is_below(nodes[other], above))
            parents[node] = parents[parents[node]]
        entries += len(waits)
        if entries > most:
            return None
        direct[node] = tuple(sorted(waits))
    return Graph(nesting=nest(task_count, parents, order), direct=direct), nodes


def natural_nesting(graph: Graph, tree: Tree, nodes: Sequence[int]) -> Nesting:
    """Returns the nesting with siblings in natural order, as a map has it. It differs below atomic tasks only."""
    if tree.natural == tree.preorder:
        return graph.nesting
    number = {task: node for node, task in enumerate(nodes)}
    order = [number[task] for task in tree.natural if task in number]
    return nest(graph.nesting.task_count, graph.nesting.parents, order)


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """The time at which each gate opens, in stages: a task of stage 1 begins at 0 and ends at 1."""

    begins: Sequence[int]
    ends: Sequence[int]  #: of a task: its stage; of a group: the largest stage below it; 0: never, there is a cycle

    @property
    def acyclic(self) -> bool:
        return all(self.ends)

    @property
    def stage_count(self) -> int:
        return max(self.ends, default=0)


def compute_levels(graph: Graph, data: DataEdges = NO_DATA) -> Levels:
    """Opens gate after gate, as an execution would. Gates on a cycle, or behind one, never open."""
    gates = _Gates(graph, data)
    members, task_count = graph.nesting.members, graph.nesting.task_count
    while gates.ready:
        node = gates.ready.pop()
        if node < task_count:
            gates.end(node)
        else:
            for member in members[node]:
                gates.open(member, gates.begins[node])
    return Levels(begins=gates.begins, ends=gates.ends)


class _Gates:
    """The number of closed gates before each gate, counted down while `levels` opens them."""

    def __init__(self, graph: Graph, data: DataEdges) -> None:
        self._parents = graph.nesting.parents
        self._followers = followers(graph, data)
        self._closed = [len(direct) + (up != NONE) for direct, up in zip(graph.direct, self._parents, strict=True)]
        for reader, producers in data.items():
            self._closed[reader] += len(producers)
        self._unfinished = [len(members) for members in graph.nesting.members]
        self._latest = [0] * graph.nesting.node_count  # the largest stage among the members that have ended
        self.begins = [0] * graph.nesting.node_count
        self.ends = [0] * graph.nesting.node_count
        self.ready = [node for node, closed in enumerate(self._closed) if not closed]

    def open(self, node: int, level: int) -> None:
        """Notes that one more gate before begin(node) has opened, at a level."""
        if self.begins[node] < level:
            self.begins[node] = level
        self._closed[node] -= 1
        if not self._closed[node]:
            self.ready.append(node)

    def end(self, node: int) -> None:
        """Ends a task, and the groups whose last member it was."""
        ends = self.ends
        ends[node] = self.begins[node] + 1
        while node != NONE and not self._unfinished[node]:
            for follower in self._followers.get(node, ()):
                self.open(follower, ends[node])
            group = self._parents[node]
            if group != NONE:
                self._latest[group] = max(self._latest[group], ends[node])
                self._unfinished[group] -= 1
                if not self._unfinished[group]:
                    ends[group] = self._latest[group]
            node = group


def followers(graph: Graph, data: DataEdges = NO_DATA) -> dict[int, list[int]]:
    """Returns for each node the nodes that themselves wait for it."""
    found: dict[int, list[int]] = {}
    for node, direct in enumerate(graph.direct):
        for other in direct:
            found.setdefault(other, []).append(node)
    for reader, producers in data.items():
        for producer in producers:
            found.setdefault(producer, []).append(reader)
    return found


def waits_for(graph: Graph, most: int) -> list[tuple[int, ...]] | None:
    """Returns the nodes that each node waits for, own and inherited, ascending. Equal ones often share one tuple.

    Returns None when there would be more than `most` entries in all.
    """
    waits: list[tuple[int, ...]] = [()] * graph.nesting.node_count
    entries = 0
    for node in graph.nesting.top_down:
        up, direct = graph.nesting.parents[node], graph.direct[node]
        inherited = waits[up] if up != NONE else ()
        entries += len(inherited) + len(direct)
        if entries > most:
            return None
        waits[node] = tuple(sorted({*inherited, *direct})) if direct and inherited else direct or inherited
    return waits


def stuck_gates(graph: Graph, stuck: Levels, data: DataEdges = NO_DATA) -> networkx.DiGraph:
    """Returns the gates that never open, with an edge from each to those it waits for; begin is 2n, end is 2n+1."""
    import networkx as nx

    gates = nx.DiGraph()
    for node, end in enumerate(stuck.ends):
        if not end:
            gates.add_edges_from(_edges(node, graph, data))
    gates.remove_nodes_from([gate for gate in gates if stuck.ends[gate >> 1]])
    return gates


def _edges(node: int, graph: Graph, data: DataEdges) -> Iterator[tuple[int, int]]:
    begin, end = 2 * node, 2 * node + 1
    if graph.nesting.parents[node] != NONE:
        yield begin, 2 * graph.nesting.parents[node]
    yield from ((begin, 2 * other + 1) for other in (*graph.direct[node], *data.get(node, ())))
    if node < graph.nesting.task_count:
        yield end, begin
    yield from ((end, 2 * member + 1) for member in graph.nesting.members[node])
