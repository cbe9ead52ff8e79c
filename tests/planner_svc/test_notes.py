"""What the compiler tells about criteria that it made checks of."""

from __future__ import annotations

from planner_svc.notes import notes, shown
from tests.planner_svc.trees import atomic, compiled


def test_one_sentence_for_each_check_that_was_made() -> None:
    own = {"criteria": ["is JSON"], "checks": [{"type": "json"}], "worded_checks": False}
    result = compiled(
        atomic("2", validation={"criteria": ["clear", "at least three\n sources"]}),
        atomic("1", validation=own),
        atomic("3", validation={"criteria": ["contains 'Mars'", "not exactly"]}),
    )

    assert result.map is not None
    assert list(notes(result.map)) == [
        '2 criterion 2 "at least three sources" is checked by code: '
        "names at least 3 sources: URLs, DOIs, or marks such as [1]",
        "3 criterion 1 \"contains 'Mars'\" is checked by code: matches the regular expression Mars",
    ]


def test_a_long_criterion_is_shown_in_short() -> None:
    assert shown("x" * 61) == "x" * 60 + "…"
    assert shown("x" * 60) == "x" * 60
