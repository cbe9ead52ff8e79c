"""Makes sample values: instances of a JSON Schema.

Covers the keywords that schemas for model outputs use: type, properties, required, items, prefixItems, enum, const,
bounds, format, pattern, local $ref, allOf, anyOf, oneOf. With other keywords a sample may be wrong, and the validator
says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from signoff.schemas.ecma import translated
from worker_svc.mock.patterns import matching_text

_MAX_DEPTH = 8  # below it, samples have required keys only
_MAX_VALUES = 20_000  # of one instance: a schema that requires itself would never end
_MAX_ITEMS = 1_000  # of an array, whatever minItems says

_FORMATS: Mapping[str, str] = {
    "date": "2024-01-01",
    "date-time": "2024-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "hostname": "example.com",
    "idn-hostname": "example.com",
    "idn-email": "someone@example.com",
    "uri-reference": "/",
    "uri-template": "https://example.com/{item}",
    "iri": "https://example.com/",
    "iri-reference": "/",
    "duration": "P1D",
    "json-pointer": "/0",
    "relative-json-pointer": "0",
    "regex": "^a$",
}


@dataclass(slots=True, kw_only=True)
class Sampler:
    """Makes instances of one schema. `topic` is the subject of free text; `phrases` go into the first free text.

    A `brief` instance has only required keys.
    """

    root: Mapping[str, Any]
    topic: str
    phrases: list[str] = field(default_factory=list)
    brief: bool = False
    _left: int = _MAX_VALUES

    def instance(self, schema: Any, name: str = "", index: int = 0, depth: int = 0) -> Any:
        """Returns a value that satisfies the schema; `name` and `index` tell siblings apart."""
        self._left -= 1
        if self._left < 0:
            return None
        if not isinstance(schema, dict) or not schema:
            schema = _by_name(name)
        schema = self._merged(schema, depth)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return schema["enum"][index % len(schema["enum"])]
        return self._of_type(_type_of(schema), schema, name, index, depth)

    def _of_type(self, kind: str, schema: dict[str, Any], name: str, index: int, depth: int) -> Any:
        match kind:
            case "object":
                return self._object(schema, index, depth)
            case "array":
                return self._array(schema, name, depth)
            case "integer" | "number":
                return _number(schema, index, whole=kind == "integer")
            case "boolean":
                return True
            case "null":
                return None
            case _:
                return self._text(schema, name, index)

    def _merged(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        """Returns the schema with its $ref, its allOf and its first alternative folded in."""
        folded = {key: value for key, value in schema.items() if key not in {"$ref", "allOf", "anyOf", "oneOf"}}
        parts = [self._at(schema["$ref"])] if "$ref" in schema else []
        parts += schema.get("allOf", [])
        parts += [schema[key][0] for key in ("anyOf", "oneOf") if schema.get(key)]
        for part in parts:
            if isinstance(part, dict) and depth < 2 * _MAX_DEPTH:
                folded = _fold(self._merged(part, depth + 1), folded)
        return folded

    def _at(self, reference: str) -> Any:
        value: Any = self.root
        for step in reference.removeprefix("#").split("/")[1:]:
            value = value.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(value, dict) else {}
        return value

    def _object(self, schema: dict[str, Any], index: int, depth: int) -> dict[str, Any]:
        required = schema.get("required", [])
        properties = schema.get("properties", {})
        names = list(dict.fromkeys([*properties, *required])) if depth < _MAX_DEPTH and not self.brief else required
        if not names and not self.brief and schema.get("additionalProperties", True) is True and depth <= 2:
            names = ["title", "summary"]
        made = {name: self.instance(properties.get(name, {}), name, index, depth + 1) for name in names}
        for extra in range(len(made), schema.get("minProperties", 0)):
            made[f"key_{extra + 1}"] = self.instance(
                _schema_or_any(schema.get("additionalProperties")), "", extra, depth + 1
            )
        return made

    def _array(self, schema: dict[str, Any], name: str, depth: int) -> list[Any]:
        prefix = schema.get("prefixItems", [])
        wanted = max(schema.get("minItems", 0), len(prefix), 2 if depth < _MAX_DEPTH and not self.brief else 0)
        count = min(wanted, schema.get("maxItems", wanted), _MAX_ITEMS)
        items = schema.get("items", {})
        if items is False:
            count = min(count, len(prefix))
        return [
            self.instance(prefix[at] if at < len(prefix) else items, name.removesuffix("s"), at, depth + 1)
            for at in range(count)
        ]

    def _text(self, schema: dict[str, Any], name: str, index: int) -> str:
        if "pattern" in schema:
            return matching_text(_in_python(schema["pattern"]))
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        text = f"{name or 'item'} {index + 1}" if self.brief else f"{name or 'item'} {index + 1}: {self.topic}"
        if self.phrases and "maxLength" not in schema:
            text, self.phrases = f"{text} ({', '.join(self.phrases)})", []
        if len(text) < schema.get("minLength", 0):
            text = (text + " ") * math.ceil(schema["minLength"] / (len(text) + 1))
        return text[: schema.get("maxLength", len(text))]


# The name of a key without a type decides its type; by default it is a text.
_TYPE_OF_KEY: Mapping[str, str] = {
    "count": "integer", "total": "integer", "rank": "integer", "age": "integer", "size": "integer",
    "score": "number", "rate": "number", "ratio": "number", "price": "number", "percentage": "number",
    "confidence": "number", "weight": "number",
}  # fmt: skip


def _by_name(name: str) -> dict[str, Any]:
    """Returns a schema for a key that may hold anything, by its name."""
    lowered = name.lower()
    if lowered.startswith(("is_", "has_")):
        return {"type": "boolean"}
    if lowered.removesuffix("s") == "year":
        return {"type": "integer", "minimum": 2023}
    return {"type": _TYPE_OF_KEY.get(lowered, "string")}


def _fold(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Merges two schemas that must both hold: properties and required are united, the rest of `above` wins."""
    both = {**below, **above}
    if "properties" in below and "properties" in above:
        both["properties"] = {**below["properties"], **above["properties"]}
    if "required" in below and "required" in above:
        both["required"] = [*below["required"], *above["required"]]
    return both


