"""Turns the pieces that a model streams into reports."""

from __future__ import annotations

from collections.abc import Sequence

from worker_svc.assignment import Report
from worker_svc.llm.port import Message


async def tell_prompt(report: Report, messages: Sequence[Message]) -> None:
    """Reports the messages that a model is about to be asked with, if prompts are kept."""
    # guard: a worker sends no prompt that is not wanted -> if True:
    if report.prompts_wanted:
        await report.prompt(tuple((message.role, message.content) for message in messages))


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
