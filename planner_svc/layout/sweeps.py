"""Orders with fewer crossings: in a sweep over the stages, each is sorted by the barycentres of what it is joined to.

The method is that of Sugiyama, Tagawa and Toda (1981). A group has the mean position of the classes below it; a class
without edges of its own looks to those of the group around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from planner_svc.graph.nesting import NONE
from planner_svc.layout.outline import Outline, top_of


class Sweeps:
    """The position of each node in its column: 0 is the top, 1 the bottom. They begin in natural order."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._classes: list[list[int]] = [[] for _ in range(outline.last[NONE] + 1)]  # by column, in their order
        for node in outline.top_down:
            if node < outline.task_count:
                self._classes[outline.first[node]].append(node)
        self._groups = top_of(outline.top_down, outline.task_count)[:-1]
        self._below = _classes_below(outline)
        self._positions = [0.0] * outline.node_count
        for column in self._classes:
            self._spread(column)

    def forward(self) -> list[list[int]]:
        """Sorts each stage by what its tasks wait for, from the first to the last. Returns that order."""
        sources: dict[int, list[int]] = {}
        for source, target in self._outline.edges:
            sources.setdefault(target, []).append(source)
        return self._sweep(range(len(self._classes)), sources, self._outline.last)

    def backward(self) -> list[list[int]]:
        """Sorts each stage by what waits for its tasks, from the last to the first. Returns that order."""
        targets: dict[int, list[int]] = {}
        for source, target in self._outline.edges:
            targets.setdefault(source, []).append(target)
        return self._sweep(reversed(range(len(self._classes))), targets, self._outline.first)

    def _sweep(self, columns: Iterable[int], joined: dict[int, list[int]], ends: Sequence[int]) -> list[list[int]]:
        """`ends`: of each group, the column after which all its classes have their new positions."""
        owners = self._owners(joined)
        means: dict[int, float] = {}
        ending: list[list[int]] = [[] for _ in self._classes]
        for group in self._groups:
            ending[ends[group]].append(group)
        for column in columns:
            self._sort(column, owners, joined, means)
            for group in ending[column]:
                self._settle(group)
        return [sorted(members, key=self._positions.__getitem__) for members in self._outline.members]

    def _owners(self, joined: dict[int, list[int]]) -> list[int]:
        """Returns for each node the nearest one around it, or itself, that has edges."""
        owners = [NONE] * (self._outline.node_count + 1)
        for node in self._outline.top_down:
            owners[node] = node if node in joined else owners[self._outline.parents[node]]
        return owners

    def _sort(self, column: int, owners: Sequence[int], joined: dict[int, list[int]], means: dict[int, float]) -> None:
        """Sorts a column by barycentres. What is joined to nothing keeps its position."""
        positions, classes = self._positions, self._classes[column]
        for node in classes:
            owner = owners[node]
            if owner != NONE:
                if owner not in means:
                    means[owner] = sum(map(positions.__getitem__, joined[owner])) / len(joined[owner])
                positions[node] = means[owner]
        classes.sort(key=positions.__getitem__)
        self._spread(classes)

    def _spread(self, classes: Sequence[int]) -> None:
        for rank, node in enumerate(classes):
            self._positions[node] = (rank + 0.5) / len(classes)

    def _settle(self, group: int) -> None:
        """Gives a group the mean position of the classes below it."""
        below, positions = self._below, self._positions
        total = sum([positions[node] * below[node] for node in self._outline.members[group]])
        positions[group] = total / below[group]


def _classes_below(outline: Outline) -> list[int]:
    below = [1] * outline.task_count + [0] * (outline.node_count - outline.task_count + 1)
    for node in reversed(outline.top_down):
        below[outline.parents[node]] += below[node]
    return below
