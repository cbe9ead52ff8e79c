"""One JSON line for each workload and engine, as result.schema.json describes it."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.meter import Process
from benchmarks.sample import Sample

SCHEMA = Path(__file__).with_name("result.schema.json")

MEASURED, OVER, FAILED, NOT_HERE = "measured", "over", "failed", "not here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The median, minimum and maximum of a figure over the runs."""

    median: float
    min: float
    max: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of an engine with a workload."""

    session: str  #: lines of one session were measured together, in turns: their ratios count
    at: str  #: when, in ISO 8601
    workload: str
    engine: str
    status: str  #: "measured", "over" the time limit, "failed", or "not here"
    reason: str = ""  #: why it is not measured
    runs: int = 0
    tasks: int = 0
    phases: int = 0  #: 2: every task is executed and then validated
    durable: bool = False
    version: str = ""
    note: str = ""
    figures: Mapping[str, Spread] = field(default_factory=dict)
    processes: tuple[Mapping[str, Any], ...] = ()
    machine: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    calibration_ms: float = 0.0

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    def median(self, figure: str) -> float | None:
        spread = self.figures.get(figure)
        return spread.median if spread else None


def result_from_json(line: str) -> Result:
    """Reads a line. Raises ValueError, TypeError or KeyError when it is no result."""
    fields = json.loads(line)
    figures = {name: Spread(**spread) for name, spread in fields["figures"].items()}
    return Result(**{**fields, "figures": figures, "processes": tuple(fields["processes"])})


def results_in(path: Path) -> list[Result]:
    """Returns the results of a file; of several with the same workload and engine the last."""
    lines = (line for line in path.read_text().splitlines() if line.strip())
    return list({(result.workload, result.engine): result for result in map(result_from_json, lines)}.values())


def figures_of(samples: Sequence[Sample]) -> dict[str, Spread]:
    return {name: spread(sample.figures[name] for sample in samples) for name in samples[0].figures}


def processes_of(samples: Sequence[Sample]) -> tuple[Mapping[str, Any], ...]:
    """Returns for each name the CPU seconds as a spread, and the highest of the peaks."""
    by_name: dict[str, list[Process]] = {}
    for process in (process for sample in samples for process in sample.processes):
        by_name.setdefault(process.name, []).append(process)
    return tuple(
        {
            "name": name,
            "count": max(process.count for process in processes),
            "cpu_seconds": asdict(spread(process.cpu_seconds for process in processes)),
            "peak_mib": max(process.peak_mib for process in processes),
        }
        for name, processes in by_name.items()
    )


def spread(values: Iterable[float]) -> Spread:
    found = list(values)
    return Spread(median=round(statistics.median(found), 4), min=min(found), max=max(found))


def problems_of(line: str) -> Iterator[str]:
    """Returns the problems that the schema finds in a line."""
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(json.loads(SCHEMA.read_text()))
    for error in validator.iter_errors(json.loads(line)):
        yield f"{error.json_path}: {error.message}"
