"""The edges of a map without those that follow from others, counting also that tasks are inside groups.

A group that waits makes its members wait, and a task that waits for a group waits for its members. An edge that follows
from such steps and other edges says nothing new. On the gates of graph.py this is transitive reduction in which the
steps between a group and its members stay, and only edges may go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner_svc.execution_map import ExecutionMap
from planner_svc.graph.nesting import NONE, Nesting, search_budget

TargetSourceData = tuple[int, int, bool]


def reduced_edges(
    execution_map: ExecutionMap, nesting: Nesting, direct: Sequence[Sequence[int]]
) -> list[TargetSourceData]:
    """Returns the edges that remain, by target, then source."""
    search = _Search(execution_map, nesting, direct)
    return [edge for target in range(nesting.node_count) for edge in search.needed(target)]


class _Search:
    """Walks upstream over gates (begin is 2n, end is 2n+1), within one budget of steps for the whole map."""

    def __init__(self, execution_map: ExecutionMap, nesting: Nesting, direct: Sequence[Sequence[int]]) -> None:
        self._map, self._nesting, self._direct = execution_map, nesting, direct
        self._ends = _end_levels(execution_map.stages, nesting)
        self._begins = self._begin_levels()
        self._budget = search_budget(nesting)  # edges that were not searched by then are kept

    def needed(self, target: int) -> Iterator[TargetSourceData]:
        """Yields the edges into a node that do not follow from others."""
        sources = self._sources(target)
        implied = self._implied(target, sources) if sources and self._budget > 0 else set()
        declared = set(self._direct[target])
        for source in sorted({*sources} - implied):
            yield target, source, source not in declared

    def _data(self, node: int) -> Sequence[int]:
        return self._map.data_dependencies[node] if node < self._nesting.task_count else ()

    def _sources(self, node: int) -> tuple[int, ...]:
        return (*self._direct[node], *self._data(node))

    def _implied(self, target: int, sources: Sequence[int]) -> set[int]:
        """Returns the sources that lie upstream of another gate directly before begin(target)."""
        group = self._nesting.parents[target]
        least = min(self._ends[source] for source in sources)
        around = [] if group == NONE else [2 * group]
        before = [*around, *(2 * source + 1 for source in sources)] if len(sources) > 1 else around
        pending = [gate for direct in before for gate in self._upstream(direct, least)]
        seen, wanted = set(pending), {2 * source + 1 for source in sources}
        while pending and self._budget > 0:
            for gate in self._upstream(pending.pop(), least):
                if gate not in seen:
                    seen.add(gate)
                    pending.append(gate)
        return {gate >> 1 for gate in wanted & seen}

    def _upstream(self, gate: int, least: int) -> Iterator[int]:
        """Yields the gates directly before one, except those before stage `least`."""
        node, is_end = gate >> 1, gate & 1
        near = self._nesting.members[node] if is_end else self._sources(node)
        self._budget -= 1 + len(near)
        if not is_end:
            group = self._nesting.parents[node]
            if group != NONE and self._begins[group] >= least:
                yield 2 * group
            yield from (2 * source + 1 for source in near if self._ends[source] >= least)
        elif node < self._nesting.task_count:
            if self._begins[node] >= least:
                yield 2 * node
        else:
            yield from (2 * member + 1 for member in near if self._ends[member] >= least)

    def _begin_levels(self) -> list[int]:
        """Returns for each node the largest stage among the nodes before its begin."""
        begins = [0] * self._nesting.node_count
        for node in self._nesting.top_down:
            group = self._nesting.parents[node]
            inherited = begins[group] if group != NONE else 0
            begins[node] = max([inherited, *(self._ends[source] for source in self._sources(node))])
        return begins


def _end_levels(stages: Sequence[int], nesting: Nesting) -> list[int]:
    """Returns for a task its stage, for a group the largest stage below it."""
    ends = [*stages, *[0] * (nesting.node_count - nesting.task_count)]
    for node in reversed(nesting.top_down):
        group = nesting.parents[node]
        if group != NONE:
            ends[group] = max(ends[group], ends[node])
    return ends