def _type_of(schema: dict[str, Any]) -> str:
    stated = schema.get("type")
    if isinstance(stated, list):
        stated = next((kind for kind in stated if kind != "null"), "null")
    if isinstance(stated, str):
        return stated
    if {"properties", "required", "minProperties"} & schema.keys():
        return "object"
    if {"items", "prefixItems", "minItems"} & schema.keys():
        return "array"
    return "number" if {"minimum", "maximum", "multipleOf"} & schema.keys() else "string"


def _schema_or_any(schema: Any) -> Any:
    return schema if isinstance(schema, dict) else {}


def _in_python(pattern: str) -> str:
    """Translates a schema's pattern from ECMA-262 to Python's dialect; returns "" when that is impossible."""
    try:
        return translated(pattern).pattern
    except ValueError:
        return ""


def _number(schema: dict[str, Any], index: int, *, whole: bool) -> int | float:
    """Returns a number within the bounds, on the grid of multipleOf; siblings differ when there is room.

    Computes in decimals: three times the float 0.1 is no multiple of 0.1.
    """
    step = _decimal(schema.get("multipleOf")) or Decimal(1)
    low, above = (_decimal(schema.get(bound)) for bound in ("minimum", "exclusiveMinimum"))
    high = _decimal(schema.get("maximum", schema.get("exclusiveMaximum")))
    low = above if low is None else low
    if low is None:
        low = Decimal(1) if high is None or high >= 1 else high - step
    value = math.ceil(low / step) * step
    if value == above:
        value += step if high is None or value + step < high else (high - value) / 2
    further = value + index * step
    value = further if high is None or further < high else value
    return int(value) if whole or value == value.to_integral_value() else float(value)


def _decimal(number: int | float | None) -> Decimal | None:
    """Returns a bound as a decimal; None if it is no number: in draft 4 an exclusive bound is true or false."""
    return None if number is None or isinstance(number, bool) else Decimal(str(number))
