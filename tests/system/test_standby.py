"""Two runners on one PostgreSQL: one works, one stands by, whatever happens to either."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from signoff.client.client import Client
from signoff.client.values import by_execution
from signoff.health import problem_at
from signoff.v1 import execution_pb2
from tests.support.servers.service import Service, until

LEASE = 2.0  # seconds
WITHIN = 60.0
TASKS = 16
FLAGS = ("--ping-interval", "0.4", "--resume-grace", "30")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two runners on one database, a planner and two workers that know both addresses."""

    first: Service
    second: Service
    planner: Service

    @property
    def addresses(self) -> str:
        return f"{self.first.address},{self.second.address}"


@contextlib.asynccontextmanager
async def pair(dsn: str, folder: Path, model: str = "mock:delay=0.03") -> AsyncIterator[Pair]:
    data = ("--data-dir", str(folder / "db"))
    variables = {"SIGNOFF_RUNNER_STORE": dsn, "SIGNOFF_RUNNER_STORE_LEASE": str(LEASE)}
    planner = Service(name="planner", module="planner_svc", flags=data, folder=folder, listens=True)
    services = [planner]
    try:
        await planner.start()
        flags = (*data, "--planner", planner.address, *FLAGS)
        for name in ("first", "second"):
            runner = Service(
                name=name, module="runner_svc", flags=flags, folder=folder, listens=True, variables=variables
            )
            services.append(runner)
            await runner.start()
        two = Pair(services[1], services[2], planner)
        for role in ("executor", "validator"):
            known = ("--role", role, "--runner", two.addresses, "--model", model, "--slots", "3")
            worker = Service(name=role, module="worker_svc", flags=known, folder=folder)
            services.append(worker)
            await worker.start()
        yield two
    finally:
        for service in services:
            if service.is_up:
                await service.kill()


def chain(length: int) -> bytes:
    tasks = [
        {"task_id": str(n), "description": f"Write part {n}", "dependencies": [str(n - 1)] if n else []}
        | {"input": {"format": "text", "description": "x"}, "output": {"format": "text", "description": "x"}}
        for n in range(length)
    ]
    return json.dumps({"idea": "a chain", "tasks": tasks}).encode()


async def serves(service: Service) -> None:
    """Returns once its health is SERVING."""
    async with asyncio.timeout(WITHIN):
        while await asyncio.to_thread(problem_at, service.address):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


async def stands_by(service: Service, *, after: int) -> None:
    await service.says("standing_by", after=after)
    assert "NOT_SERVING" in await asyncio.to_thread(problem_at, service.address)


@pytest.mark.guard(name="a runner stands by")
async def test_a_second_runner_stands_by_and_takes_over_when_the_first_is_killed_and_when_it_is_frozen(
    dsn: str, tmp_path: Path
) -> None:
    async with pair(dsn, tmp_path) as two, Client(planner=two.planner.address, runner=two.addresses) as client:
        await stands_by(two.second, after=0)
        compiled = await client.compile_plan(chain(TASKS), plan_id="chain")
        assert compiled.ok, compiled.diagnostics
        await client.set_layout("chain")
        execution_id = (await client.start("chain")).execution_id
        events = list[execution_pb2.Event]()
        watching = asyncio.create_task(_see(client, execution_id, events))

        def done() -> int:
            return sum(event.HasField("verdict_passed") for event in events)

        await until(lambda: done() >= 3, "three tasks are signed off")
        await two.first.kill()
        before = done()
        async with asyncio.timeout(LEASE + 10):  # on a busy machine
            await serves(two.second)
        await until(lambda: done() > before + 2, "the second runner goes on with it")

        place = two.first.place
        await two.first.start()
        await stands_by(two.first, after=place)

        two.second.freeze()
        place = two.second.place
        await serves(two.first)
        two.second.thaw()
        await stands_by(two.second, after=place)
        assert "ownership_lost" in two.second.said(place)

        async with asyncio.timeout(WITHIN):
            await watching
        assert await two.second.terminate() == 0
        assert await two.first.terminate() == 0
    assert [event.sequence for event in events] == list(range(1, len(events) + 1)), "each once and in order"
    assert done() == TASKS
    assert events[-1].HasField("execution_succeeded")


async def _see(client: Client, execution_id: str, events: list[execution_pb2.Event]) -> None:
    async for message in client.watch(by_execution(execution_id), after=0):
        if isinstance(message, execution_pb2.Event):
            events.append(message)  # noqa: PERF401 - it is read meanwhile
