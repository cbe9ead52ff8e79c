"""Shapes as JSON Schema, and what a value must be by them."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from signoff.plan.shapes.reader import read_shape
from signoff.plan.shapes.tokens import ShapeUnclear

STRING, STRINGS = {"type": "string"}, {"type": "array", "items": {"type": "string"}}


def schema_of(shape: str) -> dict[str, Any]:
    schema, rest = read_shape(shape)
    assert not rest
    return schema


@pytest.mark.parametrize(
    ("shape", "schema"),
    [
        ("string", STRING),
        ("Text", STRING),
        ("字符串", STRING),
        ("int", {"type": "integer"}),
        ("float", {"type": "number"}),
        ("boolean", {"type": "boolean"}),
        ("any", {}),
        ("url", STRING),
        ("string[]", STRINGS),
        ("[string]", STRINGS),
        ("[string, ...]", STRINGS),
        ("[string] sorted by name", STRINGS),
        ("string[3]", STRINGS),
        ("Array<string>", STRINGS),
        ("list[str]", STRINGS),
        ("array of strings", STRINGS),
        ("list of objects", {"type": "array", "items": {"type": "object"}}),
        ("number[][]", {"type": "array", "items": {"type": "array", "items": {"type": "number"}}}),
        ("[number, string]", {"type": "array"}),
        ("[]", {"type": "array"}),
        ("{}", {"type": "object"}),
        ("dict[str, int]", {"type": "object", "additionalProperties": {"type": "integer"}}),
        ("Record<string, any>", {"type": "object"}),
        ("{ [date: string]: number }", {"type": "object", "additionalProperties": {"type": "number"}}),
        ('{ "<id>": string }', {"type": "object", "additionalProperties": STRING}),
        ('"low" | "high"', {"enum": ["low", "high"]}),
        ("low | medium | high", {"enum": ["low", "medium", "high"]}),
        ('"low|high"', {"enum": ["low", "high"]}),
        ("1 | 2 | 3", {"enum": [1, 2, 3]}),
        ('"a" | null', {"enum": ["a", None]}),
        ("string | null", {"type": ["string", "null"]}),
        ("string or null", {"type": ["string", "null"]}),
        ("string | number", {"type": ["string", "number"]}),
        ('"string|null"', {"type": ["string", "null"]}),
        ('"string"', STRING),
        ('"string[]"', STRINGS),
        ("<string>", STRING),
        ("<title of the paper>", {}),
        ("title of the paper", {}),
        ('"the title, in words"', {}),
        ("headline", {}),
        ("Node", {}),
        ("0-100", {}),
        ("YYYY-MM-DD", {}),
        ("0.5", {"type": "number"}),
        ("true", {"type": "boolean"}),
        ("string (at most 3 words)", STRING),
        ("string // the name\n", STRING),
    ],
)
def test_a_value_promises_what_its_words_say_and_no_more(shape: str, schema: object) -> None:
    found = schema_of(f"{{ a: {shape}, z: string }}")
    assert found == {"type": "object", "properties": {"a": schema, "z": STRING}, "required": ["a", "z"]}


@pytest.mark.parametrize(
    "shape", ["{ a?: string }", "{ a: string? }", "{ a: string (optional) }", "{ a: Optional[str] }"]
)
def test_what_is_optional_may_be_missing_or_null(shape: str) -> None:
    schema = schema_of(shape)
    for value in ({}, {"a": None}, {"a": "x"}):
        jsonschema.validate(value, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"a": 1}, schema)


def test_keys_may_be_bare_quoted_or_in_any_script_and_members_end_with_commas_semicolons_or_lines() -> None:
    schema = schema_of("""{ 'a': string; "b": int, 名称：字符串，
        c: string  // the third
        d: { e: "x" | "y" }
        f
    }""")
    assert schema["required"] == ["a", "b", "名称", "c", "d", "f"]


def test_keys_besides_those_of_the_shape_are_allowed() -> None:
    jsonschema.validate({"a": "x", "more": 1}, schema_of("{ a: string }"))


def test_the_words_of_the_faults_are_not_taken_for_its_shape() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"words": [{"id": 1}]}, schema_of("{ words: string[] }"))


def test_what_stands_behind_a_shape_is_handed_back() -> None:
    assert read_shape("[string], at most 5") == (STRINGS, ", at most 5")


@pytest.mark.parametrize(
    "shape", ["{ a", "{ a: }", "[string", "{ a b: string }", "{ a: string[x] }", "{ (a): string }", "Array<string", ""]
)
def test_what_is_broken_is_unclear(shape: str) -> None:
    with pytest.raises(ShapeUnclear):
        read_shape(shape)
