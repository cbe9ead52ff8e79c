"""The check of the shape that an output's format states, and the warning about a format that is not understood."""

from __future__ import annotations

import functools
import json

from planner_svc.checks.kinds import JsonSchemaCheck, RequiredKeysCheck
from planner_svc.checks.structured import Effort
from planner_svc.criteria.criteria import check_of_criterion
from planner_svc.diagnostics import quoted
from signoff.plan.formats import Format, OutputKind, format_of
from signoff.schemas.numbers import exact_json


def is_more_than_text(output_format: str) -> bool:
    """Tells whether a format needs a check or a warning: it states a shape, or is not understood."""
    found = format_of(output_format)
    return found.schema is not None or bool(found.unclear)


@functools.lru_cache(maxsize=1024)
def format_check(output_format: str) -> JsonSchemaCheck | None:
    """Returns the check of the shape that a format states; None when it states none.

    Raises ValueError for a JSON Schema that cannot decide.
    """
    found = format_of(output_format)
    schema = _schema_of(found, output_format)
    if not schema:
        return None
    text = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    if found.states_schema:
        Effort().schema(exact_json(text))
    return JsonSchemaCheck(schema_json=text, lines=found.kind is OutputKind.JSON_LINES, from_format=True)


def _schema_of(found: Format, output_format: str) -> dict[str, object] | None:
    if found.schema is not None and (found.states_schema or not found.is_object or found.properties):
        return dict(found.schema)
    keys_check = check_of_criterion(output_format) if found.is_json else None
    if isinstance(keys_check, RequiredKeysCheck) and not any("." in key for key in keys_check.keys):
        return {"type": "object", "required": list(keys_check.keys)}
    return None if found.schema is None else dict(found.schema)


def unclear_format(output_format: str) -> str:
    """Returns the warning about a format that mentions JSON but cannot be understood; empty when there is none."""
    found = format_of(output_format)
    return _unclear_message(output_format, found.unclear) if found.unclear else ""


def _unclear_message(output_format: str, why: str) -> str:
    expected = 'expected a form such as "JSON: { title: string, tags: string[] }", "JSON Lines" or "Markdown"'
    return f"{expected}, but got {quoted(output_format)}: {why}"


def broken_schema(output_format: str, error: ValueError) -> str:
    """Returns the message about a format that is a JSON Schema with a mistake."""
    return f"expected a JSON Schema that can decide, but got {quoted(output_format)}: {error}"
