"""The check against a JSON Schema."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import Any

from signoff.schemas.numbers import exact_json
from signoff.v1 import plan_pb2
from worker_svc.validate.checking.form import every_key
from worker_svc.validate.checking.reading import CheckBroken, CheckFailed, json_lines_of, json_of

MAX_PROBLEMS = 10  # of one schema: enough to mend, short enough to read
_MAX_REASON_CHARS = 300  # of one problem: jsonschema quotes the instance, however large


def check_json_schema(check: plan_pb2.Check, content: bytes) -> None:
    import referencing.exceptions

    from signoff.schemas.validator import problems_of  # slow to import, so only when needed

    lines = check.json_schema.lines
    instances = json_lines_of(content) if lines else [json_of(content)]
    try:
        validator = _validator(check.json_schema.schema_json)
        found = (
            _problem(error, f"line {number}: " if lines else "")
            for number, instance in enumerate(instances, 1)
            for error in problems_of(validator, instance)
        )
        problems = list(islice(found, MAX_PROBLEMS + 1))
    except referencing.exceptions.Unresolvable as error:
        raise CheckBroken(f"the JSON Schema refers to what it does not contain: {error}") from error
    except RecursionError as error:
        raise CheckBroken(
            "the JSON Schema refers to itself without end, or the candidate is nested too deeply"
        ) from error
    except ValueError as error:
        raise CheckBroken(f"the JSON Schema cannot be applied: {error}") from error
    if problems and check.criterion and _stands_deeper(check.json_schema.schema_json, instances[0]):
        raise CheckBroken("cannot tell: the keys are there, but not at the top")
    if problems:
        raise CheckFailed(_list_of(problems))


@lru_cache(maxsize=4)  # the attempts of a task, and similar tasks, share a schema
def _validator(schema_json: str) -> Any:
    from signoff.schemas.validator import prepared

    try:
        schema = exact_json(schema_json)
    except (ValueError, RecursionError) as error:
        raise CheckBroken(f"the JSON Schema is not JSON: {error}") from error
    return prepared(schema)


def _stands_deeper(schema_json: str, instance: Any) -> bool:
    """Tells whether the keys that a criterion asks for stand in the candidate, but not at its top."""
    wanted = set(exact_json(schema_json).get("required", ()))
    at_top = instance.keys() if isinstance(instance, dict) else set()
    return bool(wanted) and not wanted & at_top and wanted <= every_key(instance)


def _problem(error: Any, where: str) -> str:
    message = str(error.message)
    if len(message) > _MAX_REASON_CHARS:
        message = f"{message[: _MAX_REASON_CHARS // 2]} … {message[-_MAX_REASON_CHARS // 2 :]}"
    return f"{where}{error.json_path}: {message}"


def _list_of(problems: list[str]) -> str:
    shown = problems[:MAX_PROBLEMS]
    return "; ".join([*shown, "and more"] if len(problems) > MAX_PROBLEMS else shown)
