"""Quotations: honest judges may make small changes, and invented words are found out."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.support.patterns import Run, outgrows
from worker_svc.validate.judge.evidence import LEAST_WORDS, NOTHING, Quotable, is_nothing, words_in

TEXT = """\
# The planets

**Mars** is the *fourth* planet — it’s called "the red planet", and\u00a0is
smaller than `Earth`. It has two moons: Phobos & Deimos … (1877).
行星：火星是第四颗行星，被称为“红色行星”。 co\u00adoperate
"""
TABLE = """\
| name | size | price |
|---|---|---|
| report.pdf | 42 MB | -3.50 € |
| notes.txt | 7 KB | 12 € |
"""


@pytest.mark.parametrize(
    "evidence",
    [
        "Mars",
        "MARS IS THE FOURTH PLANET",
        "**Mars** is the *fourth* planet",
        "Mars is the fourth planet - it's called 'the red planet'",
        "“is smaller than Earth.”",
        "and is\n  smaller than",
        "Mars is the fourth planet.",
        "…smaller than Earth…",
        "Mars is the … smaller than Earth",
        "Mars … [...] Phobos (…) Deimos",
        "Phobos & Deimos ... (1877)",
        "Deimos ... Mars",
        "Mars; Phobos",
        "Mars\nPhobos",
        '"Mars" and "Phobos"',
        "Mars is the fourth planet and It has two moons",
        "It has two moons, and Mars is the fourth planet",
        "The author writes “the fourth planet”, and later “two moons”.",
        "It says 'two moons'",
        "火星是第四颗行星, 被称为「红色行星」",
        "cooperate",
        "Ｍａｒｓ",
    ],
)
def test_a_quotation_with_small_changes_is_one(evidence: str) -> None:
    assert Quotable(TEXT).has(evidence)


@pytest.mark.parametrize("evidence", ["", "None", "N/A", "-", "“”", "无。"])
def test_words_for_nothing_are_no_quotation(evidence: str) -> None:
    assert is_nothing(evidence)
    assert not Quotable(TEXT).shows(evidence)


@pytest.mark.parametrize(
    "evidence",
    [
        "Jupiter",
        "Mars is the fifth planet",
        "Mars … Jupiter",
        "Mars is called",
        '"Mars" and "Jupiter"',
        "Mars is the fourth planet and it has nine moons",
        "Mars and moons and Earth",
        "The author writes “the fifth planet”",
        "The candidate names all planets",
        "木星",
        "nothing at all",
        "planet Mars",
        "…",
        "...",
        "",
    ],
)
def test_words_that_are_not_there_are_none(evidence: str) -> None:
    assert not Quotable(TEXT).has(evidence)
    assert not Quotable(TEXT).shows(evidence)


@pytest.mark.parametrize(
    ("evidence", "is_enough"),
    [
        ("Mars", False),
        ("the", False),
        ("two moons", False),
        ("Mars … moons", False),
        ("has two moons", True),
        ("Mars … It has two moons", True),
        ("The planets", True),
        ("火星", False),
        ("第四颗行星", True),
        ("(1877)", False),
    ],
)
def test_a_quotation_has_three_words_or_is_a_whole_field(evidence: str, is_enough: bool) -> None:
    assert Quotable(TEXT).has(evidence)
    assert Quotable(TEXT).shows(evidence) == is_enough


@pytest.mark.parametrize(
    ("evidence", "is_there"),
    [
        ("42 MB", True),
        ("size: 42 MB", True),
        ("report.pdf: 42 MB", True),
        ("| report.pdf | 42 MB |", True),
        ("report.pdf, 42 MB, -3.50 €", True),
        ("price: 12 €", True),
        ("size: 7 MB", False),
        ("size: 12 €", False),
        ("price: 3.50 €", False),
        ("report.pdf: 7 KB", False),
    ],
)
def test_cells_of_a_table_may_be_quoted_with_what_they_belong_to(evidence: str, is_there: bool) -> None:
    assert Quotable(TABLE).is_field(evidence) == is_there
    assert (
        Quotable(TABLE.replace("|---|---|---|\n", "").replace(" | ", ",").replace("|", "")).is_field(evidence)
        == is_there
    )


@pytest.mark.parametrize(
    "evidence",
    ['"name": "Mars"', "name: Mars", "火星", "the first\nline two", "the first\\nline two", 'a "red" one', "😀 smile"],
)
def test_a_quotation_of_json_may_be_written_as_it_is_or_as_it_reads(evidence: str) -> None:
    value = {"name": "Mars", "zh": "火星", "lines": "the first\nline two", "said": 'a "red" one', "face": "😀 smile"}
    for content in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=2)):
        assert Quotable(content).has(evidence), content


@pytest.mark.parametrize("evidence", ["Mars", "name: Mars", '"moons": 2', "moons: 2", "rings: false", "true", "2"])
def test_a_value_of_json_is_a_field(evidence: str) -> None:
    content = json.dumps({"planets": [{"name": "Mars", "moons": 2, "rings": False, "red": True}]})
    assert Quotable(content).shows(evidence)


def test_a_mark_for_unseen_characters_may_be_quoted_with_the_words_around_it() -> None:
    assert Quotable("Venus\U000e0041\U000e0042 is hot").has("Venus⟨U+E0041 and 1 more unseen⟩ is hot")


def test_the_words_for_nothing_are_known_in_lower_case() -> None:
    assert all(word == word.casefold() for word in NOTHING)


@pytest.mark.parametrize(("text", "count"), [("", 0), ("a b", 2), ("42 MB!", 2), ("火星是红", 3), ("Mars 火星", 2)])
def test_words_of_scripts_without_spaces_are_counted_by_their_letters(text: str, count: int) -> None:
    assert words_in(text) == count


@given(text=st.text(max_size=60), data=st.data())
@settings(derandomize=True, deadline=None)
def test_every_part_of_a_text_that_ends_between_words_is_a_quotation_of_it(text: str, data: st.DataObject) -> None:
    words = [word for word in text.split() if any(map(str.isalnum, word))]
    assume(words and "\\" not in text and len(words) == len(text.split()))
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    quotation = " ".join(words[start:end])
    assert Quotable(text).has(quotation)
    assert words_in(quotation) < LEAST_WORDS or Quotable(text).shows(quotation)


@given(text=st.text(max_size=60), evidence=st.text(max_size=60))
@settings(derandomize=True, deadline=None)
def test_no_text_makes_it_raise(text: str, evidence: str) -> None:
    assert Quotable(text).has(evidence) in {True, False}
    assert Quotable(text).shows(evidence) <= Quotable(text).has(evidence)


@pytest.mark.parametrize("run", [Run("a b c", "\t", "d e f"), Run("", "“", "x"), Run("", "「", "x")])
def test_a_quotation_with_a_long_run_is_looked_for_in_linear_time(run: Run) -> None:
    assert not outgrows(Quotable("The fox has a den.").shows, run, 1_000, most=8, floor=0.01)


@pytest.mark.parametrize("between", [" and ", "\t\t and\t \t", ",\t\t", "\t\t&\t", "\t、\t"])
def test_white_space_around_the_word_between_two_quotations_does_not_count(between: str) -> None:
    assert Quotable("One two three. Four five six.").shows(f"four five six{between}one two three")
