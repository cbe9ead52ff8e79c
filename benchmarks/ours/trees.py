"""Generated plan trees: compiled by the planner, set as the layout of the runner, and started."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.engine import Measure
from benchmarks.ours.executions import compiled, layout_set, started
from benchmarks.ours.graphs import MIB, version
from benchmarks.ours.services import Services
from benchmarks.sample import Sample
from benchmarks.trees import atomic_tasks, tree_json


@asynccontextmanager
async def tree(depth: int) -> AsyncIterator[Measure]:
    """Sets up new services without workers for each run, so that peaks are those of the tree alone."""
    plan = tree_json(depth)

    async def once() -> Sample:
        async with Services(crews=()) as services:
            return await run(services, plan, atomic_tasks(depth))

    yield once


async def run(services: Services, plan: bytes, tasks: int) -> Sample:
    meter = services.meter()
    meter.begin()
    compiling = await compiled(services, plan, "tree")
    setting = await layout_set(services, "tree")
    begun = time.perf_counter()
    await started(services, "tree")
    starting = time.perf_counter() - begun
    figures = {
        "seconds": round(compiling + setting + starting, 4),
        "compile_seconds": round(compiling, 4),
        "set_layout_seconds": round(setting, 4),
        "start_seconds": round(starting, 4),
        "compile_us_per_task": round(compiling / tasks * 1e6, 2),
        "plan_mib": round(len(plan) / MIB, 2),
    }
    return Sample(figures=figures, processes=meter.end(), version=version(), durable=True)
