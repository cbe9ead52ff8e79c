"""Many workers without work: the cost of their streams for the runner."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.engine import Measure
from benchmarks.meter import cpu_seconds, resident_kib
from benchmarks.ours.graphs import version
from benchmarks.ours.services import Crew, Services
from benchmarks.sample import Sample

PROCESSES = 2  # that hold the streams


@asynccontextmanager
async def streams(count: int, idle_seconds: float) -> AsyncIterator[Measure]:
    async def once() -> Sample:
        async with Services(crews=()) as services:
            return await run(services, count, idle_seconds)

    yield once


async def run(services: Services, count: int, idle_seconds: float) -> Sample:
    """Connects `count` streams, then measures for `idle_seconds`, a few pings long."""
    runner = services.pid("runner")
    empty = resident_kib(runner)
    begun = time.perf_counter()
    await services.join([Crew(role="executor", slots=1, processes=PROCESSES, streams=count // PROCESSES)])
    joining = time.perf_counter() - begun
    meter = services.meter()
    meter.begin()
    used = cpu_seconds(runner)
    await asyncio.sleep(idle_seconds)
    busy = (cpu_seconds(runner) - used) / idle_seconds
    figures = {
        "joined_seconds": round(joining, 3),
        "runner_kib_per_stream": round((resident_kib(runner) - empty) / count, 1),
        "runner_idle_core_percent": round(100 * busy, 2),
    }
    return Sample(figures=figures, processes=meter.end(), version=version(), durable=True)
