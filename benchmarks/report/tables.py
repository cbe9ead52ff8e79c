"""The tables of docs/reference/performance.md, by the name of their place on the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.report.figures import Figures, number, ratio, table
from benchmarks.report.reach import goals
from benchmarks.workloads import JSON_LOADS, OURS

GRAPHS = ("fan-out-1000", "fan-out-10000", "layers-1000", "chain-200")
RATE, MS = "tasks_per_second", "ms_per_task"

PAGE = (
    "events_per_second",
    "first_paint_ms",
    *(
        f"{view}_{figure}_ms"
        for view in ("graph", "grid", "table")
        for figure in ("frame_p99", "longest_frame", "longest_task")
    ),
    "heap_mib",
    "heap_growth_mib_per_minute",
    "scripts_gzip_kib",
)
LOADS: Mapping[str, tuple[str, ...]] = {
    "growth-": ("tasks_per_second", "runner_kib_per_task"),
    "restart-": ("seconds", "listening_seconds"),
    "watchers-": ("rate_kept", "unwatched_tasks_per_second", "tasks_per_second", "lag_p50_ms", "lag_max_ms", "cut_off"),
    "streams-": ("joined_seconds", "runner_kib_per_stream", "runner_idle_core_percent"),
    "longest-turn-": ("turn_ms", "run_turn_ms", "undone_snapshot_turn_ms", "rollback_turn_ms", "ended_after_seconds"),
    "many-names-": ("named_over_joined", "named_seconds", "joined_seconds"),
    "page-": PAGE,
    "in-flight-": ("most_in_flight", "seconds", "tasks_per_second"),
    "artifacts-": ("tasks_per_second", "mib_per_second", "read_mib_per_second"),
}


def reach(figures: Figures) -> str:
    return table(("goal", "measured", "reach", "reached"), (goal.row(figures) for goal in goals()))


def graphs(figures: Figures) -> str:
    """Returns tasks a second, for the chain the time of a task; `2` marks engines that also validated every task."""
    engines = [engine for engine in figures.engines if any(figures.of(name, engine) for name in GRAPHS)]
    head = ("engine", "durable", "fan-out 1,000", "fan-out 10,000", "layers", "chain, ms a task")
    return table(head, (_graph_row(figures, engine) for engine in engines))


def _graph_row(figures: Figures, engine: str) -> tuple[str, ...]:
    found = [result for name in GRAPHS if (result := figures.of(name, engine)) and result.runs]
    version = found[0].version if found else ""
    durable = ("yes" if found[0].durable else "no") if found else ""
    cells = [_graph_cell(figures, name, engine) for name in GRAPHS]
    return f"{engine} {version}".strip(), durable, *cells


def _graph_cell(figures: Figures, workload: str, engine: str) -> str:
    text = figures.text(workload, engine, MS if workload.startswith("chain") else RATE)
    found = figures.of(workload, engine)
    return f"{text} ²" if found and found.runs and found.phases == 2 else text


def trees(figures: Figures) -> str:
    head = ("atomic tasks", "json.loads, s", "compile, s", "over json.loads", "SetLayout, s", "start, s", "µs a task")
    names = [name for name in figures.workloads if name.startswith("tree-")]
    return table(head, (_tree_row(figures, name) for name in names))


def _tree_row(figures: Figures, name: str) -> tuple[str, ...]:
    times = ("compile_seconds", "set_layout_seconds", "start_seconds")
    compiling, setting, starting = (figures.text(name, OURS, time) for time in times)
    over = ratio(figures.median(name, OURS, times[0]), figures.median(name, JSON_LOADS, times[0]))
    return (
        f"{int(name.removeprefix('tree-')):,}",
        figures.text(name, JSON_LOADS, times[0]),
        compiling,
        number(over) if over else "",
        setting,
        starting,
        figures.text(name, OURS, "compile_us_per_task"),
    )


def loads(figures: Figures) -> str:
    """Returns the figures of the other workloads, which differ from one to another."""
    rows = [
        (name, figure.replace("_", " "), figures.text(name, OURS, figure))
        for name in figures.workloads
        for figure in next((wanted for prefix, wanted in LOADS.items() if name.startswith(prefix)), ())
    ]
    return table(("workload", "figure", "signoff"), rows)


def processes(figures: Figures) -> str:
    """Returns the use of each of signoff's processes in one run."""
    rows = []
    for result in figures.all:
        for used in result.processes if result.engine == OURS else ():
            cpu = f"{number(used['cpu_seconds']['median'])}"
            rows.append((result.workload, used["name"], cpu, number(used["peak_mib"])))
    return table(("workload", "process", "CPU, s", "peak, MiB"), rows)


def place(figures: Figures) -> str:
    """Returns the machine, the versions, and whether all results are of one session."""
    newest = max(figures.all, key=lambda result: result.at)
    sessions = {result.session for result in figures.all}
    speeds = [result.calibration_ms for result in figures.all]
    machine = newest.machine
    return table(
        ("", ""),
        (
            ("machine", f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB"),
            ("system", str(machine["system"])),
            ("versions", ", ".join(f"{name} {version}" for name, version in newest.versions.items())),
            ("measured", f"{newest.at[:10]}, in {len(sessions)} session{'s' * (len(sessions) > 1)}"),
            ("a fixed loop of Python took", f"{number(min(speeds))} to {number(max(speeds))} ms"),
        ),
    )


TABLES: Mapping[str, Callable[[Figures], str]] = {
    "place": place,
    "reach": reach,
    "graphs": graphs,
    "trees": trees,
    "loads": loads,
    "processes": processes,
}
