"""The page shows what was measured, says what was not, and keeps what people wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.report.charts import CHARTS, draw
from benchmarks.report.figures import Figures, number, spread_text
from benchmarks.report.page import PAGE, filled
from benchmarks.report.reach import goals
from benchmarks.report.tables import TABLES
from benchmarks.results import Result, Spread
from tests.support.values.benchmark_results import result

RATE, MS = "tasks_per_second", "ms_per_task"


def rate(engine: str, value: float) -> Result:
    return result("fan-out-1000", engine, figures={RATE: value, MS: 1000 / value})


FIGURES = Figures(
    [
        rate("signoff", 2500.0),
        rate("floor", 5000.0),
        rate("dask", 500.0),
        rate("asyncio", 70_000.0),
        result("fan-out-1000", "ray", status="not here", reason="no environment ray", figures={}, runs=0),
        result("chain-200", "signoff", figures={MS: 6.0}),
        result("chain-200", "floor", figures={MS: 2.0}),
        result("tree-1296", "signoff", figures={"compile_seconds": 0.1, "start_seconds": 0.01}),
        result("tree-1296", "json.loads", figures={"compile_seconds": 0.005}),
        result("tree-1679616", "signoff", status="over", reason="over 600 s", figures={}, runs=0),
    ]
)


def row(what: str) -> tuple[str, str, str, str]:
    (found,) = [goal.row(FIGURES) for goal in goals() if goal.what == what]
    return found


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (0.01234, "0.0123"), (5.678, "5.68"), (1234.5, "1,234")])
def test_numbers_have_three_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text


def test_a_spread_is_told_with_its_ends() -> None:
    assert spread_text(Spread(median=870.0, min=764.0, max=892.0)) == "870 (764–892)"
    assert spread_text(Spread(median=1.0, min=1.0, max=1.0)) == "1"


def test_a_goal_that_is_reached_and_one_that_is_not() -> None:
    assert row("fan-out-1000: rate over the floor's") == (
        *("fan-out-1000: rate over the floor's", "0.5"),
        *("at least 0.5", "yes"),
    )
    assert row("chain-200: time of a task over the floor's")[1:] == ("3", "at most 2", "**no**")


def test_the_best_peer_is_an_engine_and_not_a_bare_loop() -> None:
    assert row("fan-out-1000: rate over the best peer's")[1] == "5"


def test_a_goal_that_was_not_measured_is_not_reached() -> None:
    assert row("restart-100000: until a worker has work again")[1:] == ("not measured", "at most 5 s", "?")


def test_what_was_not_measured_says_why() -> None:
    assert FIGURES.text("fan-out-1000", "ray", RATE) == "not here"
    assert FIGURES.text("tree-1679616", "signoff", "compile_seconds") == "over 600 s"
    assert "| 1,679,616 |  | over 600 s |" in TABLES["trees"](FIGURES)


def test_every_table_has_as_many_cells_in_each_row_as_in_its_head() -> None:
    for name, table in TABLES.items():
        widths = {line.count("|") for line in table(FIGURES).splitlines()}
        assert len(widths) == 1, name


def test_tables_go_to_their_places_and_the_rest_of_the_page_stays() -> None:
    page = "before\n<!-- table: trees -->\nold\n<!-- end -->\nafter\n"
    text = filled(page, FIGURES)
    assert text.startswith("before\n<!-- table: trees -->\n| atomic tasks |")
    assert text.endswith("<!-- end -->\nafter\n")
    assert "old" not in text
    assert filled(text, FIGURES) == text


def test_a_place_for_a_table_that_does_not_exist_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        filled("<!-- table: dreams -->\n<!-- end -->", FIGURES)


def test_the_page_has_a_place_for_every_table_and_shows_every_chart() -> None:
    text = PAGE.read_text()
    for name in TABLES:
        assert f"<!-- table: {name} -->" in text
    for name in CHARTS:
        assert f"(performance/{name}.svg)" in text


def test_charts_are_drawn_and_the_same_figures_give_the_same_file(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    first = [path.read_bytes() for path in draw(FIGURES, tmp_path / "a")]
    again = [path.read_bytes() for path in draw(FIGURES, tmp_path / "b")]
    assert first == again
    assert all(b"<svg" in chart for chart in first)
