"""A plan of which one task was changed, started again: the time beside that of compiling it and of a restart."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from benchmarks.driving import BrokenRun
from benchmarks.engine import Measure
from benchmarks.ours.executions import compiled, layout_set, prepared, started, until_succeeded
from benchmarks.ours.graphs import version
from benchmarks.ours.services import Services
from benchmarks.sample import Sample
from benchmarks.shapes import Node, layers, plan_json
from signoff.client.values import Ref

PLAN = "again"


@asynccontextmanager
async def rerun(tasks: int) -> AsyncIterator[Measure]:
    """Sets up a plan that was run; each run changes its last task."""
    nodes = layers(tasks)
    numbers = itertools.count(1)
    async with Services() as services:
        await prepared(services, nodes, PLAN)
        await until_succeeded(services, await started(services, PLAN), nodes)

        async def once() -> Sample:
            return await run(services, nodes, next(numbers))

        yield once


async def run(services: Services, nodes: list[Node], number: int) -> Sample:
    """Measures a restart of the runner, compiling, and from the start of the execution to its end."""
    restarted = await _restart(services)
    meter = services.meter()
    meter.begin()
    changed = plan_json(nodes).replace(f'"step {nodes[-1].id}"'.encode(), f'"step, changed {number} times"'.encode())
    compile_seconds = await compiled(services, changed, PLAN) + await layout_set(services, PLAN)
    begun = time.perf_counter()
    ref = await started(services, PLAN)
    answered = time.perf_counter() - begun
    await until_succeeded(services, ref, nodes)
    seconds = time.perf_counter() - begun
    await _check(services, ref)
    figures = {
        "seconds": round(seconds, 4),
        "answered_seconds": round(answered, 4),
        "compile_seconds": round(compile_seconds, 4),
        "restart_seconds": round(restarted, 4),
        "of_compile_and_three_restarts": round((compile_seconds + seconds) / (compile_seconds + 3 * restarted), 3),
    }
    return Sample(figures=figures, processes=meter.end(services.processes()), version=version(), durable=True)


async def _restart(services: Services) -> float:
    """Kills the runner. Returns the seconds from the start of a new one until its workers are back."""
    program = replace(services.children["runner"].program, listens_at=services.addresses["runner"])
    expected = len(await services.client.workers())
    await services.kill("runner")
    begun = time.perf_counter()
    await services.start(program)
    while sum(worker.connected for worker in await services.client.workers()) < expected:
        services.raise_if_dead()
    return time.perf_counter() - begun


async def _check(services: Services, ref: Ref) -> None:
    """Raises BrokenRun unless one task was done."""
    requests = sum(usage.requests for usage in (await services.client.get(ref)).usage)
    kept = sum(task.artifact.HasField("kept_from") for task in await services.client.tasks(ref))
    done = (await services.client.get(ref)).counts.done
    if kept != done - 1:
        raise BrokenRun(f"expected all tasks but one to be kept, but {kept} of {done} were, after {requests} requests")
