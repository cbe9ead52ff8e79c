"""The exceptions by which functions say how they failed. Any other exception is a failure that may pass."""

from __future__ import annotations

from datetime import timedelta

DAY = 86_400.0  # seconds


class Failed(Exception):
    """An executor function could not do it; another attempt may.

    `retry_after` is the least time until that attempt, in seconds or as a timedelta; at most a day counts.
    """

    def __init__(
        self, message: object, *, retry_after: float | timedelta | None = None, is_permanent: bool = False
    ) -> None:
        super().__init__(message)
        self.message = str(message)
        self.retry_after = None if retry_after is None else _within_a_day(retry_after)
        self.is_permanent = is_permanent

    @classmethod
    def permanent(cls, message: object) -> Failed:
        """Returns a failure that no other attempt can mend without a change to the plan, its inputs or the code."""
        return cls(message, is_permanent=True)


def _within_a_day(given: float | timedelta) -> timedelta:
    seconds = given.total_seconds() if isinstance(given, timedelta) else given
    return timedelta(seconds=min(max(0.0, seconds), DAY))


class CannotTell(Exception):
    """A validator function cannot judge. It counts neither for nor against the candidate."""


class Cancelled(BaseException):
    """The work was cancelled. It is no Exception, so that `except Exception` lets it pass."""
