"""Checks as people and models read them."""

from __future__ import annotations

import pytest

from planner_svc.checkcodec import check_to_proto
from planner_svc.checks import check_from_json
from signoff.check_words import check_in_words


@pytest.mark.parametrize(
    ("check", "told"),
    [
        ({"type": "json"}, "is valid JSON"),
        ({"type": "json_schema", "schema": True}, "satisfies the JSON Schema true"),
        ({"type": "required_keys", "keys": ["a", "b"]}, "is a JSON object with the keys a, b"),
        ({"type": "regex", "pattern": "^#"}, "matches the regular expression ^#"),
        ({"type": "regex", "pattern": "^#", "absent": True}, "does not match the regular expression ^#"),
        ({"type": "length", "min_chars": 1}, "is at least 1 character long"),
        ({"type": "length", "max_chars": 4_000}, "is at most 4000 characters long"),
        ({"type": "count", "min_items": 1, "max_items": 1}, "has exactly 1 entry"),
        ({"type": "count", "path": "a.b", "min_items": 2, "max_items": 3}, "has between 2 and 3 entries at a.b"),
        ({"type": "words", "max_words": 0}, "has exactly 0 words"),
        ({"type": "language", "code": "zh"}, 'is written in the language "zh" (ISO 639-1)'),
        ({"type": "citations", "min_citations": 1}, "names at least 1 source: URLs, DOIs, or marks such as [1]"),
        ({"type": "command", "argv": ["python3", "check.py"]}, "passes the command python3 check.py"),
        ({"type": "function", "name": "is_good"}, "passes the function is_good"),
    ],
)
def test_every_kind_of_check_is_told_in_words(check: dict[str, object], told: str) -> None:
    assert check_in_words(check_to_proto(check_from_json(check))) == told
