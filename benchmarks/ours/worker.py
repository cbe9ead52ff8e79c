"""`python -m benchmarks.ours.worker --role executor --runner ADDRESS`: a worker process whose work costs nothing.

The stream, the leases and the frames are those of signoff; only the handler is replaced. `--streams` holds several
workers in one process, each with a connection of its own.
"""

from __future__ import annotations

import asyncio
from importlib import metadata
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.ours.handlers import NoOpExecutor, NoOpValidator
from signoff.service.process import ServiceSettings, main, stop_requested
from signoff.v1 import runner_pb2
from worker_svc.assignment import Handler
from worker_svc.link.stream import Identity, Worker

_ROLES = {"executor": runner_pb2.WORKER_ROLE_EXECUTOR, "validator": runner_pb2.WORKER_ROLE_VALIDATOR}


class WorkerSettings(ServiceSettings):
    """A worker whose work costs nothing."""

    model_config = SettingsConfigDict(env_prefix="SIGNOFF_BENCH_WORKER_")

    role: Literal["executor", "validator"]
    runner: str
    name: str
    slots: int = Field(ge=1, le=10_000)
    streams: int = Field(1, ge=1, description="Workers in this process.")
    size: int = Field(0, ge=0, description="Bytes that a task makes; 0: a small JSON object.")
    together: int = Field(0, ge=0, description="No task ends before so many have begun.")
    only: int | None = Field(None, ge=1, description="So many tasks end, the others never.")
    takes: float = Field(0.0, ge=0, description="Seconds that an executor takes for a task.")
    rejects: int = Field(0, ge=0, description="Attempts of each task that a validator rejects.")
    grace: float = Field(0.0, ge=0, description="Seconds to finish what is in hand when asked to end.")


async def serve(settings: WorkerSettings) -> None:
    """Runs until a signal."""
    stop = await stop_requested(settings)
    async with asyncio.TaskGroup() as group:
        for number in range(settings.streams):
            name = f"{settings.name}-{number}" if settings.streams > 1 else settings.name
            worker = Worker(settings.runner, identity(settings.role, name, settings.slots), handler_of(settings))
            group.create_task(worker.run(stop, settings.grace))


def identity(role: str, name: str, slots: int) -> Identity:
    return Identity(role=_ROLES[role], name=name, slots=slots, version=metadata.version("signoff"))


def handler_of(settings: WorkerSettings) -> Handler:
    if settings.role == "validator":
        return NoOpValidator(rejects=settings.rejects)
    return NoOpExecutor(size=settings.size, together=settings.together, only=settings.only, takes=settings.takes)


if __name__ == "__main__":
    main(WorkerSettings, serve, "benchmarks.ours.worker")
