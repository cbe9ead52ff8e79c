"""The work that a worker takes ahead of its slots, so that it never waits for the network.

A slot would be idle until the runner has committed a result and answered with more work. For work of seconds that is
nothing; for work of a millisecond it is most of the time. So a worker takes as much ahead as its slots finish in AHEAD
seconds, judging by its last pieces of work. Work that suddenly takes longer is given back, for another worker may have
a free slot.
"""

from __future__ import annotations

AHEAD = 0.05  # seconds of work
MOST_AHEAD = 256  # pieces of work
_STEP = 4  # the number of pieces changes by this factor, so that credit is not granted anew for each piece
_WEIGHT = 1 / 8  # of the last piece of work in the mean


class Prefetch:
    """Says how much a worker with so many slots takes ahead: nothing until a dozen pieces of work were quick."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._mean = self._slow = AHEAD * slots  # seconds

    def took(self, seconds: float) -> None:
        """Notes how long a piece of work took."""
        self._mean += (seconds - self._mean) * _WEIGHT

    def is_stuck(self) -> None:
        """Notes that work taken ahead could not begin in time: nothing is taken ahead until work is quick again."""
        self._mean = max(self._mean, self._slow)

    @property
    def ahead(self) -> int:
        """The pieces of work to take ahead: none, or a power of _STEP up to MOST_AHEAD."""
        fits = self._slots * AHEAD / max(self._mean, 1e-6)
        step = MOST_AHEAD
        while step > fits:
            step //= _STEP
        return step if step > 1 else 0
