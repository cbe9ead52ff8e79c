"""The words in a shape as JSON Schema: types, examples, and allowed values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("string", "str", "text", "字符串", "文本"), "string"),
    **dict.fromkeys(("url", "uri", "email", "uuid", "datetime", "date-time"), "string"),
    **dict.fromkeys(("int", "integer", "整数"), "integer"),
    **dict.fromkeys(("number", "float", "double", "decimal", "数字", "数值"), "number"),
    **dict.fromkeys(("bool", "boolean", "布尔", "布尔值"), "boolean"),
    **dict.fromkeys(("null", "none"), "null"),
    **dict.fromkeys(("object", "dict", "map", "record", "对象"), "object"),
    **dict.fromkeys(("array", "list", "set", "tuple", "数组", "列表"), "array"),
    **dict.fromkeys(("any", "unknown", "json", "任意"), ""),
}
_NULL: Schema = {"type": "null"}

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_VALUE_WORD = re.compile(r"[\w.+-]+(?: [\w.+-]+){0,2}")


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape, or a part of one, that was read."""

    schema: Schema
    is_optional: bool = False
    is_prose: bool = False  #: words that describe a value and promise nothing
    literal: Any = None  #: among others a value that is allowed; alone an example, which promises its type at most


def is_type(word: str) -> bool:
    """Tells whether a word names a type of values, as shapes do."""
    return word.lower() in _TYPES


def with_items(items: Schema) -> Schema:
    """Returns the schema of an array of such items."""
    return {"type": "array", "items": items} if items else {"type": "array"}


def of_type(word: str) -> Schema:
    named = _TYPES[word.lower()]
    return {"type": named} if named else {}


def of_quoted(text: str) -> Shape:
    """Reads a text in quotes: a type, allowed values, or an example or description, which promises nothing."""
    inner = text.strip()
    parts = [part.strip() for part in inner.split("|")]
    if len(parts) > 1 and all(_VALUE_WORD.fullmatch(part) for part in parts):
        return union([Shape(of_type(part)) if is_type(part) else Shape({}, literal=part) for part in parts])
    plain, optional = inner.removesuffix("?"), inner.endswith("?")
    if plain.endswith("[]") and is_type(plain[:-2]):
        return Shape(with_items(of_type(plain[:-2])), optional)
    return Shape(of_type(plain), optional) if is_type(plain) else Shape({}, literal=text)


def of_words(words: Sequence[str]) -> Shape:
    """Reads plain words: a type, an example, or a description."""
    first = words[0].lower()
    if len(words) == 1:
        return _of_word(words[0])
    if first in ("array", "list") and words[1].lower() == "of":
        return Shape(items_of(" ".join(words[2:])))
    if first == "optional" and len(words) == 2 and is_type(words[1]):
        return Shape(of_type(words[1]), is_optional=True)
    if len(words) == 3 and words[1].lower() == "or" and is_type(words[0]) and is_type(words[2]):
        return union([Shape(of_type(words[0])), Shape(of_type(words[2]))])
    return Shape({}, is_prose=True)


def _of_word(word: str) -> Shape:
    lowered = word.lower()
    if is_type(lowered):
        return Shape(of_type(lowered))
    if _NUMBER.fullmatch(lowered):
        return Shape({"type": "number"}, literal=json.loads(lowered))
    if lowered in ("true", "false"):
        return Shape({"type": "boolean"}, literal=lowered == "true")
    return Shape({}, is_prose=True, literal=word)


def items_of(words: str) -> Schema:
    """Returns the schema of an array of named items, such as "strings" or "objects"."""
    one = words.strip().lower()
    named = next((name for name in (one, one.removesuffix("s")) if is_type(name)), "")
    return with_items(of_type(named)) if named else with_items({})


def union(read: Sequence[Shape]) -> Shape:
    """Returns the shape of a value that may have any of several: allowed values when all are literals, else types."""
    optional = any(one.is_optional for one in read)
    shapes = [one for one in read if one.schema != _NULL]
    nullable = len(shapes) < len(read)
    literals = [one.literal for one in shapes]
    if shapes and all(literal is not None for literal in literals):
        return Shape({"enum": [*literals, *([None] if nullable else [])]}, optional)
    schemas = [one.schema if one.literal is None or one.schema else {"enum": [one.literal]} for one in shapes]
    if not all(schemas):
        return Shape({}, optional)
    return Shape(_any_of([*schemas, *([_NULL] if nullable else [])]), optional)


def _any_of(schemas: Sequence[Schema]) -> Schema:
    if len(schemas) == 1:
        return schemas[0]
    if all(schema.keys() == {"type"} for schema in schemas):
        return {"type": list(dict.fromkeys(schema["type"] for schema in schemas))}
    return {"anyOf": list(schemas)}


def or_null(schema: Schema) -> Schema:
    if not schema:
        return schema
    if "enum" in schema:
        return {"enum": list(dict.fromkeys([*schema["enum"], None]))}
    stated = schema.get("type")
    if schema.keys() == {"type"}:
        types = stated if isinstance(stated, list) else [stated]
        return {"type": list(dict.fromkeys([*types, "null"]))}
    return {"anyOf": [schema, _NULL]}
