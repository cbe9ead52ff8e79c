"""Loose shapes, schema instances and pattern samples, held against the real validators."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.plan.formats import format_of
from worker_svc.mock.patterns import matching_text
from worker_svc.mock.samples import Sampler


@given(text=st.text("{}[]:,|?.<>\"'ab \n", max_size=40))
@settings(derandomize=True, deadline=None, max_examples=500)
def test_no_format_is_too_strange_to_read_and_its_instance_satisfies_it(text: str) -> None:
    schema = format_of("JSON: " + text).schema
    if schema is not None:
        instance = Sampler(root=schema, topic="planets").instance(schema)
        jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(instance)))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 500},
        {"type": "string", "maxLength": 3},
        {"type": "string", "pattern": r"^[A-Z]{2}-\d{3,}$"},
        {"type": "string", "format": "date"},
        {"type": ["null", "integer"], "maximum": -5},
        {"type": "integer", "exclusiveMinimum": 10, "multipleOf": 7},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {"type": "number", "minimum": 0.5, "maximum": 0.75, "multipleOf": 0.25},
        {"type": "array", "minItems": 4, "uniqueItems": True, "items": {"type": "string"}},
        {"type": "array", "minItems": 4, "uniqueItems": True, "items": {"type": "integer"}},
        {"type": "array", "maxItems": 1},
        {"type": "array", "prefixItems": [{"const": 1}, {"type": "string"}], "items": False},
        {"type": "object", "minProperties": 3, "additionalProperties": {"type": "integer"}},
        {"type": "object", "additionalProperties": False, "properties": {"a": {}}},
        {"required": ["x", "y"], "properties": {"x": {"type": "boolean"}}},
        {"allOf": [{"required": ["a"]}, {"required": ["b"], "properties": {"b": {"type": "null"}}}], "type": "object"},
        {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        {"oneOf": [{"const": "a"}, {"const": "b"}]},
        {"enum": [None, 1]},
        {"const": {"deep": [1]}},
        {
            "$defs": {"tree": {"type": "object", "properties": {"kids": {"items": {"$ref": "#/$defs/tree"}}}}},
            "$ref": "#/$defs/tree",
        },
    ],
)
def test_an_instance_satisfies_its_schema(schema: dict[str, Any]) -> None:
    instance = Sampler(root=schema, topic="planets").instance(schema)
    jsonschema.Draft202012Validator(schema).validate(instance)
    assert len(json.dumps(instance)) < 1_000_000


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}, {"$ref": "#"}]},
        {"required": ["a", "b"], "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}},
        {"type": "array", "minItems": 1_000_000, "items": {"$ref": "#"}},
    ],
)
def test_a_schema_that_refers_to_itself_ends(schema: dict[str, Any]) -> None:
    Sampler(root=schema, topic="planets").instance(schema)


atoms = st.sampled_from(
    ["a", ".", "[b-z]", "[^a]", r"\d", r"\w+", r"\s", "(a|b)", "a{2,3}", "b+?", "c*", "(?:yz)?", "[]x]"]
)


@given(pattern=st.lists(atoms, min_size=1, max_size=6).map("".join))
@settings(derandomize=True, deadline=None)
def test_a_text_for_a_pattern_matches_it(pattern: str) -> None:
    assert re.search(pattern, matching_text(pattern))


@pytest.mark.parametrize("pattern", ["(", "a{99999999999999999999}", "(?<=x)y", r"(a)\1"])
def test_a_pattern_beyond_its_means_does_no_harm(pattern: str) -> None:
    assert isinstance(matching_text(pattern), str)
