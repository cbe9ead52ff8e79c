"""Rests: a worker that gives back what it is given, and brings no result, is given nothing for a growing while.

Otherwise it would get the same work again at once, and again: each time takes two events of the journal, and counts as
no attempt. Other workers go on meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runner_svc.core.model.values import WorkerName

FIRST_REST, LONGEST_REST = 1.0, 60.0  # seconds: each is twice as long as the one before


@dataclass(frozen=True, slots=True)
class _Rest:
    times: int  #: that the worker gave work back, what it gave back during rests not counted
    until: float


class Rests:
    """The workers that have given work back and brought no result since, by name: a new session goes on resting."""

    def __init__(self, remind: Callable[[float, WorkerName], None]) -> None:
        """`remind`: has `forget_old` called at that time."""
        self._remind = remind
        self._rests: dict[WorkerName, _Rest] = {}

    def gave_back(self, worker: WorkerName, at: float) -> None:
        """Takes in that a worker has given work back. The first time, it gets new work at once."""
        known = self._rests.get(worker)
        # guard: what is given back together counts once -> if False:
        if known is not None and at < known.until:
            return  # it was given before the rest
        times = 1 + (known.times if known is not None else 0)
        # guard: work that is given back is not given out at once -> seconds = 0.0
        seconds = 0.0 if times == 1 else min(LONGEST_REST, FIRST_REST * 2.0 ** min(times - 2, 63))
        self._rests[worker] = _Rest(times, at + seconds)
        if seconds:
            self._remind(at + seconds, worker)
        self._remind(at + seconds + LONGEST_REST, worker)

    def brought_result(self, worker: WorkerName) -> None:
        self._rests.pop(worker, None)

    def until(self, worker: WorkerName, at: float) -> float | None:
        """Returns when the rest of a worker ends; None: it does not rest."""
        known = self._rests.get(worker)
        return known.until if known is not None and at < known.until else None

    def forget_old(self, worker: WorkerName, at: float) -> None:
        """Forgets a worker that has given nothing back for a while since its rest."""
        known = self._rests.get(worker)
        # guard: rests are forgotten -> if False:
        if known is not None and known.until + LONGEST_REST <= at:
            del self._rests[worker]

    def __len__(self) -> int:
        return len(self._rests)
