"""Made-up engines and results of benchmarks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from benchmarks.engine import Measure, SetUp
from benchmarks.meter import Process
from benchmarks.results import MEASURED, Result, Spread
from benchmarks.sample import Sample, rates

MACHINE = {"system": "Linux", "processor": "a processor", "cores": 2, "memory_gib": 8.0}


def sample(seconds: float = 1.0) -> Sample:
    return Sample(
        figures=rates(100, seconds), processes=(Process(name="runner", cpu_seconds=seconds, peak_mib=10 * seconds),)
    )


def engine(run: Callable[[], Awaitable[Sample]], taken_down: list[bool] | None = None) -> SetUp:
    """Returns an engine without a set-up time."""

    @asynccontextmanager
    async def set_up() -> AsyncIterator[Measure]:
        yield run
        if taken_down is not None:
            taken_down.append(True)

    return set_up


def result(workload: str, name: str, **changes: Any) -> Result:
    """Returns a measured result; figures are given as medians."""
    medians = changes.pop("figures", {"tasks_per_second": 100.0})
    fields: dict[str, Any] = {
        "session": "s1",
        "at": "2026-01-02T03:04:05+00:00",
        "workload": workload,
        "engine": name,
        "status": MEASURED,
        "runs": 1,
        "phases": 2,
        "figures": {figure: Spread(median=value, min=value, max=value) for figure, value in medians.items()},
        "processes": (
            {"name": "runner", "count": 1, "cpu_seconds": {"median": 1.0, "min": 1.0, "max": 1.0}, "peak_mib": 60.0},
        ),
        "machine": MACHINE,
        "versions": {"python": "3"},
        "calibration_ms": 12.0,
    }
    return Result(**(fields | changes))
