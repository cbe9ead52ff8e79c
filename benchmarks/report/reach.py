"""What was to be reached, and whether it was: one row for each goal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.peers.table import PEERS
from benchmarks.report.figures import Figures, number, ratio
from benchmarks.workloads import FLOOR, JSON_LOADS, OURS

RATE, MS = "tasks_per_second", "ms_per_task"
IN_PROCESS_FLOOR = "asyncio"  # a loop, no engine: nothing to be compared with
MIB_A_GIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """`measure` gives a number or None; it is to be at least, or at most, `reach`."""

    what: str
    measure: Callable[[Figures], float | None]
    reach: float
    unit: str = ""
    at_most: bool = False

    def row(self, figures: Figures) -> tuple[str, str, str, str]:
        value = self.measure(figures)
        bound = f"{'at most' if self.at_most else 'at least'} {number(self.reach)}{self.unit}"
        if value is None:
            return self.what, "not measured", bound, "?"
        met = value <= self.reach if self.at_most else value >= self.reach
        return self.what, f"{number(value)}{self.unit}", bound, "yes" if met else "**no**"


def goals() -> Iterator[Goal]:
    for tasks in (1000, 10_000):
        name = f"fan-out-{tasks}"
        yield Goal(what=f"{name}: rate over the floor's", measure=_of_floor(name), reach=0.5)
        yield Goal(what=f"{name}: rate over the best peer's", measure=_of_peers(name), reach=1.0)
    yield Goal(what="layers-1000: rate over the floor's", measure=_of_floor("layers-1000"), reach=0.5)
    yield Goal(
        what="chain-200: time of a task over the floor's",
        measure=lambda f: ratio(f.median("chain-200", OURS, MS), f.median("chain-200", FLOOR, MS)),
        reach=2.0,
        at_most=True,
    )
    yield Goal(
        what="growth-100000: rate over that of fan-out-10000",
        measure=lambda f: ratio(f.median("growth-100000", OURS, RATE), f.median("fan-out-10000", OURS, RATE)),
        reach=0.85,
    )
    yield _most("growth-100000", "runner_kib_per_task", 3.0, " KiB a task", "the runner's memory")
    yield from _tree_goals()
    yield _most("restart-100000", "seconds", 5.0, " s", "until a worker has work again")
    yield _least("watchers-100", "rate_kept", 0.5, "", "rate kept")
    yield _most("watchers-100", "lag_max_ms", 1000.0, " ms", "the furthest behind")
    yield _most("streams-1000", "runner_kib_per_stream", 96.0, " KiB", "memory of an idle stream")
    yield _most("streams-1000", "runner_idle_core_percent", 1.0, " %", "of a core, idle")


def _tree_goals() -> Iterator[Goal]:
    for tasks in (1296, 7776, 46_656, 279_936, 1_679_616):
        name = f"tree-{tasks}"
        yield Goal(what=f"{name}: compiling over json.loads", measure=_of_loads(name), reach=10.0, at_most=True)
    yield Goal(
        what="tree-1679616: the planner's memory",
        measure=lambda f: _peak_gib(f, "tree-1679616", "planner"),
        reach=4.0,
        unit=" GiB",
        at_most=True,
    )


def _of_floor(workload: str) -> Callable[[Figures], float | None]:
    return lambda f: ratio(f.median(workload, OURS, RATE), f.median(workload, FLOOR, RATE))


def _of_peers(workload: str) -> Callable[[Figures], float | None]:
    def measure(figures: Figures) -> float | None:
        engines = [name for name in PEERS if name != IN_PROCESS_FLOOR]
        rates = [rate for name in engines if (rate := figures.median(workload, name, RATE))]
        return ratio(figures.median(workload, OURS, RATE), max(rates, default=None))

    return measure


def _of_loads(workload: str) -> Callable[[Figures], float | None]:
    def measure(figures: Figures) -> float | None:
        compiling = figures.median(workload, OURS, "compile_seconds")
        return ratio(compiling, figures.median(workload, JSON_LOADS, "compile_seconds"))

    return measure


def _peak_gib(figures: Figures, workload: str, process: str) -> float | None:
    found = figures.of(workload, OURS)
    peaks = [used["peak_mib"] for used in found.processes if used["name"] == process] if found else []
    return peaks[0] / MIB_A_GIB if peaks else None


def _most(workload: str, figure: str, reach: float, unit: str, what: str) -> Goal:
    def measure(figures: Figures) -> float | None:
        return figures.median(workload, OURS, figure)

    return Goal(what=f"{workload}: {what}", measure=measure, reach=reach, unit=unit, at_most=True)


def _least(workload: str, figure: str, reach: float, unit: str, what: str) -> Goal:
    def measure(figures: Figures) -> float | None:
        return figures.median(workload, OURS, figure)

    return Goal(what=f"{workload}: {what}", measure=measure, reach=reach, unit=unit)
