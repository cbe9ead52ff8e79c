"""What the compiler tells about criteria that it made checks of."""

from __future__ import annotations

import pytest

from planner_svc.checks import check_from_json
from planner_svc.notes import in_words, notes, shown
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
        '2 criterion 2 "at least three sources" is checked by code: names at least 3 sources',
        "3 criterion 1 \"contains 'Mars'\" is checked by code: matches the pattern Mars",
    ]


def test_a_long_criterion_is_shown_in_short() -> None:
    assert shown("x" * 61) == "x" * 60 + "…"
    assert shown("x" * 60) == "x" * 60


@pytest.mark.parametrize(
    ("check", "told"),
    [
        ({"type": "json"}, "is JSON"),
        ({"type": "json_schema", "schema": True}, "is JSON that satisfies the schema true"),
        ({"type": "required_keys", "keys": ["a", "b"]}, "is a JSON object with the keys a, b"),
        ({"type": "regex", "pattern": "^#"}, "matches the pattern ^#"),
        ({"type": "regex", "pattern": "^#", "absent": True}, "does not match the pattern ^#"),
        ({"type": "length", "min_chars": 1}, "has at least 1 character"),
        ({"type": "length", "max_chars": 4_000}, "has at most 4,000 characters"),
        ({"type": "count", "min_items": 1, "max_items": 1}, "has exactly 1 entry"),
        ({"type": "count", "path": "a.b", "min_items": 2, "max_items": 3}, "has 2 to 3 entries under a.b"),
        ({"type": "words", "max_words": 0}, "has exactly 0 words"),
        ({"type": "language", "code": "zh"}, "is written in the language zh"),
        ({"type": "citations", "min_citations": 1}, "names at least 1 source"),
        ({"type": "command", "argv": ["python3", "check.py"]}, "passes the command python3 check.py"),
        ({"type": "function", "name": "is_good"}, "passes the function is_good"),
    ],
)
def test_every_kind_of_check_is_told_in_words(check: dict[str, object], told: str) -> None:
    assert in_words(check_from_json(check)) == told
