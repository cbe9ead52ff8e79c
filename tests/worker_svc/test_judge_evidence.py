"""What counts as a quotation: honest judges are not punished for small changes, and invented words are found out."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from worker_svc.judge.evidence import NOTHING, Quotable

TEXT = """\
# The planets

**Mars** is the *fourth* planet — it’s called "the red planet", and\u00a0is
smaller than `Earth`. It has two moons: Phobos & Deimos … (1877).
行星：火星是第四颗行星，被称为“红色行星”。 co\u00adoperate
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
        "The author writes “the fourth planet”, and later “two moons”.",
        "It says 'two moons'",
        "火星是第四颗行星, 被称为「红色行星」",
        "cooperate",
        "Ｍａｒｓ",
        "",
        "None",
        "N/A",
        "-",
        "“”",
        "无。",
    ],
)
def test_a_quotation_with_small_changes_is_one(evidence: str) -> None:
    assert Quotable(TEXT).has(evidence)


@pytest.mark.parametrize(
    "evidence",
    [
        "Jupiter",
        "Mars is the fifth planet",
        "Mars … Jupiter",
        "Mars is called",
        '"Mars" and "Jupiter"',
        "The author writes “the fifth planet”",
        "The candidate names all planets",
        "木星",
        "nothing at all",
        "planet Mars",
    ],
)
def test_words_that_are_not_there_are_none(evidence: str) -> None:
    assert not Quotable(TEXT).has(evidence)


@pytest.mark.parametrize(
    "evidence",
    ['"name": "Mars"', "name: Mars", "火星", "the first\nline two", "the first\\nline two", 'a "red" one', "😀 smile"],
)
def test_a_quotation_of_json_may_be_written_as_it_is_or_as_it_reads(evidence: str) -> None:
    value = {"name": "Mars", "zh": "火星", "lines": "the first\nline two", "said": 'a "red" one', "face": "😀 smile"}
    for content in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=2)):
        assert Quotable(content).has(evidence), content


def test_a_mark_for_unseen_characters_may_be_quoted_with_the_words_around_it() -> None:
    assert Quotable("Venus\U000e0041\U000e0042 is hot").has("Venus⟨U+E0041 and 1 more unseen⟩ is hot")


def test_the_words_for_nothing_are_known_in_lower_case() -> None:
    assert all(word == word.casefold() for word in NOTHING)


@given(text=st.text(max_size=60), data=st.data())
@settings(derandomize=True, deadline=None)
def test_every_part_of_a_text_that_ends_between_words_is_a_quotation_of_it(text: str, data: st.DataObject) -> None:
    words = text.split()
    assume(words and "\\" not in text)
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    assert Quotable(text).has(" ".join(words[start:end]))


@given(text=st.text(max_size=60), evidence=st.text(max_size=60))
@settings(derandomize=True, deadline=None)
def test_no_text_makes_it_raise(text: str, evidence: str) -> None:
    assert Quotable(text).has(evidence) in {True, False}
