"""Functions, jobs and lines for tests of what calls them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from signoff.app import App, Document, Feedback, Function, Task
from worker_svc.functions.calling import Callee
from worker_svc.functions.job import FunctionJob, Outcome

SAMPLE = "tests.support.work.sample:app"


def function(call: Callable[..., Any], *, judges: bool = False, process: bool = False) -> Function:
    """Registers a function with an app, and returns what the app has."""
    app = App()
    if judges:
        app.validator(process=process)(call)
        return app.validators[call.__name__]
    app.executor(process=process)(call)
    return app.executors[call.__name__]


def callee(call: Callable[..., Any], *, judges: bool = False) -> Callee:
    return Callee(function(call, judges=judges), SAMPLE)


def document(
    content: str | bytes, name: str = "topic", task_id: str = "1_1", media_type: str = "application/json"
) -> Document:
    data = content.encode() if isinstance(content, str) else content
    digest = hashlib.sha256(data).hexdigest()
    return Document(name=name, task_id=task_id, media_type=media_type, digest=digest, content=data)


def job(
    *inputs: Document,
    parameters: Any = None,
    omitted: tuple[str, ...] = (),
    feedback: Feedback | None = None,
    candidate: str | bytes | None = None,
    text_type: str = "text/plain",
    checkpoint: Any = None,
) -> FunctionJob:
    return FunctionJob(
        task=Task(id="2", parameters=parameters),
        text_type=text_type,
        inputs=inputs,
        omitted=omitted,
        feedback=feedback,
        candidate=None if candidate is None else document(candidate, name="papers", task_id="2"),
        checkpoint=checkpoint,
    )


@dataclass(slots=True)
class HeardLine:
    """A signoff.app.CallReporter that remembers the reports."""

    cancelled: bool = False
    pieces: list[str] = field(default_factory=list)
    costs: list[tuple[str, Mapping[str, int]]] = field(default_factory=list)
    checkpoints: list[bytes] = field(default_factory=list)

    def progress(self, text: str) -> None:
        self.pieces.append(text)

    def checkpoint(self, content: bytes) -> None:
        self.checkpoints.append(content)

    def usage(self, model: str, counts: Mapping[str, int]) -> None:
        self.costs.append((model, counts))


def outcome_of(call: Callable[..., Any], given: FunctionJob | None = None, *, judges: bool = False) -> Outcome:
    """Calls a function in this process, and returns its outcome."""
    return callee(call, judges=judges).call(given or job(), HeardLine())
