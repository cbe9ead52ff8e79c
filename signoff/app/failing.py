"""What functions raise to say more than an exception does. Any other exception is a failure that may pass."""

from __future__ import annotations

from datetime import timedelta


class Failed(Exception):
    """An executor function could not do it; another attempt may.

    `retry_after` is the least time, in seconds or as a timedelta, until that attempt.
    """

    def __init__(
        self, message: str, *, retry_after: float | timedelta | None = None, is_permanent: bool = False
    ) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = timedelta(seconds=retry_after) if isinstance(retry_after, int | float) else retry_after
        self.is_permanent = is_permanent

    @classmethod
    def permanent(cls, message: str) -> Failed:
        """No attempt will go better without a change to the plan, its inputs or the code."""
        return cls(message, is_permanent=True)


class CannotTell(Exception):
    """A validator function cannot judge: that counts neither for nor against the candidate."""


class Cancelled(BaseException):
    """Nobody wants the work any more. No Exception, so that `except Exception` lets it pass."""
