"""`python -m worker_svc.functions.places.child`: a process that calls functions, one request after another.

What functions print goes to the worker's standard error; they cannot reach the pipes to the worker. The process ends
when the worker does, even in the middle of a call.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from queue import SimpleQueue
from typing import BinaryIO

from signoff.errors import ConfigurationError
from worker_svc import pipes
from worker_svc.functions.calling import Callee
from worker_svc.functions.job import Broken, Outcome
from worker_svc.functions.loading import callees_of
from worker_svc.functions.places.frames import CallBegun, CallCheckpoint, CallRequest, CallUsage, Progress


class PipeLine:
    """A signoff.app.CallReporter to the worker. It is never cancelled: the worker kills the process instead."""

    cancelled = False

    def __init__(self, answers: BinaryIO) -> None:
        self._answers = answers
        self._lock = threading.Lock()
        self._is_over = False

    def begin(self) -> None:
        self._say(CallBegun())

    def progress(self, text: str) -> None:
        self._say(Progress(text))

    def usage(self, model: str, counts: Mapping[str, int]) -> None:
        self._say(CallUsage(model, counts))

    def checkpoint(self, content: bytes) -> None:
        self._say(CallCheckpoint(content))

    def end(self, outcome: Outcome) -> None:
        """Sends the outcome. Threads that the function has left behind can send nothing after it."""
        self._say(outcome)
        self._is_over = True

    def _say(self, value: object) -> None:
        with self._lock, suppress(BrokenPipeError):  # the worker is gone, and this process is about to end
            if not self._is_over:
                pipes.write_frame(self._answers, pickle.dumps(value))


def serve() -> None:
    """Runs the child: answers requests until the worker is gone."""
    requests, answers = _private_pipes()
    waiting: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_read, args=(requests, waiting), daemon=True).start()
    while True:
        request: CallRequest = pickle.loads(waiting.get())
        line = PipeLine(answers)
        line.begin()
        line.end(_outcome_of(request, line))


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Moves the pipes to the worker away from standard input and output, which functions use."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return requests, answers


def _read(requests: BinaryIO, waiting: SimpleQueue[bytes]) -> None:
    """Reads the worker's requests; when the worker is gone, ends this process with all it has started."""
    while (request := pipes.read_frame(requests)) is not None:
        waiting.put(request)
    os.killpg(0, signal.SIGKILL)


def _outcome_of(request: CallRequest, line: PipeLine) -> Outcome:
    try:
        callee = _callees(request.app, request.judges)[request.function]
    except ConfigurationError as error:
        return Broken(message=f"the process of {request.function} could not import its app: {error}")
    except KeyError:
        return Broken(message=f"the process of {request.function} imported {request.app}, but it is not in there")
    return callee.call(request.job, line)


@cache
def _callees(app: str, judges: bool) -> dict[str, Callee]:
    return callees_of(app, judges=judges)


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    serve()
