"""Graphs of no-op tasks: fan-out, chain, layers, growth, many in flight, artifacts of a size."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib import metadata

from benchmarks.engine import Measure
from benchmarks.meter import resident_kib
from benchmarks.ours.executions import check, flight_of, history, prepared, started, until_succeeded, until_written
from benchmarks.ours.services import USUAL, Crew, Services
from benchmarks.sample import Sample, rates
from benchmarks.shapes import Node, fan_out, graph
from signoff.client.values import Ref

WARM_UP = 60  # tasks, as at the floor
MIB = 1024 * 1024


def version() -> str:
    return metadata.version("signoff")


@asynccontextmanager
async def shape(name: str, tasks: int) -> AsyncIterator[Measure]:
    """Sets up one set of services for all runs."""
    numbers = itertools.count(1)
    async with Services() as services:
        await run(services, fan_out(WARM_UP), "warm_up")

        async def once() -> Sample:
            sample, _ = await run(services, graph(name, tasks), f"run_{next(numbers)}")
            return sample

        yield once


@asynccontextmanager
async def growth(tasks: int) -> AsyncIterator[Measure]:
    """Sets up new services for each run, because memory is measured."""

    async def once() -> Sample:
        async with Services() as services:
            await run(services, fan_out(WARM_UP), "warm_up")
            empty = resident_kib(services.pid("runner"))
            sample, _ = await run(services, fan_out(tasks), "growth")
            grown = resident_kib(services.pid("runner")) - empty
            return with_figures(sample, {"runner_kib_per_task": round(grown / tasks, 2)})

    yield once


@asynccontextmanager
async def in_flight(tasks: int) -> AsyncIterator[Measure]:
    """Sets up one executor that takes all tasks, of which none ends before all have begun."""

    async def once() -> Sample:
        crew = Crew(role="executor", slots=tasks, flags=("--together", str(tasks)))
        async with Services(crews=(crew, USUAL[1])) as services:
            sample, ref = await run(services, fan_out(tasks), "flight")
            flight = flight_of(await history(services, ref))
            more = {"most_in_flight": flight.most, "all_in_flight_seconds": round(flight.seconds, 3)}
            return with_figures(sample, more)

    yield once


@asynccontextmanager
async def artifacts(size: int, tasks: int) -> AsyncIterator[Measure]:
    """Sets up tasks that make `size` bytes each; the client reads one of them afterwards."""
    numbers = itertools.count(1)
    async with Services(crews=(Crew(role="executor", flags=("--size", str(size))), USUAL[1])) as services:

        async def once() -> Sample:
            sample, ref = await run(services, fan_out(tasks), f"run_{next(numbers)}")
            begun = time.perf_counter()
            content = (await services.client.artifact(ref, "t0")).content
            read = time.perf_counter() - begun
            written = tasks * size / MIB / sample.figures["seconds"]
            return with_figures(
                sample,
                {"mib_per_second": round(written, 2), "read_mib_per_second": round(len(content) / MIB / read, 2)},
            )

        yield once


async def run(services: Services, nodes: Sequence[Node], plan_id: str) -> tuple[Sample, Ref]:
    """Measures from StartExecution until the client sees that all tasks are signed off. Raises BrokenRun."""
    await prepared(services, nodes, plan_id)
    meter = services.meter()
    meter.begin()
    begun = time.perf_counter()
    ref = await started(services, plan_id)
    await until_succeeded(services, ref, nodes)
    seconds = time.perf_counter() - begun
    await until_written(services, plan_id, nodes)
    files = time.perf_counter() - begun - seconds
    processes = meter.end()  # the cost of the files is part of it
    await check(services, ref, nodes)
    figures = rates(len(nodes), seconds) | {"files_later_seconds": round(files, 3)}
    return Sample(figures=figures, processes=processes, version=version(), durable=True), ref


def with_figures(sample: Sample, more: dict[str, float]) -> Sample:
    return replace(sample, figures={**sample.figures, **more})
