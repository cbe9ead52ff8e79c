"""The number of crossings of a picture.

Two edges into the same stage cross when the rows of their sources are in the other order than those of their targets.
Edges are drawn along the row of their source up to the gap before their target, where they meet all others that end in
that stage. What a group has inside lies in the middle of its box.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from planner_svc.layout.outline import Outline
from planner_svc.layout.places import Places


def crossings(outline: Outline, places: Places) -> int:
    """Counts the pairs of edges that cross, in n log n steps for n edges."""
    by_column: dict[int, list[tuple[int, int]]] = {}
    for source, target in outline.edges:
        ends = (places.centre(source), places.centre(target))
        by_column.setdefault(outline.first[target], []).append(ends)
    return sum(_inversions([row for _, row in sorted(ends)]) for ends in by_column.values())


def _inversions(values: Sequence[int]) -> int:
    """Counts the pairs of which the first is larger, in a tree of sums (Fenwick 1994)."""
    if all(before <= after for before, after in pairwise(values)):
        return 0
    ranks = {value: rank for rank, value in enumerate(sorted(set(values)), start=1)}
    return _later_and_smaller(map(ranks.__getitem__, reversed(values)), len(ranks))


def _later_and_smaller(ranks: Iterable[int], most: int) -> int:
    sums, count = [0] * (most + 1), 0
    for rank in ranks:
        place = rank - 1
        while place:
            count += sums[place]
            place &= place - 1
        place = rank
        while place <= most:
            sums[place] += 1
            place += place & -place
    return count
