"""The figures of a report, by workload and engine, and how they are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.results import MEASURED, Result, Spread


class Figures:
    """The results of a report. A missing figure is None, or a text with the reason."""

    def __init__(self, results: Iterable[Result]) -> None:
        self._results = {(result.workload, result.engine): result for result in results}

    def of(self, workload: str, engine: str) -> Result | None:
        return self._results.get((workload, engine))

    def median(self, workload: str, engine: str, figure: str) -> float | None:
        found = self.of(workload, engine)
        return found.median(figure) if found else None

    def text(self, workload: str, engine: str, figure: str) -> str:
        """Returns the median with minimum and maximum, or the reason why there is none; empty when it was not tried."""
        found = self.of(workload, engine)
        if found is None:
            return ""
        figure_spread = found.figures.get(figure)
        if found.status != MEASURED or figure_spread is None:
            return found.reason if found.status == "over" else found.status
        return spread_text(figure_spread)

    @property
    def workloads(self) -> list[str]:
        return list(dict.fromkeys(workload for workload, _ in self._results))

    @property
    def engines(self) -> list[str]:
        return list(dict.fromkeys(engine for _, engine in self._results))

    @property
    def all(self) -> Sequence[Result]:
        return list(self._results.values())


def spread_text(spread: Spread) -> str:
    """Writes a spread as `870 (764–892)`."""
    if spread.min == spread.max:
        return number(spread.median)
    return f"{number(spread.median)} ({number(spread.min)}–{number(spread.max)})"


def number(value: float) -> str:
    """Writes a number with three significant digits, and thousands with commas."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def ratio(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
