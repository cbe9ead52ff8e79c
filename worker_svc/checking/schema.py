"""The check against a JSON Schema."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any

from signoff.v1 import plan_pb2
from worker_svc.checking.reading import CheckBroken, CheckFailed, json_of
from worker_svc.llm.json_text import parse_json

MAX_PROBLEMS = 10  # of one schema: enough to mend, short enough to read
_MAX_REASON_CHARS = 300  # of one problem: jsonschema quotes the instance, however large


def check_json_schema(check: plan_pb2.Check, content: bytes) -> None:
    import jsonschema  # slow to import, and only for those who use it
    import referencing
    import referencing.exceptions

    instance, schema = json_of(content), _schema(check.json_schema.schema_json)
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
