"""`python -m worker_svc --role executor|validator`: one worker process."""

from __future__ import annotations

import os
import socket
from importlib import metadata
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode, SettingsConfigDict

from signoff.service import ServiceSettings, main, stop_requested
from signoff.v1 import runner_pb2
from worker_svc.executor import Executor
from worker_svc.llm.settings import model_from_settings
from worker_svc.stream import Identity, Worker
from worker_svc.validator import Validator
from worker_svc.work import Handler

DEFAULT_SLOTS = {"executor": 7, "validator": 5}
_ROLES = {"executor": runner_pb2.WORKER_ROLE_EXECUTOR, "validator": runner_pb2.WORKER_ROLE_VALIDATOR}
MAX_LABELS = 64


def labels_of(text: object) -> object:
    """KEY=VALUE,KEY=VALUE as a mapping; what is not text is left as it came."""
    if not isinstance(text, str):
        return text
    labels: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not (key and equals):
            raise PydanticCustomError("labels", "expected KEY=VALUE, but got {part}", {"part": repr(part)})
        if labels.setdefault(key, value) != value:
            raise PydanticCustomError("labels", "expected each key once, but got {key} twice", {"key": repr(key)})
    return labels


Labels = Annotated[dict[str, str], NoDecode, BeforeValidator(labels_of)]


class WorkerSettings(ServiceSettings):
    """Takes assignments from a runner. Keeps nothing: end it and start it wherever you like."""

    model_config = SettingsConfigDict(env_prefix="SIGNOFF_WORKER_")

    role: Literal["executor", "validator"] = Field(description="What it does: make candidates, or judge them.")
    runner: str = Field("127.0.0.1:50052", description="Address of the runner.")
    name: str = Field("", max_length=128, description="Unique among the runner's workers; made up when empty.")
    slots: int | None = Field(None, ge=1, le=10_000, description="Assignments at once: 7 (executor), 5 (validator).")
    model: str | None = Field(None, description="The model to ask; else SIGNOFF_MODEL. `mock` is built in.")
    grace: float = Field(10.0, ge=0, description="Seconds to finish what is in hand when asked to end.")
    labels: Labels = Field(
        default_factory=dict,
        max_length=MAX_LABELS,
        description="For matching tasks to workers: KEY=VALUE,KEY=VALUE, or the flag several times.",
    )


async def serve(settings: WorkerSettings) -> None:
    """Runs until a signal, then drains."""
    stop = await stop_requested(settings)
    slots = settings.slots or DEFAULT_SLOTS[settings.role]
    handler = handler_of(settings, slots)
    identity = Identity(
        role=_ROLES[settings.role],
        name=settings.name or f"{settings.role}-{socket.gethostname()}-{os.getpid()}",
        slots=slots,
        version=metadata.version("signoff"),
        labels=settings.labels,
    )
    try:
        await Worker(settings.runner, identity, handler).run(stop, settings.grace)
    finally:
        await handler.close()


def handler_of(settings: WorkerSettings, slots: int) -> Handler:
    """The work of a role. Raises ConfigurationError when no model can be asked."""
    model = model_from_settings(settings.model, os.environ, connections=slots)
    return Executor(model) if settings.role == "executor" else Validator(model)


if __name__ == "__main__":
    main(WorkerSettings, serve, "worker_svc")
