"""How much work a worker takes ahead of its slots, so that it never waits for the wire.

Until the runner has committed a result and answered with more work, a slot would be idle: for work of seconds that is
nothing, for work of a millisecond it is most of the time. So a worker takes as much ahead as its slots finish in AHEAD
seconds, judging by how long its last pieces of work took. Longer than that nothing waits in one worker's hands that
another one might do, unless work suddenly takes longer than it used to; then it is given back.
"""

from __future__ import annotations

AHEAD = 0.05  # seconds of work
MOST_AHEAD = 256  # pieces of work
_STEP = 4  # what is taken ahead changes by this factor, so that credit is not said anew for each piece of work
_WEIGHT = 1 / 8  # of the last piece of work in the mean


class Prefetch:
    """Of a worker with so many slots. Takes nothing ahead until a dozen pieces of work were quick."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._mean = self._slow = AHEAD * slots  # seconds

    def took(self, seconds: float) -> None:
        """A piece of work took so long."""
        self._mean += (seconds - self._mean) * _WEIGHT

    def is_stuck(self) -> None:
        """What was taken ahead could not be begun in time: from now on nothing is, until work is quick again."""
        self._mean = max(self._mean, self._slow)

    @property
    def ahead(self) -> int:
        """Pieces of work: none, or a power of _STEP up to MOST_AHEAD."""
        fits = self._slots * AHEAD / max(self._mean, 1e-6)
        step = MOST_AHEAD
        while step > fits:
            step //= _STEP
        return step if step > 1 else 0
