"""Many watchers of one execution: what they cost the rate, and how far behind they are."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks import meter
from benchmarks.driving import BrokenRun
from benchmarks.engine import Measure
from benchmarks.ours.executions import check, prepared, started, until_succeeded, until_written
from benchmarks.ours.graphs import version
from benchmarks.ours.services import Services
from benchmarks.sample import Sample
from benchmarks.shapes import fan_out
from signoff.client.values import Ref


@asynccontextmanager
async def watchers(count: int, tasks: int) -> AsyncIterator[Measure]:
    """Each run: nobody watches, one watches, `count` watch."""
    numbers = itertools.count(1)
    async with Services() as services:

        async def once() -> Sample:
            number = next(numbers)
            unwatched = await run(services, 0, tasks, f"run_{number}_none")
            alone = await run(services, 1, tasks, f"run_{number}_one")
            watched = await run(services, count, tasks, f"run_{number}_all")
            figures = {
                "tasks_per_second": round(tasks / watched.seconds, 1),
                "unwatched_tasks_per_second": round(tasks / unwatched.seconds, 1),
                "watched_by_one_tasks_per_second": round(tasks / alone.seconds, 1),
                "rate_kept": round(unwatched.seconds / watched.seconds, 3),
                **watched.seen,
            }
            return Sample(figures=figures, processes=watched.processes, version=version(), durable=True)

        yield once


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One execution that was watched."""

    seconds: float  #: from the moment all watch until the client sees the end
    seen: Mapping[str, float]  #: what the watchers say of it
    processes: tuple[meter.Process, ...]


async def run(services: Services, count: int, tasks: int, plan_id: str) -> Watched:
    """Pauses the execution until all watch. Raises BrokenRun."""
    nodes = fan_out(tasks)
    await prepared(services, nodes, plan_id)
    with _frozen_workers(services):  # or a quick plan might be over before it is paused
        ref = await started(services, plan_id)
        await services.client.pause(ref, "until all watch")
    async with _watching(services, ref, count) as process:
        used = meter.Meter({**services.processes(), process.pid: "watchers"})
        used.begin()
        begun = time.perf_counter()
        await services.client.resume(ref)
        await until_succeeded(services, ref, nodes)
        seconds = time.perf_counter() - begun
        seen = await _line(process)
        processes = used.end()
    await until_written(services, plan_id, nodes)
    await check(services, ref, nodes)
    return Watched(seconds=seconds, seen=seen, processes=processes)


@contextmanager
def _frozen_workers(services: Services) -> Iterator[None]:
    """Meanwhile the workers, which are connected, do nothing."""
    workers = [pid for pid, name in services.processes().items() if name.startswith(("executor", "validator"))]
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def _watching(services: Services, ref: Ref, count: int) -> AsyncIterator[Process]:
    """A process of its own that watches, and in which each watcher has heard something; it ends with the block."""
    flags = ("--runner", services.addresses["runner"], "--execution", ref.execution_id, "--count", str(count))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.ours.watching", *flags), stdin=PIPE, stdout=PIPE
    )
    try:
        await _line(process)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _line(process: Process) -> Any:
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise BrokenRun("expected the watchers to watch until the end, but their process has ended")
    return json.loads(line)
