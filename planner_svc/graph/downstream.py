"""The search downstream from a task: which tasks begin after it has ended, by way of tasks and groups.

One search serves all readers of a producer. It stops when they are found, and never goes beyond the stage of the last
one. A budget for the whole plan keeps the cost linear. A reader that was not found by then counts as not reached, which
only costs an edge too many.
"""

from __future__ import annotations

from collections.abc import Iterator

from planner_svc.graph.graph import Graph, Levels, followers
from planner_svc.graph.nesting import NONE, search_budget


class Downstream:
    """Walks over the gates of graph.py, where begin(n) is 2n and end(n) is 2n+1."""

    def __init__(self, graph: Graph, levels: Levels) -> None:
        self._nesting, self._levels = graph.nesting, levels
        self._followers = followers(graph)
        self._budget = search_budget(graph.nesting)

    def unreached(self, producer: int, readers: set[int]) -> set[int]:
        """Returns the readers that may begin before the producer has ended."""
        latest = max(self._levels.begins[reader] for reader in readers)
        if latest < self._levels.ends[producer]:
            return readers
        wanted = {2 * reader for reader in readers}
        pending = [2 * producer + 1]
        seen = set(pending)
        while pending and wanted and self._budget > 0:
            for gate in self._after(pending.pop(), latest):
                if gate not in seen:
                    seen.add(gate)
                    pending.append(gate)
                    wanted.discard(gate)
        return {gate >> 1 for gate in wanted}

    def _after(self, gate: int, latest: int) -> Iterator[int]:
        """Yields the gates directly after one that may lie before a reader of stage `latest` + 1."""
        node, begins = gate >> 1, self._levels.begins
        near = self._followers.get(node, ()) if gate & 1 else self._nesting.members[node]
        self._budget -= 1 + len(near)
        if gate & 1:
            group = self._nesting.parents[node]
            if group != NONE and self._levels.ends[group] <= latest:
                yield 2 * group + 1
            yield from (2 * other for other in near if begins[other] <= latest)
        elif node < self._nesting.task_count:
            if begins[node] < latest:
                yield 2 * node + 1
        else:
            yield from (2 * member for member in near if begins[member] <= latest)
