"""The context of one call: its task and inputs, and the way back to the runner. Safe from any thread."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from signoff.app.failures import Cancelled, Failed
from signoff.app.files import Files
from signoff.app.values import Document, Feedback, Task
from signoff.rpc.frames import MAX_CHECKPOINT_BYTES


class CallReporter(Protocol):
    """Takes a call's progress, checkpoints and usage. It never blocks for long and never fails, from any thread."""

    @property
    def cancelled(self) -> bool:
        """Tells whether the work was cancelled."""

    def progress(self, text: str) -> None: ...

    def checkpoint(self, content: bytes) -> None:
        """Saves how far the work is; the last checkpoint counts."""

    def usage(self, model: str, counts: Mapping[str, int]) -> None:
        """Adds tokens that were spent since the last call, by their names in Context.usage, such as `input_tokens`."""


class _NoReporter:
    """The reporter of a context that a test has made: it ignores everything."""

    cancelled = False

    def progress(self, text: str) -> None:
        """Ignores progress."""

    def checkpoint(self, content: bytes) -> None:
        """Ignores a checkpoint."""

    def usage(self, model: str, counts: Mapping[str, int]) -> None:
        """Ignores usage."""


class Context:
    """The context of a function's call, besides its parameters. A test may make one: `Context(Task(id="1"))`."""

    __slots__ = ("_outputs", "_reporter", "checkpoint", "feedback", "inputs", "task")

    def __init__(
        self,
        task: Task,
        inputs: Sequence[Document | Files] = (),
        feedback: Feedback | None = None,
        reporter: CallReporter | None = None,
        checkpoint: Any = None,
        outputs: Path | None = None,
    ) -> None:
        self.task = task
        self.inputs = tuple(inputs)  #: everything the task reads, in its order
        self.feedback = feedback  #: None on the first attempt
        self.checkpoint = checkpoint  #: saved by the last call for this task; None: nothing was saved
        self._reporter = reporter or _NoReporter()
        self._outputs = outputs

    @property
    def outputs(self) -> Path:
        """Returns the folder into which the function writes the files of its result; it then returns None.

        Raises Failed when the plan asks for no files, with output.files.
        """
        if self._outputs is None:
            raise Failed.permanent(
                f"task {self.task.id} makes no files: expected output.files in the plan, with the files that are its "
                "result"
            )
        return self._outputs

    def progress(self, text: str = "", *, end: str = "\n") -> None:
        """Reports that the work goes on, which puts off its idle time-out. Watchers see the text."""
        self._reporter.progress(text + end if text else "")

    def save(self, checkpoint: Any) -> None:
        """Saves how far the work is, as JSON: when it ends without a candidate, the next call gets it as `checkpoint`.

        The last one counts; at most one is sent a second. Raises TypeError or ValueError for a value that cannot become
        JSON, and ValueError for more than 64 KiB of it.
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
        """Adds the tokens that a model has used; call it for each request, or once for several.

        `cached_input_tokens` are part of `input_tokens`, `reasoning_tokens` part of `output_tokens`. Raises TypeError
        or ValueError for a name that is no text, a number that is no count, or a part that is more than its whole.
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
        """Tells whether the work was cancelled. Code in a thread must look now and then; nothing stops it."""
        return self._reporter.cancelled

    def raise_if_cancelled(self) -> None:
        """Raises Cancelled when the work was cancelled."""
        if self._reporter.cancelled:
            raise Cancelled
