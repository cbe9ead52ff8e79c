"""Turns the pieces that a model streams into reports."""

from __future__ import annotations

from worker_svc.assignment import Report


class DeltaReporter:
    """A model's on_delta: counts a token for each piece, and reports its text as thinking while a client watches."""

    __slots__ = ("_received", "_report")

    def __init__(self, report: Report) -> None:
        self._report = report
        self._received = 0

    def __call__(self, text: str) -> None:
        self.counted(text)
        if self._report.thinking_wanted:
            self._report.thinking(text)

    def counted(self, _text: str) -> None:
        """Counts a token without reporting its text: of several models at once, one thinks aloud."""
        self._received += 1
        self._report.tokens(self._received)
