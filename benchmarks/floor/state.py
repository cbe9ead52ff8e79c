"""One run of the floor: a counter of the open dependencies of each node, and the ready nodes."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.driving import Result
from benchmarks.shapes import Node, followers_of


class State:
    """The state of a run. `phases`: 1 lets every worker run every node, 2 only the workers of its phase."""

    def __init__(self, nodes: Sequence[Node], phases: int) -> None:
        self.results: dict[str, Result] = {}
        self.done = asyncio.Event()
        self._phase_of = {node.id: pool_of(node.phase, phases) for node in nodes}
        self._waiting = {node.id: len(node.depends_on) for node in nodes}
        self._followers = followers_of(nodes)
        self.ready: dict[str, deque[str]] = {phase: deque() for phase in set(self._phase_of.values())}
        self._offer(node.id for node in nodes if not node.depends_on)

    def finish(self, items: Iterable[Any]) -> None:
        """Takes results in, and offers the nodes that waited for nothing else."""
        for item in items:
            self.results[item.id] = json.loads(item.payload)
            for follower in self._followers[item.id]:
                self._waiting[follower] -= 1
                if not self._waiting[follower]:
                    self._offer((follower,))
        if len(self.results) == len(self._waiting):
            self.done.set()

    def _offer(self, names: Iterable[str]) -> None:
        for name in names:
            self.ready[self._phase_of[name]].append(name)


def pool_of(phase: str, phases: int) -> str:
    return phase if phases == 2 else "any"
