"""The keywords that are checked here instead of in the library jsonschema.

The library searches patterns with Python's `re`, computes with floats, and compares the items of an array pair by pair.
Each function has the library's form: it takes the validator, the keyword's value, the instance and the schema that
holds the keyword, and yields the problems.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from jsonschema.exceptions import ValidationError

from signoff.schemas.ecma import compiled
from signoff.schemas.formats import has_format
from signoff.schemas.keys import key_of
from signoff.schemas.numbers import is_multiple

Errors = Iterator[ValidationError]
Keyword = Callable[[Any, Any, Any, Any], Errors]


def pattern(validator: Any, wanted: str, instance: Any, _schema: Any) -> Errors:
    if validator.is_type(instance, "string") and not compiled(wanted).search(instance):
        yield ValidationError(f"{instance!r} does not match {wanted!r}")


def format_(_validator: Any, name: Any, instance: Any, _schema: Any) -> Errors:
    if not has_format(instance, name):
        yield ValidationError(f"{instance!r} is not a {name!r}")


def multiple_of(validator: Any, step: Any, instance: Any, _schema: Any) -> Errors:
    if validator.is_type(instance, "number") and not is_multiple(instance, step):
        yield ValidationError(f"{instance!r} is not a multiple of {step!r}")


def unique_items(validator: Any, wanted: bool, instance: Any, _schema: Any) -> Errors:
    if not (wanted and validator.is_type(instance, "array")):
        return
    found = dict[Any, int]()
    for index, item in enumerate(instance):
        first = found.setdefault(key_of(item), index)
        if first != index:
            yield ValidationError(f"{item!r} comes twice, as items {first} and {index}: they must be unique")
            return


def enum(_validator: Any, wanted: list[Any], instance: Any, _schema: Any) -> Errors:
    if key_of(instance) not in set(map(key_of, wanted)):
        yield ValidationError(f"{instance!r} is not one of {wanted!r}")


def const(_validator: Any, wanted: Any, instance: Any, _schema: Any) -> Errors:
    if key_of(instance) != key_of(wanted):
        yield ValidationError(f"{wanted!r} was expected")


def dependencies(validator: Any, wanted: dict[str, Any], instance: Any, _schema: Any) -> Errors:
    """Checks `dependencies`, which drafts 2019-09 and 2020-12 no longer have: a schema that has it means it."""
    if not validator.is_type(instance, "object"):
        return
    for name, dependency in wanted.items():
        if name not in instance:
            continue
        if isinstance(dependency, list):
            for other in dependency:
                if other not in instance:
                    yield ValidationError(f"{other!r} is a dependency of {name!r}")
        else:
            yield from validator.descend(instance, dependency, schema_path=name)


# ---------------------------------------------------------------- properties


def pattern_properties(validator: Any, patterns: dict[str, Any], instance: Any, _schema: Any) -> Errors:
    if not validator.is_type(instance, "object"):
        return
    for wanted, below in patterns.items():
        search = compiled(wanted).search
        for name, value in instance.items():
            if search(name):
                yield from validator.descend(value, below, path=name, schema_path=wanted)


def additional_properties(validator: Any, below: Any, instance: Any, schema: Any) -> Errors:
    if not validator.is_type(instance, "object"):
        return
    others = [name for name in instance if not is_named(schema, name)]
    if below is False and others:
        yield ValidationError(f"Additional properties are not allowed ({unexpected(others)})")
    elif isinstance(below, dict):
        for name in others:
            yield from validator.descend(instance[name], below, path=name)


def unexpected(names: list[str]) -> str:
    """Returns the names as a list in words."""
    return f"{', '.join(map(repr, sorted(names)))} {'was' if len(names) == 1 else 'were'} unexpected"


def is_named(schema: Any, name: str) -> bool:
    """Tells whether `properties` or `patternProperties` of the same schema are about a property."""
    return name in schema.get("properties", ()) or any(
        compiled(wanted).search(name) for wanted in schema.get("patternProperties", ())
    )
