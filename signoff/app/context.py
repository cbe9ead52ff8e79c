"""The context of one call: what it is about, and the line back to whoever watches. Safe from any thread."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from signoff.app.failures import Cancelled
from signoff.app.values import Document, Feedback, Task
from signoff.rpc.frames import MAX_CHECKPOINT_BYTES


class CallReporter(Protocol):
    """Where a context's words go. Never blocks for long, never fails; called from any thread."""

    @property
    def cancelled(self) -> bool:
        """Whether nobody wants the work any more."""

    def progress(self, text: str) -> None: ...

    def checkpoint(self, content: bytes) -> None:
        """How far the work is; the last one counts."""

    def usage(self, model: str, counts: Mapping[str, int]) -> None:
        """What was spent since the last time: `input_tokens` and the like, by their names in Context.usage."""


class _NoReporter:
    """The line of a context that a test has made."""

    cancelled = False

    def progress(self, text: str) -> None:
        """Nobody watches."""

    def checkpoint(self, content: bytes) -> None:
        """Nobody goes on from it."""

    def usage(self, model: str, counts: Mapping[str, int]) -> None:
        """Nobody counts."""


class Context:
    """What a function learns of its call besides its parameters. A test may make one: `Context(Task(id="1"))`."""

    __slots__ = ("_reporter", "checkpoint", "feedback", "inputs", "task")

    def __init__(
        self,
        task: Task,
        inputs: Sequence[Document] = (),
        feedback: Feedback | None = None,
        reporter: CallReporter | None = None,
        checkpoint: Any = None,
    ) -> None:
        self.task = task
        self.inputs = tuple(inputs)  #: everything the task reads, in its order
        self.feedback = feedback  #: None on the first attempt
        self.checkpoint = checkpoint  #: what the last call for this task has saved; None: nothing
        self._reporter = reporter or _NoReporter()

    def progress(self, text: str = "", *, end: str = "\n") -> None:
        """Says that the work goes on, which puts off its idle time-out, and how: watchers see the text."""
        self._reporter.progress(text + end if text else "")

    def save(self, checkpoint: Any) -> None:
        """Saves how far the work is, as JSON: when it ends without a candidate, the next call gets it as `checkpoint`.

        The last one counts; they are sent once a second at most. Raises TypeError or ValueError for what does not
        become JSON, and ValueError for more than 64 KiB of it.
        """
        content = json.dumps(checkpoint, ensure_ascii=False, allow_nan=False).encode()
        if len(content) > MAX_CHECKPOINT_BYTES:
            raise ValueError(f"expected a checkpoint of at most {MAX_CHECKPOINT_BYTES} bytes, but got {len(content)}")
        self._reporter.checkpoint(content)

    def usage(
        self,
        model: str,
        *,
        input_tokens: int = 0,
        output_tokens: int = 0,
        requests: int = 1,
        cached_input_tokens: int = 0,
        reasoning_tokens: int = 0,
    ) -> None:
        """Adds what a model has cost; call it for each request, or once for several.

        `cached_input_tokens` are of `input_tokens`, `reasoning_tokens` of `output_tokens`. Raises TypeError or
        ValueError for what is no name, no count, or a part that is more than its whole.
        """
        if not isinstance(model, str):
            raise TypeError(f"expected a model's name, but got {model!r}")
        counts = {
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            "requests": requests,
            "cached_input_tokens": cached_input_tokens,
            "reasoning_tokens": reasoning_tokens,
        }
        for name, count in counts.items():
            if not isinstance(count, int) or count < 0:
                raise ValueError(f"expected a whole number as {name}, but got {count!r}")
        for part, whole in (("cached_input_tokens", "input_tokens"), ("reasoning_tokens", "output_tokens")):
            if counts[part] > counts[whole]:
                raise ValueError(f"expected {part} to be part of {whole}, but got {counts[part]} of {counts[whole]}")
        self._reporter.usage(model, counts)

    @property
    def cancelled(self) -> bool:
        """Whether nobody wants the work any more. Code in a thread must look now and then; nothing stops it."""
        return self._reporter.cancelled

    def raise_if_cancelled(self) -> None:
        """Raises Cancelled when nobody wants the work any more."""
        if self._reporter.cancelled:
            raise Cancelled
