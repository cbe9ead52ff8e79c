"""The waiting times of the kit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class KitTimings:
    """Waiting times, in seconds."""

    answer: float = 5.0  #: for a message that a worker sends at once
    connect: float = 60.0  #: for the first stream
    first_pause: float = 1.0  #: the most a worker pauses before it comes back to a runner that had welcomed it
    call_pause: float = 1.0  #: the most it pauses before it makes a call anew that met no runner
    most_pause: float = 30.0  #: the most it ever pauses
    leave: float = 30.0  #: for a worker to end after it was asked to
    ping: float = 10.0  #: between two pings
    beat: float = 0.25  #: the unit in which checks measure short work, and silence after it

    @property
    def back(self) -> float:
        """The time for a worker to come back to a runner that had welcomed it."""
        return self.first_pause + self.answer
