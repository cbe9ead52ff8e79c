"""The clock of the runner: Unix time that neither stands still nor goes back, and says when it has jumped.

The clock of a machine is set, by hand or by NTP, and it has moved on when a laptop wakes up. With it alone, deadlines
would come hours late after it was set back, and a jump ahead would take all the time that work under way has left. So
time passes here as a steady clock has it, which cannot be set and stands still while the machine sleeps. A jump ahead
is made at once, and told, so that deadlines move with it; any other difference is made up for slowly.
"""

from __future__ import annotations

import time
from collections.abc import Callable

JUMP = 5.0  # seconds: a smaller difference is drift
SLEW = 0.1  # of the time that passes: the most by which it passes faster or slower, to make up for a difference


class SteadyClock:
    """Unix time at the pace of a steady clock."""

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        """`wall`: Unix time as the machine has it; `steady`: a clock that cannot be set. Both in seconds."""
        self._wall = wall
        self._steady = steady
        self._now, self._as_of = wall(), steady()
        self._jumped = 0.0

    def now(self) -> float:
        """Returns Unix time in seconds, to the microsecond, as the journal keeps it."""
        as_of = self._steady()
        passed, self._as_of = as_of - self._as_of, as_of
        ahead = self._wall() - self._now - passed
        # guard: a jump of the clock is told -> if False:
        if ahead > JUMP:
            self._jumped += ahead
        else:
            # guard: time goes on when the clock is set back -> ahead = max(ahead, -passed)
            ahead = min(max(ahead, -SLEW * passed), SLEW * passed)
        self._now += passed + ahead
        return round(self._now, 6)

    def take_jump(self) -> float:
        """Returns by how many seconds time has jumped ahead since the last call."""
        jumped, self._jumped = self._jumped, 0.0
        return jumped
