"""The deadlines: of leases, of workers that are away or rest, of retries and of rate limits."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator
from enum import IntEnum, unique

from runner_svc.core.fleet.leases import LiveLease

MOOT_AT_ONCE = 1_000  # deadlines of ended leases that are dropped at once: 2 ms, for which the loop is held


@unique
class Due(IntEnum):
    """The kind of a deadline."""

    LEASE = 1
    GRACE = 2
    RETRY = 3
    RATE = 4
    REST = 5


class Deadlines:
    """A heap of deadlines. Those of leases that have ended are dropped."""

    def __init__(self, is_out: Callable[[LiveLease], bool]) -> None:
        self._is_out = is_out
        self._heap: list[tuple[float, int, Due, object]] = []
        self._ticket = 0  # keeps the heap from comparing what deadlines are about

    def remind(self, at: float, about: Due, key: object) -> None:
        """Adds a deadline. `key`: the lease, the worker, or the execution with the task that it is about."""
        self._ticket += 1
        heapq.heappush(self._heap, (at, self._ticket, about, key))

    def look_at(self, lease: LiveLease, at: float) -> None:
        """Adds a deadline of a lease, unless an earlier one is to come: a look that is too early adds the next one.

        So a lease that ends soon costs one deadline, however many clocks run for it.
        """
        if at < lease.reminder_at:
            lease.reminder_at = at
            self.remind(at, Due.LEASE, lease)

    def postpone(self, by: float) -> None:
        """Moves the deadlines of leases, and of workers that are away, by so many seconds."""
        moved = {Due.LEASE: by, Due.GRACE: by}
        self._heap = [(at + moved.get(about, 0.0), ticket, about, key) for at, ticket, about, key in self._heap]
        heapq.heapify(self._heap)

    @property
    def next(self) -> float | None:
        """Returns when the first deadline comes; None: there is none.

        After a burst of leases that have ended, it may be that of one of them, which is looked at in vain.
        """
        # guard: ended leases are dropped part by part -> for _ in range(len(self._heap)):
        for _ in range(MOOT_AT_ONCE):
            if not self._heap or not self._is_moot(self._heap[0][3]):
                break
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def _is_moot(self, key: object) -> bool:
        return isinstance(key, LiveLease) and not self._is_out(key)

    def due(self, at: float) -> Iterator[tuple[Due, object]]:
        """Takes out and yields the deadlines that have come."""
        while self._heap and self._heap[0][0] <= at:
            _, _, about, key = heapq.heappop(self._heap)
            if isinstance(key, LiveLease):
                key.reminder_at = math.inf
            yield about, key
