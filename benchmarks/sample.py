"""The figures of one run of one workload. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.meter import Process


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The figures of one run. The name of a figure ends in its unit: seconds, ms, per_second, kib, mib."""

    figures: Mapping[str, float]
    processes: tuple[Process, ...] = ()
    version: str = ""  #: of the engine
    durable: bool = False  #: finished work survives when every process is killed
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def sample_from_json(line: Mapping[str, Any]) -> Sample:
    """Reads a sample. Raises TypeError or KeyError when it is none."""
    processes = tuple(Process(**process) for process in line["processes"])
    return Sample(**{**line, "processes": processes})


def rates(tasks: int, seconds: float) -> dict[str, float]:
    """Returns the rates of `tasks` tasks that were done in `seconds`."""
    return {
        "seconds": round(seconds, 4),
        "tasks_per_second": round(tasks / seconds, 1),
        "ms_per_task": round(seconds / tasks * 1e3, 4),
    }
