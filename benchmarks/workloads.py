"""The workloads: the graph, its size, and the engines that run it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.engine import SetUp
from benchmarks.external import driver, peer
from benchmarks.ours import files, graphs, names, page, reruns, restart, streams, trees, turns, watchers
from benchmarks.peers.table import PEERS
from benchmarks.trees import atomic_tasks

OURS, FLOOR, FLOOR_ONE_PHASE, JSON_LOADS = "signoff", "floor", "floor-one-phase", "json.loads"
KIB, MIB = 1024, 1024 * 1024

DEPTHS = (4, 5, 6, 7, 8)
ARTIFACTS = {"1KiB": (KIB, 1000), "256KiB": (256 * KIB, 200), "64MiB": (64 * MIB, 4)}  # bytes, tasks
FILES = {"10x100KiB": (10, 100 * KIB), "10000x100KiB": (10_000, 100 * KIB), "1x1000MiB": (1, 1000 * MIB)}
LONG_TURNS = (1000, 20_000, 100_000)  # tasks
IDLE_SECONDS = 100.0  # two pings
PAGE_SECONDS = 60.0  # in each of three views
PEER_LIMIT = 150.0  # seconds; some runs of some peers stand still and never end


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An engine in a workload."""

    set_up: SetUp
    phases: int = 0  #: 2: each task is executed and validated; 0: no tasks are run
    limit: float = math.inf  #: seconds that a run may take, whatever limit was asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A piece of work, and how each engine is set up for it."""

    name: str
    tasks: int
    engines: Mapping[str, Entry]


def workloads(venvs: Path) -> list[Workload]:
    """Returns all workloads. `venvs`: the folder of the peers' environments."""
    return [
        shape("fan-out", 1000, venvs),
        shape("fan-out", 10_000, venvs),
        shape("chain", 200, venvs),
        shape("layers", 1000, venvs),
        growth(100_000),
        *(tree(depth) for depth in DEPTHS),
        alone("restart-100000", 100_000, partial(restart.restart, 100_000)),
        alone("rerun-10000", 10_000, partial(reruns.rerun, 10_000), phases=2),
        alone("watchers-100", 5000, partial(watchers.watchers, 100, 5000), phases=2),
        alone("streams-1000", 0, partial(streams.streams, 1000, IDLE_SECONDS)),
        alone("in-flight-10000", 10_000, partial(graphs.in_flight, 10_000), phases=2),
        *(alone(f"longest-turn-{tasks}", tasks, partial(turns.longest_turn, tasks), phases=2) for tasks in LONG_TURNS),
        alone("page-2000", 2000, partial(page.page, 2000, PAGE_SECONDS), phases=2),
        alone("many-names-1000x100", 1100, partial(names.many_names, 1000, 100), phases=2),
        *(
            alone(f"artifacts-{name}", tasks, partial(graphs.artifacts, size, tasks), phases=2)
            for name, (size, tasks) in ARTIFACTS.items()
        ),
        *(
            alone(f"files-{name}", 2, partial(files.files, count, size), phases=2)
            for name, (count, size) in FILES.items()
        ),
    ]


def quick_workloads() -> list[Workload]:
    """Returns a few workloads for signoff and the floor: enough to notice code that is slower, or holds the loop."""
    chosen = (shape(name, tasks, None) for name, tasks in (("fan-out", 1000), ("chain", 200), ("layers", 1000)))
    return [
        *(Workload(name=w.name, tasks=w.tasks, engines={n: w.engines[n] for n in (OURS, FLOOR)}) for w in chosen),
        alone("longest-turn-1000", 1000, partial(turns.longest_turn, 1000), phases=2),
        alone("many-names-200x20", 220, partial(names.many_names, 200, 20), phases=2),
    ]


def shape(name: str, tasks: int, venvs: Path | None) -> Workload:
    """Makes a workload that every engine can run. Peers validate the tasks of a fan-out, but not of other graphs."""
    peers = {} if venvs is None else _peers(name, tasks, venvs)
    engines = {
        OURS: Entry(set_up=partial(graphs.shape, name, tasks), phases=2),
        FLOOR: _floor(name, tasks, phases=2),
        FLOOR_ONE_PHASE: _floor(name, tasks, phases=1),
        **peers,
    }
    return Workload(name=f"{name}-{tasks}", tasks=tasks, engines=engines)


def _peers(name: str, tasks: int, venvs: Path) -> dict[str, Entry]:
    phases = 2 if name == "fan-out" else 1
    flags = _flags(name, tasks, phases)
    return {
        key: Entry(set_up=partial(peer, entry, venvs, flags), phases=phases, limit=PEER_LIMIT)
        for key, entry in PEERS.items()
        if tasks <= entry.most_tasks and name in entry.shapes
    }


def _floor(name: str, tasks: int, phases: int) -> Entry:
    return Entry(set_up=partial(driver, "benchmarks.floor", _flags(name, tasks, phases)), phases=phases)


def _flags(name: str, tasks: int, phases: int) -> tuple[str, ...]:
    return ("--shape", name, "--tasks", str(tasks), "--phases", str(phases))


def growth(tasks: int) -> Workload:
    engines = {
        OURS: Entry(set_up=partial(graphs.growth, tasks), phases=2),
        FLOOR: _floor("fan-out", tasks, phases=2),
    }
    return Workload(name=f"growth-{tasks}", tasks=tasks, engines=engines)


def tree(depth: int) -> Workload:
    engines = {
        OURS: Entry(set_up=partial(trees.tree, depth)),
        JSON_LOADS: Entry(set_up=partial(driver, "benchmarks.json_loads", ("--depth", str(depth)))),
    }
    return Workload(name=f"tree-{atomic_tasks(depth)}", tasks=atomic_tasks(depth), engines=engines)


def alone(name: str, tasks: int, set_up: SetUp, phases: int = 0) -> Workload:
    return Workload(name=name, tasks=tasks, engines={OURS: Entry(set_up=set_up, phases=phases)})
