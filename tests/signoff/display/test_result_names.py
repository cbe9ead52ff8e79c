"""Names of results: for people, safe on every disk, and apart."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.display.result_names import INDEX, result_names, safe_name
from signoff.display.visible_text import visible
from signoff.v1 import execution_pb2 as pb


def info(task_id: str, name: str = "", media_type: str = "text/markdown", files: int = 0) -> pb.ArtifactInfo:
    return pb.ArtifactInfo(task_id=task_id, name=name, media_type=media_type, file_count=files)


def test_names_say_what_is_in_them_in_the_order_of_the_plan() -> None:
    tasks = [*(f"1_{number}" for number in range(1, 11)), "2"]
    made = [info("2", "报告 v2.0", files=3), info("1_10", media_type="image/png"), info("1_2", "Notes.MD")]
    assert result_names(made, tasks, {"1_10": "Draw the chart: sales/region"}) == {
        "1_2": "02-Notes.md",
        "1_10": "10-1_10-Draw-the-chart-sales-region.png",
        "2": "11-报告-v2-0",
    }


@pytest.mark.guard(name="results have names apart")
def test_equal_names_differ_by_their_numbers() -> None:
    names = result_names([info("1", "report"), info("2", "Report"), info("3", "report")], "123", {})
    assert len({name.casefold() for name in names.values()}) == 3


def test_a_result_alone_has_no_number_unless_its_name_is_taken() -> None:
    assert result_names([info("1", "report")], ["1"], {}) == {"1": "report.md"}
    for name, media_type in (("index", "application/json"), ("CON", "text/plain"), ("", "text/plain")):
        (found,) = result_names([info("1", name, media_type)], ["1"], {}).values()
        assert found not in (INDEX, "CON.txt")
        assert found


@pytest.mark.guard(name="names of results are tame")
@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "..", "C:\\x", "a\0b", ".hidden", "a\u202eb", "a/b", "\x1b[2J"]
)
def test_a_name_leads_nowhere_and_hides_nothing(name: str) -> None:
    found = safe_name(name)
    assert not set("/\\:\0.") & set(found)
    assert not found.startswith("-")
    assert found == visible(found)


def test_a_name_is_no_option_of_a_program() -> None:
    assert safe_name("-rf --x") == "rf-x"


@given(st.text())
def test_any_text_makes_a_short_name_of_letters(text: str) -> None:
    found = safe_name(text)
    assert len(found.encode()) <= 80
    assert all(unicodedata.category(character)[0] in "LMN" or character in "_-+" for character in found)
