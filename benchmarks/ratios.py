"""The stored ratios: the part of the floor's rate that signoff reached when the ratios were last accepted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from benchmarks.results import Result
from benchmarks.workloads import FLOOR, OURS

STORED = Path(__file__).with_name("ratios.json")
TOLERANCE = 0.25  # beyond that, a person should look
RATE = "tasks_per_second"


def ratios(results: Iterable[Result]) -> dict[str, float]:
    """By workload, signoff's rate over the floor's."""
    rates = {(result.workload, result.engine): result.median(RATE) for result in results}
    found = {}
    for (workload, engine), rate in rates.items():
        floor = rates.get((workload, FLOOR))
        if engine == OURS and rate and floor:
            found[workload] = round(rate / floor, 3)
    return found


def stored(path: Path = STORED) -> dict[str, float]:
    """Raises ValueError when the file is not what it should be."""
    found = json.loads(path.read_text())
    if not isinstance(found, dict) or not all(isinstance(ratio, float) and ratio > 0 for ratio in found.values()):
        raise ValueError(f"expected ratios by workload in {path}, but got {found}")
    return found


def store(found: Mapping[str, float], path: Path = STORED) -> None:
    path.write_text(json.dumps(dict(sorted(found.items())), indent=2) + "\n")


def compared(found: Mapping[str, float], before: Mapping[str, float]) -> Iterator[str]:
    """A line for each workload, with a warning where the ratio has left its place."""
    for workload, ratio in found.items():
        old = before.get(workload)
        if old is None:
            yield f"{workload}: {ratio:.3f} of the floor (none stored)"
            continue
        change = ratio / old - 1
        line = f"{workload}: {ratio:.3f} of the floor (stored: {old:.3f}, {change:+.0%})"
        yield line + _remark(change)


def _remark(change: float) -> str:
    if change < -TOLERANCE:
        return f"\nWARNING: slower by more than {TOLERANCE:.0%}"
    if change > TOLERANCE:
        return f"; faster by more than {TOLERANCE:.0%}: keep it with --store"
    return ""
