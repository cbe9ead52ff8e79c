"""Whether a JSON Schema of a plan can decide anything: it is valid, and refers to nothing outside itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for

from planner_svc.diagnostics import described, quoted

_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_DATA = ("const", "enum", "default", "examples")  # below these a "$ref" is only a text
_SHOWN_CHARS = 200  # of what the library says, which may quote the whole schema


def try_schema(schema: dict[str, Any]) -> None:
    """Raises ValueError, saying what is wrong with the schema."""
    try:
        _dialect(schema).check_schema(schema)
    except jsonschema.SchemaError as error:
        where = "".join(f"[{part!r}]" for part in error.absolute_path)
        message = error.message[:_SHOWN_CHARS]
        raise ValueError(f"expected a valid JSON Schema, but schema{where}: {message}") from error
    except RecursionError as error:
        raise ValueError("expected a JSON Schema that is nested less deeply") from error
    for reference in _references(schema):
        _check_reference(reference, schema)


def _dialect(schema: dict[str, Any]) -> type[Validator]:
    """The validator of the draft that `$schema` names, or of draft 2020-12."""
    name = schema.get("$schema", jsonschema.Draft202012Validator.META_SCHEMA["$schema"])
    known = isinstance(name, str) and any(name.rstrip("#") == draft.rstrip("#") for draft in _drafts())
    if not known:
        raise ValueError(f"expected $schema to name a draft of JSON Schema, but got {described(name)}")
    return validator_for({"$schema": name}, default=jsonschema.Draft202012Validator)


def _drafts() -> Iterator[str]:
    for number in ("2020-12", "2019-09"):
        yield f"https://json-schema.org/draft/{number}/schema"
    for number in ("07", "06", "04", "03"):
        yield f"http://json-schema.org/draft-{number}/schema"


def _references(schema: dict[str, Any]) -> Iterator[str]:
    pending: list[Any] = [schema]
    while pending:
        part = pending.pop()
        if isinstance(part, list):
            pending.extend(part)
        elif isinstance(part, dict):
            yield from (part[key] for key in _REFERENCES if isinstance(part.get(key), str))
            pending.extend(value for key, value in part.items() if key not in _DATA)


def _check_reference(reference: str, schema: dict[str, Any]) -> None:
    """A check decides without any other document, and a pointer into the schema must lead somewhere."""
    if not reference.startswith("#"):
        raise ValueError(f"expected references inside the schema (#/…) only, but got {quoted(reference)}")
    place: Any = schema
    for part in reference[2:].split("/") if reference.startswith("#/") else ():
        place = _below(place, part.replace("~1", "/").replace("~0", "~"))
        if place is None:
            raise ValueError(f"expected references that lead somewhere, but got {quoted(reference)}")


def _below(place: Any, key: str) -> Any:
    """What a step of a JSON pointer leads to; None when there is nothing."""
    if isinstance(place, dict):
        return place.get(key)
    if isinstance(place, list) and key.isdecimal() and len(key) < 9 and int(key) < len(place):
        return place[int(key)]
    return None
