"""Finds the schemas inside a schema: values of keywords that hold schemas, and nothing that is only data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

#: Keywords whose value is a schema, a list of schemas, or either. Of several drafts at once: none means two things.
_ONE_OR_LIST = (
    "not", "if", "then", "else", "items", "additionalItems", "unevaluatedItems", "contains", "additionalProperties",
    "unevaluatedProperties", "propertyNames", "contentSchema", "allOf", "anyOf", "oneOf", "prefixItems",
    "extends", "disallow", "type",
)  # fmt: skip
#: Keywords whose value names schemas.
_NAMED = ("properties", "patternProperties", "dependentSchemas", "dependencies", "$defs", "definitions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subschema:
    """A schema that is an object, and where it stands in the whole."""

    schema: Schema
    pointer: str  #: such as "#/properties/a"


def parts_of(schema: Any, pointer: str = "#") -> Iterator[Subschema]:
    """Yields a schema and every schema inside it."""
    pending = [Subschema(schema=schema, pointer=pointer)] if isinstance(schema, dict) else []
    while pending:
        part = pending.pop()
        yield part
        pending.extend(reversed(list(children_of(part))))


def children_of(part: Subschema) -> Iterator[Subschema]:
    """Yields the schemas directly inside a schema."""
    for keyword, value in part.schema.items():
        if keyword in _NAMED and isinstance(value, dict):
            yield from _each(value.items(), f"{part.pointer}/{keyword}")
        elif keyword in _ONE_OR_LIST and isinstance(value, list):
            yield from _each(enumerate(value), f"{part.pointer}/{keyword}")
        elif keyword in _ONE_OR_LIST and isinstance(value, dict):
            yield Subschema(schema=value, pointer=f"{part.pointer}/{keyword}")


def _each(named: Any, pointer: str) -> Iterator[Subschema]:
    for name, value in named:
        if isinstance(value, dict):
            step = str(name).replace("~", "~0").replace("/", "~1")
            yield Subschema(schema=value, pointer=f"{pointer}/{step}")
