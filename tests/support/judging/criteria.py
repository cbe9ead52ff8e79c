"""Criteria as people and models write them, and what each must become: tests/planner_svc/criteria.

A line says what a criterion becomes beside an output format, and what is to come out for texts: "pass" and "fail" by
code, "judge" where code must not decide. The command

    python -m tests.support.judging.criteria

counts the lines, and those that come out otherwise.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from planner_svc.checks.kinds import (
    Check,
    CitationsCheck,
    ContainsCheck,
    CountCheck,
    JsonCheck,
    JsonSchemaCheck,
    LanguageCheck,
    LengthCheck,
    RequiredKeysCheck,
    WordsCheck,
)
from planner_svc.criteria.criteria import check_of_criterion
from planner_svc.wire.checks import check_to_proto
from signoff.v1 import execution_pb2
from worker_svc.validate.checks import check_result

FOLDER = Path(__file__).parents[2] / "planner_svc" / "criteria"
JUDGE = "judge"

_OUTCOMES = {
    execution_pb2.OUTCOME_PASS: "pass",
    execution_pb2.OUTCOME_FAIL: "fail",
    execution_pb2.OUTCOME_ERROR: JUDGE,
}
_FILLER = re.compile(r"\{(\d+) (words|characters|字)\}")
_ESCAPE = re.compile(r"\\(?:([\\n])|u([0-9a-f]{4}))")


class Example(NamedTuple):
    """A candidate, and what is to come out for it."""

    outcome: str
    candidate: str


class Row(NamedTuple):
    """A criterion, beside a format."""

    criterion: str
    output_format: str
    becomes: str  #: the check in short, or "judge"
    examples: tuple[Example, ...]
    place: str  #: file and line


def rows() -> list[Row]:
    """Returns all criteria of the folder."""
    return [row for file in sorted(FOLDER.glob("*.txt")) for row in _rows_of(file)]


def _rows_of(file: Path) -> Iterator[Row]:
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            criterion, output_format, becomes, *texts = line.replace(" | | ", " |  | ").split(" | ")
            yield Row(criterion, output_format.strip(), becomes, tuple(map(_example, texts)), f"{file.name}:{number}")


def _example(text: str) -> Example:
    outcome, _, candidate = text.partition(": ")
    return Example(outcome, _FILLER.sub(_filler, _ESCAPE.sub(_escaped, candidate)))


def _escaped(match: re.Match[str]) -> str:
    return chr(int(match[2], 16)) if match[2] else match[1].replace("n", "\n")


def _filler(match: re.Match[str]) -> str:
    piece = {"words": "word ", "characters": "x", "字": "字"}[match[2]]
    return (piece * int(match[1])).strip()


def described(check: Check | None) -> str:
    """Returns a check as the lines of the folder have it."""
    match check:
        case None:
            return JUDGE
        case JsonCheck():
            return "json"
        case JsonSchemaCheck():
            schema = json.loads(check.schema_json)
            return f"arrays {', '.join(schema['required'])}" if "required" in schema else f"json {schema['type']}"
        case RequiredKeysCheck():
            return f"keys {', '.join(check.keys)}"
        case WordsCheck():
            return f"words {_range(check.min_words, check.max_words)}"
        case LengthCheck():
            return f"{'字' if check.visible else 'characters'} {_range(check.min_chars, check.max_chars)}"
        case CountCheck():
            return f"entries {check.path + ' ' if check.path else ''}{_range(check.min_items, check.max_items)}"
        case CitationsCheck():
            return f"sources {check.min_citations}.. {' '.join(mark.value for mark in check.marks)}"
        case ContainsCheck():
            verb = "lacks" if check.max_occurrences == 0 else "mentions"
            return f"{verb} {'exactly ' if check.case_sensitive else ''}{', '.join(check.phrases)}"
        case LanguageCheck():
            return f"language {check.code}"
        case _:
            return type(check).__name__


def _range(least: int, most: int | None) -> str:
    return f"{least or ''}..{'' if most is None else most}"


def outcome(row: Row, candidate: str) -> str:
    """Returns what comes out for a candidate: what code says, or that a judge is asked."""
    check = check_of_criterion(row.criterion, row.output_format)
    if check is None:
        return JUDGE
    made = check_to_proto(dataclasses.replace(check, criterion=1))
    return _OUTCOMES[check_result(made, candidate.encode()).outcome]


def problems(every: Sequence[Row]) -> list[str]:
    """Returns what does not come out as its line says."""
    found = []
    for row in every:
        made = described(check_of_criterion(row.criterion, row.output_format))
        if made != row.becomes:
            found.append(f"{row.place}: expected {row.criterion!r} to become {row.becomes!r}, but got {made!r}")
            continue
        for example in row.examples:
            if (got := outcome(row, example.candidate)) != example.outcome:
                shown = example.candidate[:60]
                found.append(
                    f"{row.place}: expected {example.outcome} of {row.criterion!r} for {shown!r}, but got {got}"
                )
    return found


def figures(every: Sequence[Row]) -> list[str]:
    """Returns what the table shows, in numbers."""
    decided = sum(row.becomes != JUDGE for row in every)
    examples = [example for row in every for example in row.examples]
    by_code = sum(example.outcome != JUDGE for example in examples)
    return [
        f"{len(every)} criteria: {decided} become checks ({decided / len(every):.0%}), the others go to the judge",
        f"{len(examples)} candidates: code decides {by_code} ({by_code / len(examples):.0%}), the judge the others",
    ]


def main() -> int:
    """Prints the figures and what comes out otherwise. Returns 1 when something does."""
    every = rows()
    wrong = problems(every)
    sys.stdout.write("\n".join([*figures(every), *wrong, f"{len(wrong)} come out otherwise", ""]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
