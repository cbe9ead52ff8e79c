"""Notes: the criteria and formats that code decides, told to the author of a plan."""

from __future__ import annotations

from planner_svc.criteria.notes import notes, one_line
from tests.support.values.trees import atomic, compiled


def test_one_sentence_for_each_check_that_was_made() -> None:
    own = {"criteria": ["is JSON"], "checks": [{"type": "json"}], "worded_checks": False}
    result = compiled(
        atomic("2", validation={"criteria": ["clear", "at least three\n words"]}),
        atomic("1", validation=own),
        atomic("3", validation={"criteria": ["contains 'Mars'", "not exactly"]}),
    )

    assert result.map is not None
    assert list(notes(result.map)) == [
        '2 criterion 2 "at least three words" is checked by code: '
        "has at least 3 words; where ways to count words disagree, the judge decides",
        "3 criterion 1 \"contains 'Mars'\" is checked by code: contains 'Mars' as a word, its plural or possessive, "
        "in any case; where it stands only inside another word, the judge decides",
    ]


def test_a_long_criterion_is_shown_in_short() -> None:
    assert one_line("x" * 61) == "x" * 60 + "…"
    assert one_line("x" * 60) == "x" * 60
