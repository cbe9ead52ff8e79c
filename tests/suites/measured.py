"""Carries out every case of a suite as a plan and a validator would, and compares the outcomes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planner_svc.checks.structured import check_from_json
from planner_svc.diagnostics import Diagnostics
from planner_svc.read.parse import parse_plan
from planner_svc.wire.checks import check_to_proto
from signoff.schemas.numbers import exact_json
from signoff.v1 import execution_pb2, plan_pb2
from worker_svc.llm.read.json_text import parse_json
from worker_svc.validate import checks
from worker_svc.validate.checking.reading import CheckFailed, json_of

DRAFTS = {
    "draft4": "http://json-schema.org/draft-04/schema#",
    "draft7": "http://json-schema.org/draft-07/schema#",
    "draft2019-09": "https://json-schema.org/draft/2019-09/schema",
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
}
_WORDS = {execution_pb2.OUTCOME_PASS: "valid", execution_pb2.OUTCOME_FAIL: "invalid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case of a suite, with its expected and its real outcome."""

    part: str  #: the draft, or the reader of JSON
    file: str
    name: str
    expected: str
    got: str

    @property
    def is_right(self) -> bool:
        return self.got == self.expected or self.expected == "either"

    def __str__(self) -> str:
        return f"{self.part}/{self.file}: {self.name}: expected {self.expected}, but got {self.got}"


# ---------------------------------------------------------------- JSON Schema


def schema_cases(folder: Path) -> Iterator[Case]:
    """Yields every case of the official suite: its schema is compiled as one of a plan, and applied by a validator."""
    for draft in DRAFTS:
        for path in sorted((folder / "tests" / draft).rglob("*.json")):
            file = path.relative_to(folder / "tests" / draft).as_posix()
            for group in _raw_groups(path):
                yield from _group_cases(draft, file, group)


def _raw_groups(path: Path) -> Iterable[dict[str, Any]]:
    groups: list[dict[str, Any]] = exact_json(path.read_bytes())
    return groups


def _group_cases(draft: str, file: str, group: dict[str, Any]) -> Iterator[Case]:
    schema = group["schema"]
    if isinstance(schema, dict) and "$schema" not in schema:
        schema = {"$schema": DRAFTS[draft], **schema}
    check, refusal = compiled_check(schema)
    for test in group["tests"]:
        got = outcome(check, written(test["data"])) if check is not None else f"refused: {refusal}"
        name = f"{group['description']}: {test['description']}"
        expected = "valid" if test["valid"] else "invalid"
        yield Case(part=draft, file=file, name=name, expected=expected, got=got)


def compiled_check(schema: Any) -> tuple[plan_pb2.Check | None, str]:
    """Returns the check that a plan with this schema has, or why there is none."""
    try:
        return check_to_proto(check_from_json({"type": "json_schema", "schema": schema})), ""
    except ValueError as error:
        return None, str(error)


def outcome(check: plan_pb2.Check, candidate: str) -> str:
    """Returns a validator's outcome for a candidate."""
    result = checks.check_result(check, candidate.encode())
    return _WORDS.get(result.outcome, f"error: {result.reason}")


def written(value: Any) -> str:
    """Returns JSON of a value that may hold numbers which no double can."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{written(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value) if isinstance(value, bool | str | None) else str(value)


# ---------------------------------------------------------------- JSON


def json_cases(folder: Path) -> Iterator[Case]:
    """Yields every case of JSONTestSuite for each place that reads the JSON of others."""
    for path in sorted((folder / "test_parsing").glob("*.json")):
        expected = {"y": "valid", "n": "invalid", "i": "either"}[path.name[0]]
        content = path.read_bytes()
        for part, got in (
            ("candidates", _candidate(content)),
            ("answers", _answer(content)),
            ("plans", _plan(content)),
        ):
            yield Case(part=part, file=path.name, name="", expected=expected, got=got)


def _candidate(content: bytes) -> str:
    try:
        json_of(content)
    except CheckFailed:
        return "invalid"
    return "valid"


def _answer(content: bytes) -> str:
    """Tells whether the text of an answer is read as JSON."""
    try:
        parse_json(content.decode())
    except ValueError:
        return "invalid"
    return "valid"


def _plan(content: bytes) -> str:
    diagnostics = Diagnostics()
    parse_plan(content, diagnostics)
    return "invalid" if any(found.code == "not-json" for found in diagnostics.in_order()) else "valid"
