"""From the pieces a model streams to what a worker reports."""

from __future__ import annotations

from worker_svc.assignment import Report


class DeltaReporter:
    """A model's on_delta: counts a token for each piece and hands its text on as thinking while somebody watches."""

    __slots__ = ("_received", "_report")

    def __init__(self, report: Report) -> None:
        self._report = report
        self._received = 0

    def __call__(self, text: str) -> None:
        self.counted(text)
        if self._report.thinking_wanted:
            self._report.thinking(text)

    def counted(self, _text: str) -> None:
        """The same without a word of it: of several models at once, one thinks aloud."""
        self._received += 1
        self._report.tokens(self._received)
