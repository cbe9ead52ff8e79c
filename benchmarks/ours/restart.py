"""kill -9 of the runner in the middle of an execution: the time until a worker is given work again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from benchmarks.engine import Measure
from benchmarks.ours.executions import prepared, started
from benchmarks.ours.graphs import version
from benchmarks.ours.handlers import NoOpExecutor, NoOpValidator
from benchmarks.ours.services import USUAL, Crew, Services
from benchmarks.ours.worker import identity
from benchmarks.sample import Sample
from benchmarks.shapes import fan_out
from signoff.client.values import Ref
from worker_svc.__main__ import DEFAULT_SLOTS
from worker_svc.assignment import Assignment, Handler, Report, Result
from worker_svc.link.stream import Worker

LOOK_AGAIN = 0.2  # seconds


class Noting:
    """A work.Handler that notes when it is first called, and leaves the work to another."""

    def __init__(self, inner: Handler, first: asyncio.Future[float]) -> None:
        self.offer = inner.offer
        self._inner, self._first = inner, first

    async def __call__(self, assignment: Assignment, report: Report) -> Result:
        if not self._first.done():
            self._first.set_result(time.perf_counter())
        return await self._inner(assignment, report)

    async def close(self) -> None:
        await self._inner.close()


@asynccontextmanager
async def restart(tasks: int) -> AsyncIterator[Measure]:
    """Sets up an execution of which half of the tasks are really done; each run begins with a kill."""
    crew = Crew(role="executor", flags=("--only", str(tasks // 2)))
    async with Services(crews=(crew, USUAL[1])) as services:
        await prepared(services, fan_out(tasks), "half")
        ref = await started(services, "half")
        await _until_half_done(services, ref, tasks)
        for name in ("executor-1", "validator-1"):
            await services.kill(name)

        async def once() -> Sample:
            return await run(services)

        yield once


async def _until_half_done(services: Services, ref: Ref, tasks: int) -> None:
    while (await services.client.get(ref)).counts.done < tasks // 2:
        services.raise_if_dead()
        await asyncio.sleep(LOOK_AGAIN)


async def run(services: Services) -> Sample:
    """Measures from the start of the new runner process to its first new assignment, to a worker that waits for it."""
    meter = services.meter()
    meter.begin()
    program = replace(services.children["runner"].program, listens_at=services.addresses["runner"])
    await services.kill("runner")
    begun = time.perf_counter()
    await services.start(program)
    listening = time.perf_counter() - begun
    assigned = await _first_assignment(services.addresses["runner"])
    figures = {"seconds": round(assigned - begun, 4), "listening_seconds": round(listening, 4)}
    return Sample(figures=figures, processes=meter.end(services.processes()), version=version(), durable=True)


async def _first_assignment(address: str) -> float:
    """Joins an executor and a validator of this process. Returns when either was first given work."""
    first: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for role, handler in (("executor", NoOpExecutor()), ("validator", NoOpValidator())):
            worker = Worker(address, identity(role, f"spare-{role}", DEFAULT_SLOTS[role]), Noting(handler, first))
            group.create_task(worker.run(stop, 0.0))
        at = await first
        stop.set()
    return at
