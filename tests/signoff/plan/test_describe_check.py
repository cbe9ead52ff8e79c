"""Checks as people and models read them."""

from __future__ import annotations

import pytest

from planner_svc.checks.structured import check_from_json
from planner_svc.wire.checks import check_to_proto
from signoff.plan.describe_check import describe_check


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
        ({"type": "length", "max_chars": 500, "visible": True}, "is at most 500 characters long, without white space"),
        ({"type": "count", "min_items": 1, "max_items": 1}, "has exactly 1 entry"),
        ({"type": "count", "path": "a.b", "min_items": 2, "max_items": 3}, "has between 2 and 3 entries at a.b"),
        ({"type": "words", "max_words": 0}, "has exactly 0 words"),
        ({"type": "language", "code": "zh"}, 'is written in the language "zh" (ISO 639-1)'),
        ({"type": "citations", "min_citations": 1}, "names at least 1 source: URLs, DOIs, or marks such as [1]"),
        ({"type": "citations", "min_citations": 2, "marks": ["urls"]}, "names at least 2 sources: URLs"),
        (
            {"type": "citations", "min_citations": 2, "marks": ["dois", "numbers", "footnotes"]},
            "names at least 2 sources: DOIs or marks such as [1] or footnotes such as [^1]",
        ),
        ({"type": "command", "argv": ["python3", "check.py"]}, "passes the command python3 check.py"),
        ({"type": "function", "name": "is_good"}, "passes the function is_good"),
        ({"type": "sentences", "min_sentences": 1}, "has at least 1 sentence"),
        ({"type": "highlights", "min_highlights": 2}, "has at least 2 highlights, such as *this*"),
        ({"type": "placeholders", "max_placeholders": 0}, "has exactly 0 placeholders, such as [address]"),
        ({"type": "uppercase_words", "max_uppercase_words": 3}, "has at most 3 words in capital letters"),
        (
            {"type": "paragraphs", "min_paragraphs": 2, "max_paragraphs": 2, "separator": "***", "distinct": True},
            "has exactly 2 paragraphs, with a line *** between them, no two of them the same",
        ),
        (
            {"type": "sections", "min_sections": 2, "separator": "PART"},
            "has at least 2 sections, each of which begins with a line PART 1, PART 2 and so on",
        ),
        ({"type": "contains", "phrases": ["a b", "c"]}, "contains 'a b' and 'c'"),
        ({"type": "contains", "phrases": ["a", "b"], "any": True}, "contains 'a' or 'b'"),
        ({"type": "contains", "phrases": [","], "max_occurrences": 0}, "does not contain ','"),
        ({"type": "contains", "phrases": ["a"], "min_occurrences": 2}, "contains 'a' at least 2 times"),
        (
            {"type": "contains", "phrases": ["a", "b"], "max_occurrences": 1, "min_occurrences": 1},
            "contains 'a' and 'b' each exactly 1 time",
        ),
        (
            {"type": "contains", "phrases": ["a", "b"], "max_occurrences": 0, "whole_words": True},
            "does not contain 'a' or 'b' (as a whole word)",
        ),
        ({"type": "starts_with", "phrase": "Dear"}, "starts with 'Dear'"),
        ({"type": "starts_with", "phrase": "Dear", "paragraph": 2}, "in paragraph 2 starts with 'Dear'"),
        ({"type": "ends_with", "phrase": "x", "case_sensitive": True}, "ends with 'x' (in this case)"),
        ({"type": "uppercase"}, "has no letters but capital ones"),
        ({"type": "lowercase"}, "has no letters but small ones"),
        ({"type": "number", "path": "a.b", "min": 0.5, "max": 1}, "has a number at a.b from 0.5 to 1"),
        (
            {"type": "number", "path": "f1", "direction": "maximize", "threshold": 0.8},
            "has a number at f1 of at least 0.8",
        ),
        ({"type": "number", "max": -1}, "has a number of at most -1"),
        ({"type": "quoted"}, "is enclosed, as a whole, in one pair of quotation marks"),
        ({"type": "title"}, "has a title in double angle brackets, such as <<title>>"),
        ({"type": "postscript"}, "has a postscript: a line after the text that begins with P.S."),
        ({"type": "json", "file": "a.json"}, "has a file a.json that is valid JSON"),
        ({"type": "words", "min_words": 3, "file": "*.md"}, "has files *.md, each of which has at least 3 words"),
        ({"type": "required_files", "files": "a.md"}, "has the file a.md"),
        (
            {"type": "required_files", "files": ["a.md", "b c.csv", "charts/*.png"]},
            "has the files a.md, 'b c.csv' and at least one file charts/*.png",
        ),
        ({"type": "file_size", "min_bytes": 1}, "has at least 1 byte"),
        ({"type": "file_size", "max_bytes": 9, "file": "a"}, "has a file a that has at most 9 bytes"),
        ({"type": "media_type", "types": ["image/png", "image/*"]}, "is image/png or image/* by its bytes"),
        ({"type": "image"}, "is a picture that is not blank"),
        (
            {"type": "image", "min_width": 600, "min_height": 400, "file": "charts/sales.png"},
            "has a picture charts/sales.png of at least 600 × 400 pixels that is not blank",
        ),
        (
            {"type": "image", "max_width": 600, "may_be_blank": True, "file": "*.png"},
            "has pictures *.png, each of at most 600 pixels in width",
        ),
        ({"type": "image", "may_be_blank": True, "file": "*.png"}, "has pictures *.png"),
        ({"type": "table", "file": "a.csv"}, "has a table a.csv"),
        (
            {
                "type": "table",
                "columns": [
                    "day",
                    {"name": "the sum", "type": "number", "min": 0, "max": 9, "sum": 12.5, "unique": True},
                    {"name": "n", "type": "integer", "max": 3, "may_be_empty": True},
                ],
                "only_these": True,
                "min_rows": 1,
            },
            "is a table with the columns day, 'the sum' (numbers, from 0 to 9, 12.5 together, none twice) and "
            "n (whole numbers, at most 3, some may be missing) and no others, and at least 1 row below the head",
        ),
        (
            {"type": "archive_safe", "max_members": 5},
            "is a ZIP or tar archive that unpacks without harm: at most 5 members and 1073741824 bytes, no path or "
            "link out of its folder, no two members of one name",
        ),
    ],
)
def test_every_kind_of_check_is_told_in_words(check: dict[str, object], told: str) -> None:
    assert describe_check(check_to_proto(check_from_json(check))) == told


@pytest.mark.parametrize(
    ("check", "told"),
    [
        (
            {"type": "contains", "phrases": ["Go"]},
            "contains 'Go' as a word, its plural or possessive, in any case; "
            "where it stands only inside another word, the judge decides",
        ),
        (
            {"type": "contains", "phrases": ["TODO"], "max_occurrences": 0},
            "does not contain 'TODO' as a word, its plural or possessive, or as a part of a name such as TODO_x, "
            "in any case; where it stands only inside another word, the judge decides",
        ),
        (
            {"type": "contains", "phrases": ["Cat"], "case_sensitive": True},
            "contains 'Cat' as a word, in this case; where it stands only inside another word, the judge decides",
        ),
        ({"type": "json"}, "is valid JSON"),
        (
            {"type": "citations", "min_citations": 2, "marks": ["urls"]},
            "names at least 2 sources: URLs; where it depends on what may be none, the judge decides",
        ),
    ],
)
def test_what_a_criterion_became_says_what_is_left_to_the_judge(check: dict[str, object], told: str) -> None:
    message = check_to_proto(check_from_json(check))
    message.criterion = 1

    assert describe_check(message) == told
