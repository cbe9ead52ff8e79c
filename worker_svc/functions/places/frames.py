"""What a worker and a process of functions say to each other: frames of four bytes of length, then a pickle.

Both are this program and trust each other. A request is a Request; answers are Begun, what the function says (Progress,
Usage, Checkpoint), and its Outcome last.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass

from worker_svc.functions.job import FunctionJob


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequest:
    """A call of a function, which is looked up by its name: apps are imported here anew."""

    app: str
    judges: bool
    function: str
    job: FunctionJob


@dataclass(frozen=True, slots=True)
class CallBegun:
    """From here on the function may have done something."""


@dataclass(frozen=True, slots=True)
class Progress:
    text: str


@dataclass(frozen=True, slots=True)
class CallUsage:
    model: str
    counts: Mapping[str, int]  #: as in signoff.app.Context.usage


@dataclass(frozen=True, slots=True)
class CallCheckpoint:
    content: bytes


def frame(value: object) -> bytes:
    body = pickle.dumps(value)
    return len(body).to_bytes(4) + body
