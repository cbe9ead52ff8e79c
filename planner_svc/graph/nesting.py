"""Groups and their members as flat arrays in node numbers: which atomic tasks lie below which group.

Node numbers are those of plan.proto: atomic tasks first, then groups, each in natural order. A task counts as below
itself here. Nothing recurses, so depth is no limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

NONE = -1
STEPS_A_NODE = 20  # of a search through the map of a whole plan, so that its cost stays linear
STEPS_AT_LEAST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Nesting:
    """The groups of a plan as flat arrays."""

    task_count: int
    parents: Sequence[int]  #: the group directly above each node, or -1
    members: Sequence[Sequence[int]]  #: of each node; none of an atomic task
    top_down: Sequence[int]  #: all nodes, groups before their members
    leaves: Sequence[int]  #: the atomic tasks in tree order; those below node n are leaves[first[n]:last[n]]
    first: Sequence[int]
    last: Sequence[int]

    @property
    def node_count(self) -> int:
        return len(self.parents)

    def contains(self, node: int, other: int) -> bool:
        """Tells whether `other` is the node or lies below it."""
        return self.first[node] <= self.first[other] and self.last[other] <= self.last[node]

    def runs(self, nodes: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Yields the runs of leaves below any of the nodes, each leaf once.

        Two runs never overlap in part: a run that lies inside another one is left out.
        """
        end = 0
        for first, negative_last in sorted((self.first[node], -self.last[node]) for node in nodes):
            if first >= end:
                end = -negative_last
                yield first, end


def nest(task_count: int, parents: Sequence[int], order: Iterable[int] | None = None) -> Nesting:
    """Builds the nesting from the parents; siblings come in the given order, or by their numbers."""
    members: list[list[int]] = [[] for _ in range(task_count, len(parents))]
    top: list[int] = []
    for node in range(len(parents)) if order is None else order:
        (members[parents[node] - task_count] if parents[node] != NONE else top).append(node)
    top_down = _depth_first(task_count, members, top)
    leaves: list[int] = []
    first, last = [0] * len(parents), [0] * len(parents)
    for node in top_down:
        first[node] = len(leaves)
        if node < task_count:
            leaves.append(node)
            last[node] = len(leaves)
    for node in reversed(top_down):
        if node >= task_count:
            last[node] = last[members[node - task_count][-1]]
    return Nesting(
        task_count=task_count,
        parents=parents,
        members=[*[()] * task_count, *members],
        top_down=top_down,
        leaves=leaves,
        first=first,
        last=last,
    )


def search_budget(nesting: Nesting) -> int:
    """Returns how many steps all searches of one kind may take together."""
    return STEPS_AT_LEAST + STEPS_A_NODE * nesting.node_count


def _depth_first(task_count: int, members: Sequence[Sequence[int]], top: Sequence[int]) -> list[int]:
    pending, order = [*reversed(top)], []
    while pending:
        node = pending.pop()
        order.append(node)
        if node >= task_count:
            pending.extend(reversed(members[node - task_count]))
    return order
