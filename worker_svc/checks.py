"""Deterministic checks of a candidate: bytes in, one CriterionResult a check out. No model, no clock, no state.

A check that the candidate fails says so precisely enough to mend it. A check that cannot be carried out (a broken
pattern, a schema that refers elsewhere) is OUTCOME_ERROR: that is no fault of the candidate's, and no sign-off either.

What a plan wrote can make a pattern or a schema run for hours: `is_bounded` tells which checks are linear in the
candidate; the others belong in a CheckProcess, which can be killed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from signoff.v1 import execution_pb2, plan_pb2
from worker_svc.llm.json_text import parse_json
from worker_svc.prompts import check_in_words

MAX_PROBLEMS = 10  # of one JSON Schema check: enough to mend, short enough to read
_MAX_REASON_CHARS = 300  # of one problem: jsonschema quotes the instance, however large

NOT_EMPTY = "is not empty"
IS_TEXT = "is UTF-8 text"
IS_JSON = "is valid JSON"

CriterionResult = execution_pb2.CriterionResult


class CheckFailed(Exception):
    """The candidate does not pass; the text says why."""


class CheckBroken(Exception):
    """The check itself cannot be carried out; the text says why."""


def promises_json(output_format: str) -> bool:
    """Whether an output format ("JSON: { a: string }", "json") promises that the candidate parses as JSON."""
    return output_format.strip()[:4].lower() == "json"


def implicit_results(content: bytes, output: plan_pb2.TaskOutput) -> list[CriterionResult]:
    """What every candidate must be, whatever its plan says: not empty, text, and JSON where the format says so."""
    results = [_result(NOT_EMPTY, _nothing_if(bool(content.strip()), "the candidate is empty"))]
    results.append(_decided(IS_TEXT, lambda: _text(content)))
    if promises_json(output.format):
        results.append(_decided(IS_JSON, lambda: _json(content)))
    return results


def is_bounded(check: plan_pb2.Check) -> bool:
    """Whether the check takes time in proportion to the candidate, whatever the plan says."""
    return check.WhichOneof("kind") in {"json", "required_keys", "length"}


def check_result(check: plan_pb2.Check, content: bytes) -> CriterionResult:
    """Carries out one structured check."""
    kind = check.WhichOneof("kind")
    decide = _CHECKS.get(kind) if kind else None
    if decide is None:
        return broken(check, "this version of signoff does not know this kind of check")
    return _decided(check_in_words(check), lambda: decide(check, content))


def broken(check: plan_pb2.Check, reason: str) -> CriterionResult:
    """The result of a check that could not be carried out."""
    return _result(check_in_words(check), reason, execution_pb2.OUTCOME_ERROR)


def _decided(criterion: str, decide: Callable[[], object]) -> CriterionResult:
    try:
        decide()
    except CheckFailed as failed:
        return _result(criterion, str(failed))
    except CheckBroken as problem:
        return _result(criterion, str(problem), execution_pb2.OUTCOME_ERROR)
    return _result(criterion, "")


def _result(
    criterion: str, reason: str, outcome: execution_pb2.Outcome.ValueType = execution_pb2.OUTCOME_FAIL
) -> CriterionResult:
    """A result: a pass without a reason, `outcome` with one."""
    return CriterionResult(
        criterion=criterion,
        outcome=outcome if reason else execution_pb2.OUTCOME_PASS,
        reason=reason,
        deterministic=True,
    )


def _nothing_if(holds: bool, reason: str) -> str:
    return "" if holds else reason


# ---------------------------------------------------------------- what a candidate is


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CheckFailed(
            f"expected UTF-8 text, but byte {error.start} is 0x{content[error.start]:02x} ({error.reason})"
        ) from error


def _json(content: bytes) -> Any:
    text = _text(content)
    try:
        return parse_json(text)
    except json.JSONDecodeError as error:
        near = text[max(0, error.pos - 20) : error.pos + 20]
        raise CheckFailed(
            f"expected JSON, but at line {error.lineno}, column {error.colno}: {error.msg} (near {near!r})"
        ) from error
    except ValueError as error:
        raise CheckFailed(f"expected JSON, but it holds {error}") from error


# ---------------------------------------------------------------- the kinds


def _check_json(_check: plan_pb2.Check, content: bytes) -> None:
    _json(content)


def _check_json_schema(check: plan_pb2.Check, content: bytes) -> None:
    import jsonschema  # slow to import, and only for those who use it
    import referencing
    import referencing.exceptions

    instance, schema = _json(content), _schema(check.json_schema.schema_json)
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        kind.check_schema(schema)
        # A registry without retrieval: a schema that names another document is broken, not an excuse to go online.
        errors = kind(schema, registry=referencing.Registry()).iter_errors(instance)
        problems = [_problem(error) for error in islice(errors, MAX_PROBLEMS + 1)]
    except jsonschema.SchemaError as error:
        raise CheckBroken(f"the JSON Schema is not valid at {error.json_path}: {error.message}") from error
    except referencing.exceptions.Unresolvable as error:
        raise CheckBroken(f"the JSON Schema refers to what it does not contain: {error}") from error
    except RecursionError as error:
        raise CheckBroken(
            "the JSON Schema refers to itself without end, or the candidate is nested too deeply"
        ) from error
    except re.error as error:
        raise CheckBroken(f"a pattern of the JSON Schema is not a regular expression: {error}") from error
    if problems:
        raise CheckFailed(_list_of(problems))


def _schema(schema_json: str) -> Any:
    try:
        return parse_json(schema_json)
    except ValueError as error:
        raise CheckBroken(f"the JSON Schema is not JSON: {error}") from error


def _problem(error: Any) -> str:
    message = str(error.message)
    if len(message) > _MAX_REASON_CHARS:
        message = f"{message[: _MAX_REASON_CHARS // 2]} … {message[-_MAX_REASON_CHARS // 2 :]}"
    return f"{error.json_path}: {message}"


def _list_of(problems: list[str]) -> str:
    shown = problems[:MAX_PROBLEMS]
    return "; ".join([*shown, "and more"] if len(problems) > MAX_PROBLEMS else shown)


def _check_required_keys(check: plan_pb2.Check, content: bytes) -> None:
    value = _json(content)
    if not isinstance(value, dict):
        raise CheckFailed(f"expected a JSON object, but got {_type_in_words(value)}")
    missing = [key for key in check.required_keys.keys if not _has(value, key)]
    if missing:
        raise CheckFailed(f"missing keys: {', '.join(missing)}; top-level keys are: {_few(value)}")


def _has(value: Any, path: str) -> bool:
    """Whether the object has a key: a path "a.b" may also be one key that has a dot in it."""
    if not isinstance(value, dict):
        return False
    if path in value:
        return True
    return any(
        path[:dot] in value and _has(value[path[:dot]], path[dot + 1 :])
        for dot, character in enumerate(path)
        if character == "."
    )


def _few(keys: Iterable[str]) -> str:
    first = list(islice(keys, 21))
    return ", ".join([*first[:20], "…"] if len(first) > 20 else first) or "none"


def _type_in_words(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _check_regex(check: plan_pb2.Check, content: bytes) -> None:
    text = _text(content)
    try:
        match = re.search(check.regex.pattern, text)
    except (re.error, OverflowError, RecursionError) as error:
        raise CheckBroken(f"{check.regex.pattern!r} is not a regular expression: {error}") from error
    if check.regex.absent and match is not None:
        raise CheckFailed(f"it must not match, but character {match.start()} begins a match: {match[0][:80]!r}")
    if not check.regex.absent and match is None:
        raise CheckFailed("no part of the candidate matches")


def _check_length(check: plan_pb2.Check, content: bytes) -> None:
    length, bounds = len(_text(content)), check.length
    if length < bounds.min_chars:
        raise CheckFailed(f"expected at least {bounds.min_chars} characters, but got {length}")
    if bounds.HasField("max_chars") and length > bounds.max_chars:
        raise CheckFailed(f"expected at most {bounds.max_chars} characters, but got {length}")


_CHECKS: dict[str, Callable[[plan_pb2.Check, bytes], None]] = {
    "json": _check_json,
    "json_schema": _check_json_schema,
    "required_keys": _check_required_keys,
    "regex": _check_regex,
    "length": _check_length,
}
