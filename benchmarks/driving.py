"""The shared part of all drivers of other engines: arguments, clock, check of the results, and the one JSON line.

The engine is up and warm before the clock starts; the clock stops when the driver holds every result. A result that is
missing, or a task that ran before a dependency, is an error: no engine wins by cheating. Standard library only.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from benchmarks.meter import Meter, Process, family
from benchmarks.sample import Sample, rates
from benchmarks.shapes import SHAPES, Node, graph

EXECUTORS, VALIDATORS = 7, 5
SLOTS = EXECUTORS + VALIDATORS
CLOCK_NOISE = 1e-3  # seconds that two processes' wall clocks may differ by

Result = dict[str, Any]


class BrokenRun(Exception):
    """A run that does not count, because the engine did not do its work."""


def body(task_id: str) -> Result:
    """Returns the result of the no-op task: small, with the time at which it ran."""
    return {"ok": True, "id": task_id, "t": time.time()}


def arguments(parser: argparse.ArgumentParser | None = None) -> argparse.Namespace:
    """Reads `shape`, `tasks` and `phases`, and the arguments of the driver's own parser."""
    parser = parser or argparse.ArgumentParser()
    parser.add_argument("--shape", choices=sorted(SHAPES), default="fan-out")
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--phases", type=int, choices=(1, 2), default=1)
    return parser.parse_args()


def nodes_of(chosen: argparse.Namespace) -> list[Node]:
    return graph(chosen.shape, chosen.tasks, chosen.phases)


@dataclass(slots=True)
class Stopwatch:
    """A clock for a block: its time, and the use of the driver and all its children."""

    started: float = 0.0  #: Unix time
    seconds: float = 0.0
    processes: tuple[Process, ...] = ()
    _begun: float = 0.0
    _meter: Meter = field(default_factory=lambda: Meter({}))

    def __enter__(self) -> Self:
        self._meter = Meter(family(os.getpid()), with_ended=True)
        self._meter.begin()
        self.started, self._begun = time.time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._begun
        self.processes = self._meter.end(family(os.getpid()))


def report(
    chosen: argparse.Namespace,
    nodes: Sequence[Node],
    results: Mapping[str, Result],
    watch: Stopwatch,
    *,
    version: str,
    durable: bool,
    note: str,
    **more: float,
) -> None:
    """Checks the results and prints the sample as one JSON line. Raises BrokenRun."""
    waits = sorted(waits_ms(nodes, results, watch.started))
    figures = rates(chosen.tasks, watch.seconds) | {
        "wait_p50_ms": _percentile(waits, 0.5),
        "wait_p99_ms": _percentile(waits, 0.99),
        **more,
    }
    sample = Sample(figures=figures, processes=watch.processes, version=version, durable=durable, note=note)
    sys.stdout.write(json.dumps({"sample": sample.to_json()}) + "\n")
    sys.stdout.flush()


def waits_ms(nodes: Sequence[Node], results: Mapping[str, Result], started: float) -> list[float]:
    """Returns for each node the milliseconds from the last of its dependencies, or the start, to its own run.

    Raises BrokenRun when a result is missing or a node ran too early.
    """
    missing = [node.id for node in nodes if not results.get(node.id, {}).get("ok")]
    if missing:
        raise BrokenRun(f"expected {len(nodes)} results, but {len(missing)} are missing, first {missing[0]}")
    waits = []
    for node in nodes:
        ready = max((results[name]["t"] for name in node.depends_on), default=started)
        waited = results[node.id]["t"] - ready
        if waited < -CLOCK_NOISE:
            raise BrokenRun(f"expected {node.id} after all it depends on, but it ran {-waited:.3f} s too early")
        waits.append(waited * 1e3)
    return waits


def _percentile(ordered: Sequence[float], share: float) -> float:
    return round(ordered[round(share * (len(ordered) - 1))], 3)
