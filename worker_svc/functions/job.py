"""One call of a function, and what comes of it: values that travel to a thread or a process and back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

from signoff.app import Document, Feedback, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionJob:
    """What a function is called for."""

    task: Task
    text_type: str  #: the media type of a candidate that is text
    inputs: tuple[Document, ...] = ()
    omitted: tuple[str, ...] = ()  #: inputs that the task does not get, with the reason for each
    feedback: Feedback | None = None
    candidate: Document | None = None  #: what is to be judged
    checkpoint: Any = None  #: what a call before this one has saved, as JSON makes it


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A candidate."""

    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A function has looked at a candidate and decided."""

    is_pass: bool
    reason: str = ""
    retry: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The call came to nothing: a failure of the executor, or a judge that cannot tell."""

    message: str
    is_permanent: bool = False
    retry_after: timedelta | None = None
    story: str = ""  #: the traceback, for the worker's log alone
    gist: str = ""  #: as in WorkFailed

    def told(self, log: str) -> str:
        """What is sent: the message, and the log that has the traceback."""
        return f"{self.message} (the traceback is in {log})" if self.story else self.message


Outcome: TypeAlias = Made | Judged | Broken
