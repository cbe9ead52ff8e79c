"""The messages between a worker and a process of functions: frames (worker_svc/pipes.py), each with a pickle.

Both are this program and trust each other. The worker sends a CallRequest. The process answers with CallBegun, then the
function's reports (Progress, CallUsage, CallCheckpoint), and its Outcome last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from worker_svc.functions.job import FunctionJob


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequest:
    """A call of a function, by its name: the process imports the app itself."""

    app: str
    judges: bool
    function: str
    job: FunctionJob


@dataclass(frozen=True, slots=True)
class CallBegun:
    """The call has begun: from now on the function may have had effects."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A text from Context.progress."""

    text: str


@dataclass(frozen=True, slots=True)
class CallUsage:
    """Costs from Context.usage."""

    model: str
    counts: Mapping[str, int]  #: as in signoff.app.Context.usage


@dataclass(frozen=True, slots=True)
class CallCheckpoint:
    """A checkpoint that the function has saved."""

    content: bytes
