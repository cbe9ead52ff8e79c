"""Whether a JSON Schema of a plan can decide anything: it is valid, small enough, and refers to places inside itself.

How large it is gets looked at first: the library takes half a millisecond for a value of a schema, and compares the
entries of a list pair by pair.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import jsonschema
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for

from planner_svc.diagnostics import described, quoted
from signoff.limits import MAX_SCHEMA_DEPTH, MAX_SCHEMA_ENTRIES

_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_ANCHORS = ("$anchor", "$dynamicAnchor", "$id", "id")  # the last two with a "#": drafts 4 to 7
_DATA = ("const", "enum", "default", "examples")  # below these a "$ref" is only a text
_SHOWN_CHARS = 200  # of what the library says, which may quote the whole schema

# Schemas below these look at the same value again, not at a part of it.
_SAME_VALUE = ("not", "if", "then", "else")
_SAME_VALUE_LISTS = ("allOf", "anyOf", "oneOf", "extends", "disallow", "type")
_SAME_VALUE_MAPS = ("dependentSchemas", "dependencies")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a schema costs to make ready."""

    values: int  #: lists, objects and single values, those texts not counted that an enum lists
    patterns: tuple[str, ...]  #: its regular expressions


def measured(schema: dict[str, Any]) -> Measured:
    """Measures a schema. Raises ValueError when it is nested too deeply, or a list of it is too long."""
    values, patterns = 0, list[str]()
    pending: list[tuple[Any, int, bool]] = [(schema, 1, False)]
    while pending:
        part, depth, is_data = pending.pop()
        values += 1
        if depth > MAX_SCHEMA_DEPTH:
            raise ValueError(f"expected a schema nested at most {MAX_SCHEMA_DEPTH} levels deep, but got more")
        if isinstance(part, list):
            pending.extend((entry, depth + 1, is_data) for entry in _costly(part, is_data))
        elif isinstance(part, dict):
            patterns += [] if is_data else _patterns(part)
            pending.extend((value, depth + 1, is_data or key in _DATA) for key, value in part.items())
    return Measured(values=values, patterns=tuple(patterns))


def _costly(entries: list[Any], is_data: bool) -> list[Any]:
    """The entries that cost something: texts are sorted, anything else is compared with every other entry."""
    others = [entry for entry in entries if not isinstance(entry, str)]
    if others and len(entries) > MAX_SCHEMA_ENTRIES:
        rule = f"lists of at most {MAX_SCHEMA_ENTRIES:,} entries in a schema, unless all of them are texts"
        raise ValueError(f"expected {rule}, but got {len(entries):,}")
    return others if is_data else entries


def _patterns(part: dict[str, Any]) -> list[str]:
    named = part.get("patternProperties")
    single = part.get("pattern")
    return [*(named if isinstance(named, dict) else ()), *([single] if isinstance(single, str) else ())]


def try_schema(schema: dict[str, Any]) -> None:
    """Raises ValueError, saying what is wrong with the schema."""
    try:
        _dialect(schema).check_schema(schema)
    except jsonschema.SchemaError as error:
        where = "".join(f"[{part!r}]" for part in error.absolute_path)
        raise ValueError(f"expected a valid JSON Schema, but schema{where}: {error.message[:_SHOWN_CHARS]}") from error
    except (RecursionError, OverflowError) as error:
        raise ValueError("expected a JSON Schema that is nested less deeply") from error
    _References(schema).check()


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


class _References:
    """Follows the references of a schema: each leads to a place inside it, and none leads back to itself."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self._parts = list(_parts(schema))
        self._anchors = {name: part for part in self._parts for name in _anchors(part)}

    def check(self) -> None:
        """Raises ValueError for a reference to elsewhere or nowhere, and for one that would be followed for ever."""
        for part in self._parts:
            for reference in _references(part):
                self._target(reference)
        self._check_endless()

    def _target(self, reference: str) -> Any:
        if not reference.startswith("#"):
            raise ValueError(f"expected references inside the schema (#/…) only, but got {quoted(reference)}")
        place = self._place(unquote(reference[1:]))
        if place is None:
            raise ValueError(f"expected references that lead somewhere, but got {quoted(reference)}")
        return place

    def _place(self, pointer: str) -> Any:
        if pointer and not pointer.startswith("/"):
            return self._anchors.get(pointer)
        place: Any = self._schema
        for step in pointer[1:].split("/") if pointer else ():
            place = _below(place, step.replace("~1", "/").replace("~0", "~"))
        return place

    def _check_endless(self) -> None:
        """A schema that applies itself to the same value never comes to an end."""
        done, open_ = set[int](), set[int]()
        for part in self._parts:
            pending = [(part, False)]
            while pending:
                here, is_left = pending.pop()
                if is_left:
                    open_.remove(id(here))
                    done.add(id(here))
                elif id(here) in open_:
                    raise ValueError("expected references that come to an end, but got one that leads back to itself")
                elif id(here) not in done:
                    open_.add(id(here))
                    pending += [(here, True), *((after, False) for after in self._same_value(here))]

    def _same_value(self, part: dict[str, Any]) -> list[dict[str, Any]]:
        """The schemas that a schema applies to the value it is applied to itself."""
        found = [self._target(reference) for reference in _references(part)]
        found += [part.get(key) for key in _SAME_VALUE]
        for key in _SAME_VALUE_LISTS:
            found += listed if isinstance(listed := part.get(key), list) else ()
        for key in _SAME_VALUE_MAPS:
            found += named.values() if isinstance(named := part.get(key), dict) else ()
        return [schema for schema in found if isinstance(schema, dict)]


def _parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields every object of a schema that is no data."""
    pending: list[Any] = [schema]
    while pending:
        part = pending.pop()
        if isinstance(part, list):
            pending.extend(part)
        elif isinstance(part, dict):
            yield part
            pending.extend(value for key, value in part.items() if key not in _DATA)


def _references(part: dict[str, Any]) -> list[str]:
    return [part[key] for key in _REFERENCES if isinstance(part.get(key), str)]


def _anchors(part: dict[str, Any]) -> list[str]:
    return [part[key].removeprefix("#") for key in _ANCHORS if isinstance(part.get(key), str)]


def _below(place: Any, key: str) -> Any:
    """Returns what a step of a JSON pointer leads to; None when there is nothing."""
    if isinstance(place, dict):
        return place.get(key)
    if isinstance(place, list) and key.isdecimal() and len(key) < 9 and int(key) < len(place):
        return place[int(key)]
    return None
