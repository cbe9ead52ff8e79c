"""A call of a function and its outcome: values that travel to a thread or a process and back."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

from signoff.app import Document, Feedback, Files, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionJob:
    """The data that a function is called with."""

    task: Task
    text_type: str  #: the media type of a candidate that is text
    inputs: tuple[Document | Files, ...] = ()
    omitted: tuple[str, ...] = ()  #: inputs that the task does not get, with the reason for each
    feedback: Feedback | None = None
    candidate: Document | Files | None = None  #: the candidate to judge
    outputs: Path | None = None  #: where the function writes the files of its result; None: it returns its result
    checkpoint: Any = None  #: saved by an earlier call, as a JSON value


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A candidate."""

    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Written:
    """A candidate that lies as files where the job says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A function's decision on a candidate."""

    is_pass: bool
    reason: str = ""
    retry: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A call without a result: an executor that failed, or a judge that cannot tell."""

    message: str
    is_permanent: bool = False
    retry_after: timedelta | None = None
    traceback: str = ""  #: for the worker's log alone
    gist: str = ""  #: as in WorkFailed

    @classmethod
    def by_bug(cls, error: BaseException) -> Broken:
        """Makes the outcome of a call that could not be described. Even the text of such an error may fail."""
        lines = "".join(traceback.format_exception(error))
        return cls(message=f"a bug in the worker: {type(error).__name__}", traceback=lines)

    def message_with(self, log: str) -> str:
        """Returns the message to send, with the log that has the traceback."""
        return f"{self.message} (the traceback is in {log})" if self.traceback else self.message


Outcome: TypeAlias = Made | Written | Judged | Broken
