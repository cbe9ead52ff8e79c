"""`python -m worker_svc --role executor|validator|both`: one worker process."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, Literal

import structlog
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode, SettingsConfigDict

from signoff.rpc.ports import RUNNER_ADDRESS
from signoff.secrets.redaction import Secrets
from signoff.service.process import ServiceSettings, main, stop_requested
from signoff.service.standard_streams import open_closed_streams
from signoff.v1 import runner_pb2
from worker_svc.assignment import Handler
from worker_svc.files.scratch import remove_left_overs, remove_own
from worker_svc.handlers import WorkerOptions, executor_of, validator_of
from worker_svc.link.stream import Identity, Worker
from worker_svc.llm.config.keys import secrets_of

log = structlog.get_logger(__name__)

DEFAULT_SLOTS = {"executor": 7, "validator": 5}
_ROLES = {"executor": runner_pb2.WORKER_ROLE_EXECUTOR, "validator": runner_pb2.WORKER_ROLE_VALIDATOR}
MAX_LABELS = 64


def labels_of(text: object) -> object:
    """Reads KEY=VALUE,KEY=VALUE as a mapping; returns anything but text as it came."""
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


def apps_of(text: object) -> object:
    """Reads MODULE:ATTRIBUTE,MODULE:ATTRIBUTE as a tuple; returns anything but text as it came."""
    if not isinstance(text, str):
        return text
    return tuple(dict.fromkeys(filter(None, (part.strip() for part in text.split(",")))))


Apps = Annotated[tuple[str, ...], NoDecode, BeforeValidator(apps_of)]


class WorkerSettings(ServiceSettings):
    """Takes assignments from a runner. Keeps nothing: end it and start it wherever you like."""

    model_config = SettingsConfigDict(env_prefix="SIGNOFF_WORKER_")

    role: Literal["executor", "validator", "both"] = Field(description="What it does: make candidates, or judge them.")
    runner: str = Field(
        RUNNER_ADDRESS, description="Address of the runner; of several, with commas, the one that serves."
    )
    name: str = Field("", max_length=128, description="Unique among the runner's workers; made up when empty.")
    slots: int | None = Field(None, ge=1, le=10_000, description="Assignments at once: 7 (executor), 5 (validator).")
    model: str | None = Field(None, description="The model to ask; else SIGNOFF_MODEL. `mock` is built in.")
    models: Path | None = Field(None, description="A file of models and their settings; else SIGNOFF_MODELS.")
    app: Apps = Field(
        (), description="Functions of your own: MODULE:ATTRIBUTE,MODULE:ATTRIBUTE, or the flag several times."
    )
    allow_commands: bool = Field(False, description="Run the programs that plans name, with this worker's rights.")
    grace: float = Field(10.0, ge=0, description="Seconds to finish what is in hand when asked to end.")
    labels: Labels = Field(
        default_factory=dict,
        max_length=MAX_LABELS,
        description="For matching tasks to workers: KEY=VALUE,KEY=VALUE, or the flag several times.",
    )


async def serve(settings: WorkerSettings) -> None:
    """Runs until a signal, then drains."""
    roles = ("executor", "validator") if settings.role == "both" else (settings.role,)
    stop = await stop_requested(settings)
    secrets = secrets_of(os.environ)
    hide_in_logs(secrets)
    await asyncio.to_thread(remove_left_overs)
    handlers = {
        role: handler_of(settings.model_copy(update={"role": role}), slots_of(settings, role), secrets)
        for role in roles
    }
    working = [asyncio.create_task(work(settings, role, handler, stop)) for role, handler in handlers.items()]
    await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
    stop.set()  # a worker that ended by itself was refused, and the other ends with it
    for ended in await asyncio.gather(*working, return_exceptions=True):
        if isinstance(ended, BaseException):
            raise ended


async def work(settings: WorkerSettings, role: str, handler: Handler, stop: asyncio.Event) -> None:
    """Runs one worker of a role to its end."""
    identity = Identity(
        role=_ROLES[role],
        name=name_of(settings, role),
        slots=slots_of(settings, role),
        version=metadata.version("signoff"),
        labels=settings.labels,
    )
    log.info("worker_starts", name=identity.name, slots=identity.slots, offers=handler.offer.handlers)
    try:
        await Worker(settings.runner, identity, handler).run(stop, settings.grace)
    finally:
        await handler.close()


def name_of(settings: WorkerSettings, role: str) -> str:
    """Returns the worker's name. Two roles in one process are two workers to the runner, with a name each."""
    if not settings.name:
        return f"{role}-{socket.gethostname()}-{os.getpid()}"
    return f"{settings.name}-{role}" if settings.role == "both" else settings.name


def slots_of(settings: WorkerSettings, role: str) -> int:
    return settings.slots or DEFAULT_SLOTS[role]


def hide_in_logs(secrets: Secrets) -> None:
    """Keeps secrets out of all later log lines, those too that are learned later."""
    structlog.configure(
        processors=[*structlog.get_config()["processors"], lambda _logger, _method, line: _hidden(line, secrets)]
    )


def _hidden(line: Any, secrets: Secrets) -> Any:
    return secrets.without(line) if isinstance(line, str) else line


def handler_of(settings: WorkerSettings, slots: int, secrets: Secrets | None = None) -> Handler:
    """Builds the handler of a role. Raises ConfigurationError when it offers nothing, or an app cannot be used."""
    options = WorkerOptions(
        model=settings.model,
        models=settings.models,
        apps=settings.app,
        allow_commands=settings.allow_commands,
        slots=slots,
    )
    return executor_of(options, secrets) if settings.role == "executor" else validator_of(options, secrets)


def leave_threads_behind() -> None:
    """Ends the process even if functions have left threads running: the interpreter would wait for them."""
    ended = sys.exception()
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    if all(thread.daemon for thread in others) or not isinstance(ended, SystemExit | None):
        return
    remove_own()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(ended.code if ended is not None and isinstance(ended.code, int) else 0)


if __name__ == "__main__":
    open_closed_streams()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # prints of functions are seen at once
    try:
        main(WorkerSettings, serve, "worker_svc")
    finally:
        leave_threads_behind()
