"""The charts of docs/reference/performance.md, as SVG. matplotlib comes with the extra `bench`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.report.figures import Figures, number
from benchmarks.workloads import FLOOR_ONE_PHASE, JSON_LOADS, OURS

OURS_COLOUR, OTHERS_COLOUR = "#c0392b", "#7f8c8d"
INCH = 0.32  # of a bar's row


def rates(figures: Figures, axes: Any) -> None:
    """Draws bars: tasks a second of a fan-out of 1,000."""
    _bars(figures, axes, "fan-out-1000", "tasks_per_second")
    axes.set_title("Fan-out of 1,000 no-op tasks, executed and validated")
    axes.set_xlabel("tasks a second (log scale)")


def chain(figures: Figures, axes: Any) -> None:
    """Draws bars: milliseconds from a task to the next one in a chain."""
    _bars(figures, axes, "chain-200", "ms_per_task")
    axes.set_title("Chain of 200: time of a task (signoff and floor validate each, peers do not)")
    axes.set_xlabel("milliseconds a task (log scale)")


def trees(figures: Figures, axes: Any) -> None:
    """Draws lines: seconds over atomic tasks, both logarithmic, so that a straight line at 45 degrees is linear."""
    for label, engine, figure in (
        ("compile", OURS, "compile_seconds"),
        ("SetLayout", OURS, "set_layout_seconds"),
        ("start", OURS, "start_seconds"),
        ("json.loads", JSON_LOADS, "compile_seconds"),
    ):
        points = _tree_points(figures, engine, figure)
        axes.plot([tasks for tasks, _ in points], [seconds for _, seconds in points], marker="o", label=label)
    axes.set(xscale="log", yscale="log", xlabel="atomic tasks", ylabel="seconds", title="Trees of tasks")
    axes.legend()


def _tree_points(figures: Figures, engine: str, figure: str) -> list[tuple[int, float]]:
    names = [name for name in figures.workloads if name.startswith("tree-")]
    found = [(int(name.removeprefix("tree-")), figures.median(name, engine, figure)) for name in names]
    return sorted((tasks, seconds) for tasks, seconds in found if seconds)


def _bars(figures: Figures, axes: Any, workload: str, figure: str) -> None:
    engines = [engine for engine in figures.engines if engine != FLOOR_ONE_PHASE]
    found = [(engine, figures.median(workload, engine, figure)) for engine in engines]
    values = sorted(((value, engine) for engine, value in found if value), reverse=figure.startswith("ms"))
    colours = [OURS_COLOUR if engine == OURS else OTHERS_COLOUR for _, engine in values]
    axes.barh([engine for _, engine in values], [value for value, _ in values], color=colours)
    axes.set_xscale("log")
    axes.bar_label(axes.containers[0], fmt=number, padding=3)
    axes.margins(x=0.15)


CHARTS: Mapping[str, Callable[[Figures, Any], None]] = {"rates": rates, "chain": chain, "trees": trees}


def draw(figures: Figures, folder: Path) -> Sequence[Path]:
    """Writes every chart and returns the paths. Raises SystemExit without matplotlib."""
    try:
        import matplotlib as mpl
    except ImportError:
        raise SystemExit("charts need matplotlib: pip install '.[bench]'") from None
    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "signoff", "svg.fonttype": "none"})  # equal figures give equal files
    folder.mkdir(parents=True, exist_ok=True)
    return [_draw(chart, figures, folder / f"{name}.svg") for name, chart in CHARTS.items()]


def _draw(chart: Callable[[Figures, Any], None], figures: Figures, path: Path) -> Path:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, max(3.0, INCH * len(figures.engines))), layout="constrained")
    chart(figures, figure.subplots())
    figure.savefig(path, metadata={"Date": None})
    return path
