"""The rows of a picture: in every group, members are set down one after another, each as high as its columns are free.

So members keep their order in every column, no two nodes share a cell, and no two boxes beside each other overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner_svc.layout.outline import Outline, top_of

STEPS_A_NODE = 20  # columns that are looked at, for all boxes together: a box may reach over all of them
STEPS_AT_LEAST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The rows of everything; the columns are those of the outline."""

    rows: Sequence[int]  #: of each node: its first row
    heights: Sequence[int]  #: how many rows it takes

    def centre(self, node: int) -> int:
        """Returns twice the row of the middle of a node, which is a whole number."""
        return 2 * self.rows[node] + self.heights[node] - 1


def placed(outline: Outline, members: Sequence[Sequence[int]], heights: Sequence[int]) -> Places:
    """Gives everything its rows. `members`: of each group, in the order to keep; `heights`: of each class."""
    picture = _Picture(outline, heights)
    for group in top_of(outline.top_down, outline.task_count):
        picture.fill(group, members[group])
    rows = [*picture.offsets, 0]
    for node in outline.top_down:
        rows[node] += rows[outline.parents[node]]
    return Places(rows=rows, heights=picture.heights)


class _Picture:
    """The rows of members inside their groups, from the innermost group outwards."""

    def __init__(self, outline: Outline, heights: Sequence[int]) -> None:
        self._first, self._last = outline.first, outline.last
        self.offsets = [0] * outline.node_count
        self.heights = [*heights[: outline.task_count], *[0] * (outline.node_count - outline.task_count + 1)]
        self._budget = STEPS_AT_LEAST + STEPS_A_NODE * outline.node_count

    def fill(self, group: int, members: Sequence[int]) -> None:
        """Sets the members of a group down, and finds how many rows they take."""
        free: dict[int, int] = {}  # by column: the first row that is free
        floor = lowest = 0  # the first free row of columns that are not listed; of all columns
        for member in members:
            first, width = self._first[member], self._last[member] - self._first[member]
            if not width:
                row = free.get(first, floor)
                free[first] = below = row + self.heights[member]
            elif width > self._budget or len(members) == 1:
                row = lowest  # beneath everything: a picture with very many wide boxes is less compact
                free, floor = {}, (below := row + self.heights[member])
            else:
                columns = range(first, first + width + 1)
                row = max([free.get(column, floor) for column in columns])
                free.update(dict.fromkeys(columns, below := row + self.heights[member]))
                self._budget -= width
            self.offsets[member] = row
            lowest = max(lowest, below)
        self.heights[group] = lowest
