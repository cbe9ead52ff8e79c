"""Result lines keep their form, and new ratios can be compared with stored ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.ratios import compared, ratios, store, stored
from benchmarks.results import Spread, problems_of, result_from_json, results_in, spread
from benchmarks.workloads import FLOOR, quick_workloads
from tests.support.values.benchmark_results import result


def test_a_line_is_valid_and_read_as_it_was_written() -> None:
    written = result("fan-out-1000", "signoff")
    assert list(problems_of(written.to_json())) == []
    assert result_from_json(written.to_json()) == written


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "over"},
        {"status": "fast"},
        {"figures": {}},
        {"runs": 0},
        {"processes": ()},
        {"machine": {}},
    ],
)
def test_a_line_that_says_too_little_is_not_valid(changes: dict[str, object]) -> None:
    assert list(problems_of(result("fan-out-1000", "signoff", **changes).to_json()))


def test_the_last_of_several_lines_counts(tmp_path: Path) -> None:
    lines = [result("w", "a", session="s1"), result("w", "b"), result("w", "a", session="s2")]
    (tmp_path / "results.jsonl").write_text("\n".join(line.to_json() for line in lines) + "\n\n")
    assert [(line.engine, line.session) for line in results_in(tmp_path / "results.jsonl")] == [
        ("a", "s2"),
        ("b", "s1"),
    ]


def test_a_spread_is_median_minimum_and_maximum() -> None:
    assert spread([3.0, 1.0, 2.0]) == Spread(median=2.0, min=1.0, max=3.0)


def test_the_ratio_is_ours_over_the_floor_and_needs_both() -> None:
    lines = [
        result("w", "signoff", figures={"tasks_per_second": 50.0}),
        result("w", "floor", figures={"tasks_per_second": 200.0}),
        result("x", "signoff"),
        result("y", "floor"),
    ]
    assert ratios(lines) == {"w": 0.25}


def test_the_stored_ratios_are_those_of_the_quick_workloads() -> None:
    assert set(stored()) >= {workload.name for workload in quick_workloads() if FLOOR in workload.engines}


def test_stored_ratios_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "ratios.json").write_text(json.dumps({"w": "fast"}))
    with pytest.raises(ValueError, match="expected ratios by workload"):
        stored(tmp_path / "ratios.json")


def test_what_is_stored_can_be_read(tmp_path: Path) -> None:
    store({"w": 0.25}, tmp_path / "ratios.json")
    assert stored(tmp_path / "ratios.json") == {"w": 0.25}


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (0.5, "0.500 of the floor (stored: 0.500, +0%)"),
        (0.38, "0.380 of the floor (stored: 0.500, -24%)"),
        (0.36, "WARNING: slower by more than 25%"),
        (0.7, "faster by more than 25%: keep it with --store"),
    ],
)
def test_a_ratio_is_told_beside_the_stored_one_with_a_warning_beyond_a_quarter(now: float, said: str) -> None:
    (line,) = compared({"w": now}, {"w": 0.5})
    assert said in line
    assert ("WARNING" in line) == ("WARNING" in said)


def test_a_ratio_that_was_never_stored_is_told_too() -> None:
    assert list(compared({"w": 0.5}, {})) == ["w: 0.500 of the floor (none stored)"]
