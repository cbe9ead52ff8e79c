"""A house: planner, runner, worker and door, each a process, with a folder of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from signoff.client.client import Client
from signoff.client.values import by_execution
from signoff.v1 import execution_pb2
from tests.browser.plans import text_of
from tests.support.servers.service import Service

QUICK = ("--ping-interval", "0.4", "--resume-grace", "3.0")
MOCK = "mock:delay=0.02"


@dataclass(slots=True, kw_only=True)
class House:
    """Services that are up. The runner and the door may be killed, and started again at the same address."""

    folder: Path
    planner: Service
    runner: Service
    worker: Service
    door: Service
    client: Client = field(init=False)

    @property
    def url(self) -> str:
        return f"http://{self.door.address}/"

    async def started(self, plan_id: str, plan: Mapping[str, Any], **settings: Any) -> str:
        """Stores a plan and starts an execution of it. Returns its id."""
        compiled = await self.client.compile_plan(text_of(plan).encode(), plan_id=plan_id)
        assert compiled.ok, compiled.diagnostics
        await self.client.set_layout(plan_id)
        execution = await self.client.start(plan_id, execution_pb2.ExecutionSettings(**settings))
        return execution.execution_id

    async def events(self, execution_id: str, *, follow: bool = False) -> list[execution_pb2.Event]:
        """Returns the events of an execution, all up to its end when asked to follow it."""
        messages = self.client.watch(by_execution(execution_id), after=0, follow=follow)
        return [message async for message in messages if isinstance(message, execution_pb2.Event)]

    async def approve(self, execution_id: str, task_id: str) -> None:
        """Approves what waits for a person, as the command line does."""
        ref = by_execution(execution_id)
        seen = (await self.client.candidate(ref, task_id, info_only=True)).info
        await self.client.judge(ref, task_id, passes=True, person="Anna", seen=seen)

    async def ended(self, execution_id: str) -> list[execution_pb2.Event]:
        async with asyncio.timeout(60):
            return await self.events(execution_id, follow=True)


@asynccontextmanager
async def house(folder: Path, *, model: str = MOCK, door_flags: tuple[str, ...] = ()) -> AsyncIterator[House]:
    """Starts a house, and leaves no process of it behind."""
    built = _house(folder, model, door_flags)
    try:
        await built.planner.start()
        await _start_the_rest(built)
        async with Client(planner=built.planner.address, runner=built.runner.address) as built.client:
            yield built
    finally:
        for service in (built.door, built.worker, built.runner, built.planner):
            await _ended(service)


@asynccontextmanager
async def another_door(of: House, *flags: str, **variables: str) -> AsyncIterator[Service]:
    """Starts one more door in front of the services of a house."""
    name = f"door-{len(list(of.folder.glob('door*.log')))}"
    upstream = ("--runner", of.runner.address, "--planner", of.planner.address)
    door = _service(of.folder, name, "signoff.web", *upstream, *flags)
    door.variables = dict(variables)
    try:
        await door.start()
        yield door
    finally:
        await _ended(door)


def _house(folder: Path, model: str, door_flags: tuple[str, ...]) -> House:
    data = ("--data-dir", str(folder / "db"))
    working = ("--role", "both", "--name", "worker-1", "--model", model, "--allow-commands", "--slots", "8")
    return House(
        folder=folder,
        planner=_service(folder, "planner", "planner_svc", *data),
        runner=_service(folder, "runner", "runner_svc", *data, *QUICK),
        worker=_service(folder, "worker", "worker_svc", *working, listens=False),
        door=_service(folder, "door", "signoff.web", *door_flags),
    )


def _service(folder: Path, name: str, module: str, *flags: str, listens: bool = True) -> Service:
    return Service(name=name, module=module, flags=flags, folder=folder, listens=listens)


async def _start_the_rest(built: House) -> None:
    planner = ("--planner", built.planner.address)
    built.runner.flags += planner
    await built.runner.start()
    runner = ("--runner", built.runner.address)
    built.worker.flags += runner
    built.door.flags += (*planner, *runner)
    await asyncio.gather(built.worker.start(), built.door.start())


async def _ended(service: Service) -> None:
    if service.process is not None:
        await service.kill()
        if service.process.stdin is not None:
            service.process.stdin.close()
