"""From the pieces a model streams to what a worker reports."""

from __future__ import annotations

from worker_svc.llm.port import ModelAnswer, ModelFailure
from worker_svc.work import Report


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


def report_usage(report: Report, model: str, answer: ModelAnswer) -> None:
    """What an answer has cost."""
    report.usage(model, input_tokens=answer.input_tokens, output_tokens=answer.output_tokens, requests=answer.requests)


def report_failed(report: Report, model: str, failure: ModelFailure) -> None:
    """What a failure has cost, when a request was sent at all."""
    if failure.requests:
        tokens = {"input_tokens": failure.input_tokens, "output_tokens": failure.output_tokens}
        report.usage(model, **tokens, requests=failure.requests)
