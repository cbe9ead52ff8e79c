"""`unevaluatedProperties` and `unevaluatedItems`: the parts of an instance that no other applied schema examined."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import referencing.jsonschema
from jsonschema.exceptions import ValidationError

from signoff.schemas.keywords import Errors, is_named, unexpected

_LISTS = ("allOf", "anyOf", "oneOf")


def unevaluated_properties(validator: Any, below: Any, instance: Any, schema: Any) -> Errors:
    if not validator.is_type(instance, "object") or below is True:
        return
    evaluated = _properties(validator, instance, _without(schema, "unevaluatedProperties"))
    others = [name for name in instance if name not in evaluated]
    if below is False and others:
        yield ValidationError(f"Unevaluated properties are not allowed ({unexpected(others)})")
    elif below is not False:
        for name in others:
            yield from validator.descend(instance[name], below, path=name)


def unevaluated_items(validator: Any, below: Any, instance: Any, schema: Any) -> Errors:
    if not validator.is_type(instance, "array") or below is True:
        return
    evaluated = _items(validator, instance, _without(schema, "unevaluatedItems"))
    others = [index for index in range(len(instance)) if index not in evaluated]
    if below is False and others:
        yield ValidationError(f"Unevaluated items are not allowed ({unexpected([str(index) for index in others])})")
    elif below is not False:
        for index in others:
            yield from validator.descend(instance[index], below, path=index)


def _without(schema: Any, keyword: str) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != keyword}


def _properties(validator: Any, instance: Any, schema: Any) -> set[str]:
    if not isinstance(schema, dict):
        return set()
    if "additionalProperties" in schema or "unevaluatedProperties" in schema:
        return set(instance)  # they looked at all others, and the instance passed them
    found = {name for name in instance if is_named(schema, name)}
    for below in _applied(validator, instance, schema):
        found |= _properties(below, instance, below.schema)
    return found


def _items(validator: Any, instance: Any, schema: Any) -> set[int]:
    if not isinstance(schema, dict):
        return set()
    items = schema.get("items")
    is_tuple = isinstance(items, list)  # up to draft 2019-09: one schema for each item
    if "unevaluatedItems" in schema or (items is not None and (not is_tuple or "additionalItems" in schema)):
        return set(range(len(instance)))
    found = set(range(len(items if is_tuple and items else schema.get("prefixItems", ()))))
    if "contains" in schema and _specification(validator) is referencing.jsonschema.DRAFT202012:
        contained = _below(validator, schema["contains"])
        found |= {index for index, item in enumerate(instance) if contained.is_valid(item)}
    for below in _applied(validator, instance, schema):
        found |= _items(below, instance, below.schema)
    return found


def _applied(validator: Any, instance: Any, schema: Any) -> Iterator[Any]:
    """Yields the schemas that apply to the same instance, as validators, when the instance satisfies them."""
    applied = [_below(validator, part) for keyword in _LISTS for part in schema.get(keyword, ())]
    dependent = schema.get("dependentSchemas", {})
    applied += [_below(validator, part) for name, part in dependent.items() if name in instance]
    if "if" in schema:
        condition = _below(validator, schema["if"])
        branch = "then" if condition.is_valid(instance) else "else"
        applied += [condition, *([_below(validator, schema[branch])] if branch in schema else ())]
    applied += [
        validator.evolve(schema=found.contents, _resolver=found.resolver) for found in _referred(validator, schema)
    ]
    return (below for below in applied if below.is_valid(instance))


def _referred(validator: Any, schema: Any) -> Iterator[Any]:
    resolver = validator._resolver
    for keyword in ("$ref", "$dynamicRef"):
        if keyword in schema and keyword in validator.VALIDATORS:
            yield resolver.lookup(schema[keyword])
    if "$recursiveRef" in schema and "$recursiveRef" in validator.VALIDATORS:
        yield referencing.jsonschema.lookup_recursive_ref(resolver)


def _below(validator: Any, schema: Any) -> Any:
    """Returns a validator for a schema inside another, which may have an `$id` of its own."""
    resource = _specification(validator).create_resource(schema)
    return validator.evolve(schema=schema, _resolver=validator._resolver.in_subresource(resource))


def _specification(validator: Any) -> Any:
    return referencing.jsonschema.specification_with(validator.ID_OF(validator.META_SCHEMA))
