"""The estimated size of a task on the wire is never below its real size."""

from __future__ import annotations

from typing import Any

import pytest

from planner_svc.compiler import Compiled
from planner_svc.read.sizes import size_beyond
from planner_svc.wire.encoding import spec_bytes
from signoff.plan import limits
from tests.support.values.trees import atomic, compiled

LARGEST = 2**53


def reckoned_and_real(result: Compiled) -> tuple[int, int]:
    assert result.map is not None, result.diagnostics
    (task,) = result.map.tasks
    return size_beyond(task, 0), len(spec_bytes(task))


@pytest.mark.parametrize(
    "check",
    [
        {"type": "json"},
        {"type": "length", "min_chars": LARGEST, "max_chars": LARGEST, "visible": True},
        {"type": "count", "path": "a", "min_items": LARGEST, "max_items": LARGEST},
        {"type": "words", "min_words": LARGEST, "max_words": LARGEST},
        {"type": "citations", "min_citations": 1_000_000, "marks": ["urls", "dois", "numbers", "footnotes"]},
        {"type": "language", "code": "en"},
        {"type": "regex", "pattern": "a", "absent": True},
        {"type": "command", "argv": ["a"], "timeout": 3_599.999_999},
        {"type": "function", "name": "f"},
        {
            "type": "paragraphs",
            "min_paragraphs": LARGEST,
            "max_paragraphs": LARGEST,
            "separator": "*",
            "distinct": True,
        },
        {
            "type": "contains",
            "phrases": ["a"],
            "min_occurrences": LARGEST,
            "max_occurrences": LARGEST,
            "any": True,
            "whole_words": True,
            "case_sensitive": True,
        },
        {"type": "contains", "phrases": ["a" * 2_000] * 2, "max_occurrences": LARGEST},
        {"type": "starts_with", "phrase": "a", "paragraph": 1_000_000, "whole_words": True, "case_sensitive": True},
        {"type": "number", "path": "a", "min": -0.1, "max": 0.1},
        {"type": "postscript", "marker": "P.S."},
        {"type": "file_size", "min_bytes": LARGEST, "max_bytes": LARGEST},
        {"type": "media_type", "types": ["a/b"] * 100},
        {"type": "image", "min_width": 9_999, "max_width": 999_999, "min_height": 9_999, "max_height": 999_999},
        {"type": "archive_safe", "max_members": 1_000_000, "max_unpacked_bytes": 1 << 40},
        {
            "type": "table",
            "columns": [
                {
                    "name": f"{n}",
                    "type": "number",
                    "min": -0.1,
                    "max": 0.1,
                    "sum": 0.1,
                    "unique": True,
                    "may_be_empty": True,
                }
                for n in range(20)
            ],
            "only_these": True,
            "min_rows": LARGEST,
            "max_rows": LARGEST,
        },
    ],
)
def test_of_many_checks(check: dict[str, Any]) -> None:
    reckoned, real = reckoned_and_real(compiled(atomic("1", validation={"checks": [check] * limits.MAX_CHECKS})))

    assert reckoned >= real


def test_of_many_checks_that_were_made_from_criteria() -> None:
    criteria = ["is valid JSON", "at least 3 sources", "contains 'x'", "at most 900,000,000,000 words"]
    criteria *= limits.MAX_CRITERIA // len(criteria)

    reckoned, real = reckoned_and_real(compiled(atomic("1", validation={"criteria": criteria})))

    assert reckoned >= real


def test_of_labels_models_and_arguments() -> None:
    executor = {
        "labels": {f"{n}": "" for n in range(64)},
        "escalation": ["m"] * limits.MAX_ESCALATION,
        "command": ["a"] * limits.MAX_ARGUMENTS,
    }
    validation = {"judge": {"labels": {f"{n}": "" for n in range(64)}}}

    reckoned, real = reckoned_and_real(compiled(atomic("1", executor=executor, validation=validation)))

    assert reckoned >= real
