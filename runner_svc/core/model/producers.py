"""Finds the makers of named artifacts that their readers do not wait for: once a map, for all readers together.

A planner adds what a reader forgot to wait for. So nearly every maker is among what its reader waits for directly, and
only the others are searched for: from stage to stage, each node passes on which of these makers lie before it, as the
bits of one number.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

Makers = Mapping[int, Set[int]]  # by reader

LEAST_MAKERS, MOST_MAKERS = 64, 4096  # that one search looks for
MOST_BITS = 2**31  # that all nodes of one search hold: 256 MiB


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """The dependencies of a Map, with its groups and stages."""

    waits_for: Sequence[Sequence[int]]  #: by task: node numbers
    parents: Sequence[int]  #: by node; negative: none
    stages: Sequence[int]  #: by task

    def around(self, node: int) -> Iterator[int]:
        """Yields the groups above a node, from the nearest to the top."""
        node = self.parents[node]
        while node >= 0:
            yield node
            node = self.parents[node]

    def levels(self) -> list[int]:
        """Returns the stage of each node; that of a group is the largest below it."""
        levels = [*self.stages, *[0] * (len(self.parents) - len(self.stages))]
        for task, stage in enumerate(self.stages):
            for group in self.around(task):
                if levels[group] >= stage:
                    break
                levels[group] = stage
        return levels


def unreached(waits: Waits, named: Makers) -> dict[int, frozenset[int]]:
    """Returns, by reader, those of the makers it names that may end after it has begun; most readers have none."""
    searched = dict(_indirect(waits, named))
    if not searched:
        return {}
    search = _Search(waits, searched)
    makers = sorted({maker for found in searched.values() for maker in found}, key=lambda m: (waits.stages[m], m))
    size = max(LEAST_MAKERS, min(MOST_MAKERS, MOST_BITS // len(waits.parents)))
    for start in range(0, len(makers), size):
        search.look_for(makers[start : start + size])
    return {reader: frozenset(rest) for reader, rest in searched.items() if rest}


def _indirect(waits: Waits, named: Makers) -> Iterator[tuple[int, set[int]]]:
    """Yields the readers with the makers that are not among what they wait for, nor in a group that is."""
    for reader, makers in named.items():
        direct = frozenset(waits.waits_for[reader])
        rest = {maker for maker in makers - direct if direct.isdisjoint(waits.around(maker))}
        if rest:
            yield reader, rest


class _Search:
    """A search that takes out of `searched` what it reaches."""

    def __init__(self, waits: Waits, searched: dict[int, set[int]]) -> None:
        self._waits = waits
        self._searched = searched
        self._readers: dict[int, list[int]] = {}  # by maker
        for reader, makers in searched.items():
            for maker in makers:
                self._readers.setdefault(maker, []).append(reader)
        levels, depths = waits.levels(), _depths(waits)
        # A group ends after all that is below it, and before the stage that waits for it.
        self._order = sorted(range(len(levels)), key=lambda node: (levels[node], -depths[node]))
        self._levels = [levels[node] for node in self._order]

    def look_for(self, makers: Sequence[int]) -> None:
        """Looks for some makers; the first of them has the earliest stage."""
        readers = {reader for maker in makers for reader in self._readers[maker]}
        start = bisect_left(self._levels, self._waits.stages[makers[0]])
        before = self._before(makers, readers, start)
        for bit, maker in enumerate(makers):
            for reader in self._readers[maker]:
                if before.get(reader, 0) >> bit & 1:
                    self._searched[reader].discard(maker)

    def _before(self, makers: Sequence[int], readers: set[int], start: int) -> dict[int, int]:
        """Returns which of the makers lie before each reader, as bits."""
        own = {maker: 1 << bit for bit, maker in enumerate(makers)}
        ends: dict[int, int] = {}  # by node: the makers that have ended when it ends
        last = max(self._waits.stages[reader] for reader in readers)
        before: dict[int, int] = {}
        for place in range(start, bisect_left(self._levels, last + 1)):
            node = self._order[place]
            bits = ends.pop(node, 0) if node >= len(self._waits.stages) else self._begins(node, ends)
            if node in readers:
                before[node] = bits
            bits |= own.get(node, 0)
            if bits:
                ends[node] = bits
                group = self._waits.parents[node]
                if group >= 0:
                    ends[group] = ends.get(group, 0) | bits
        return before

    def _begins(self, task: int, ends: Mapping[int, int]) -> int:
        bits = 0
        for node in self._waits.waits_for[task]:
            bits |= ends.get(node, 0)
        return bits


def _depths(waits: Waits) -> list[int]:
    """Returns, for each node, how many groups are above it. Tasks count as the deepest of all."""
    tasks = len(waits.stages)
    groups = [sum(1 for _ in waits.around(group)) for group in range(tasks, len(waits.parents))]
    return [len(groups) + 1] * tasks + groups
