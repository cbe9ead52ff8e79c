"""Applies a schema to an instance: the library jsonschema, with the keywords of this package in place of its own.

Importing it takes a while, so modules that rarely need a schema import it late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import jsonschema
import referencing
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend as _untyped_extend
from jsonschema_specifications import REGISTRY as SPECIFICATIONS
from referencing.jsonschema import specification_with

from signoff.schemas import evaluated, keywords
from signoff.schemas.drafts import Draft, draft_of
from signoff.schemas.numbers import Number, is_whole

_LIBRARY: dict[Draft, Any] = {
    Draft.DRAFT_3: jsonschema.Draft3Validator,
    Draft.DRAFT_4: jsonschema.Draft4Validator,
    Draft.DRAFT_6: jsonschema.Draft6Validator,
    Draft.DRAFT_7: jsonschema.Draft7Validator,
    Draft.DRAFT_2019_09: jsonschema.Draft201909Validator,
    Draft.DRAFT_2020_12: jsonschema.Draft202012Validator,
}
_extended: Callable[..., Any] = _untyped_extend
_DATA = ("const", "enum")  # below these a "$schema" is only a text
_OURS: dict[str, keywords.Keyword] = {
    "pattern": keywords.pattern,
    "patternProperties": keywords.pattern_properties,
    "additionalProperties": keywords.additional_properties,
    "format": keywords.format_,
    "multipleOf": keywords.multiple_of,
    "divisibleBy": keywords.multiple_of,
    "uniqueItems": keywords.unique_items,
    "enum": keywords.enum,
    "const": keywords.const,
    "unevaluatedProperties": evaluated.unevaluated_properties,
    "unevaluatedItems": evaluated.unevaluated_items,
}


def prepared(schema: Any) -> Any:
    """Returns a validator of a schema that `exact_json` read. Raises ValueError for one that is broken."""
    draft = draft_of(schema)
    problem = next(problems_of_schema(schema, draft), None)
    if problem is not None:
        raise ValueError(f"it is not valid at {problem.json_path}: {problem.message}")
    return _kind(draft)(without_drafts(schema), registry=registry())


def problems_of(validator: Any, instance: Any) -> Iterator[ValidationError]:
    """Yields what is wrong with an instance that `exact_json` read. Never fetches other documents."""
    problems: Iterator[ValidationError] = validator.iter_errors(instance)
    return problems


def problems_of_schema(schema: Any, draft: Draft) -> Iterator[ValidationError]:
    """Yields where a schema breaks the rules of its draft."""
    return problems_of(_checker(draft), without_drafts(schema))


@cache
def registry() -> Any:
    """Returns the metaschemas of all drafts, which a schema may refer to."""
    known = ((uri, SPECIFICATIONS.contents(uri)) for uri in SPECIFICATIONS)
    return (
        referencing.Registry()
        .with_resources(
            (uri, specification_with(contents["$schema"]).create_resource(without_drafts(contents)))
            for uri, contents in known
        )
        .crawl()
    )


def without_drafts(schema: Any) -> Any:
    """Returns a schema without `$schema`, because the library would switch to a validator of its own there."""
    if isinstance(schema, list):
        return [without_drafts(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: value if key in _DATA else without_drafts(value)
        for key, value in schema.items()
        if not (key == "$schema" and isinstance(value, str))
    }


@cache
def _kind(draft: Draft) -> Any:
    library = _LIBRARY[draft]
    own = {keyword: check for keyword, check in _OURS.items() if keyword in library.VALIDATORS}
    own |= {} if "dependencies" in library.VALIDATORS else {"dependencies": keywords.dependencies}
    has_whole_fractions = draft not in (Draft.DRAFT_3, Draft.DRAFT_4)  # 1.0 is an integer since draft 6
    types = library.TYPE_CHECKER.redefine("number", _is_number).redefine(
        "integer", _is_integer if has_whole_fractions else _is_int
    )
    return _extended(library, validators=own, type_checker=types)


@cache
def _checker(draft: Draft) -> Any:
    """Returns a validator for schemas by their metaschema, in which formats assert nothing: the planner checks them."""
    kind = _kind(draft)
    lenient = _extended(kind, validators={"format": _nothing})
    return lenient(without_drafts(kind.META_SCHEMA), registry=registry())


def _nothing(_validator: Any, _value: Any, _instance: Any, _schema: Any) -> keywords.Errors:
    return iter(())


def _is_int(_checker: Any, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_checker: Any, value: object) -> bool:
    return isinstance(value, int | float | Number) and not isinstance(value, bool)


def _is_integer(_checker: Any, value: object) -> bool:
    return _is_int(_checker, value) or (isinstance(value, Number) and is_whole(value))
