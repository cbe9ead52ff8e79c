"""Many watchers of one execution: their cost in tasks a second, and how far behind they are."""

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
    """Runs an execution without a watcher, with one, and with `count`."""
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
    """The figures of one execution that was watched."""

    seconds: float  #: from the moment all watch until the client sees the end
    seen: Mapping[str, float]  #: the figures of the watchers
    processes: tuple[meter.Process, ...]


async def run(services: Services, count: int, tasks: int, plan_id: str) -> Watched:
    """Runs an execution, paused until all watchers watch it. Raises BrokenRun."""
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
    """Freezes the connected workers, so that they do nothing meanwhile."""
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
    """Runs a process that watches, and waits until each watcher has received something. It ends with the block."""
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
