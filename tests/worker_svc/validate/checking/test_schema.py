"""A plan's schema, from its JSON to a validator's verdict on a candidate."""

from __future__ import annotations

import json
from typing import Any

import pytest

from planner_svc.compiler import compile_plan
from planner_svc.diagnostics import Severity
from planner_svc.wire.checks import check_to_proto
from planner_svc.wire.execution_json import execution_json
from signoff.v1 import execution_pb2
from worker_svc.validate import checks

_PLAN = (
    '{"idea": "i", "tasks": [{"task_id": "1", "description": "d", "dependencies": [],'
    ' "input": {"description": "n"}, "output": {"description": "o", "artifact": "a", "format": "JSON"},'
    ' "validation": {"checks": [{"type": "json_schema", "schema": %s}]}}]}'
)
D4, D7, D2020 = (
    '"$schema": "http://json-schema.org/draft-04/schema#"',
    '"$schema": "http://json-schema.org/draft-07/schema#"',
    '"$schema": "https://json-schema.org/draft/2020-12/schema"',
)


def reason(schema: str, candidate: str) -> str:
    """Returns why a validator fails a candidate, with the schema compiled as one of a plan; empty when it passes."""
    compiled = compile_plan((_PLAN % schema).encode())
    assert compiled.map is not None, [str(found.message) for found in compiled.diagnostics]
    (task,) = compiled.map.tasks
    assert task.validation is not None
    result = checks.check_result(check_to_proto(task.validation.checks[0]), candidate.encode())
    assert result.outcome in (execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL), result.reason
    return result.reason


def refusal(schema: str) -> str:
    """Returns the diagnostic of a plan with this schema."""
    (found,) = [
        found for found in compile_plan((_PLAN % schema).encode()).diagnostics if found.severity is Severity.ERROR
    ]
    assert (found.code, found.path) == ("malformed-check", "tasks[0].validation.checks[0]")
    return found.message


@pytest.mark.parametrize(
    ("schema", "passing", "failing"),
    [
        ('{"format": "date"}', '"2026-11-28"', '"2026-13-45"'),
        (f'{{{D4}, "format": "date"}}', '"2026-11-28"', '"2026-13-45"'),
        ('{"multipleOf": 0.01}', "19.99", "19.999"),
        ('{"multipleOf": 1e-8}', "1.5e-7", "1.5e-9"),
        ('{"maximum": 12345678901234567.89}', "12345678901234567.89", "12345678901234567.890001"),
        ('{"exclusiveMinimum": 0.1}', "0.1000000000000000000001", "0.1"),
        ('{"minimum": 9007199254740993}', "9007199254740993.0", "9007199254740992.9"),
        ('{"const": 0.1}', "0.10", "0.1000000000000000055"),
        ('{"enum": [1, {"a": [1]}]}', '{"a": [1.0]}', '{"a": [true]}'),
        ('{"uniqueItems": true}', "[[1], [true], 1, true, {}, []]", "[[1], [true], [1.0]]"),
        ('{"uniqueItems": true}', '[{"a": 1, "b": 2}, {"a": 1}]', '[{"a": 1, "b": 2}, 3, {"b": 2, "a": 1.0}]'),
        ('{"type": "integer"}', "1e300", "1.5"),
        (f'{{{D4}, "type": "integer"}}', "1", "1.0"),
        ('{"minLength": 2.0, "maxItems": 1e0}', '"ab"', '"a"'),
        ('{"pattern": "^[a-z]+$"}', '"abc"', '"abc\\n"'),
        (r'{"pattern": "^\\d\\p{L}$"}', '"1é"', '"٣é"'),
        (r'{"patternProperties": {"^\\w$": false}}', '{"é": 1}', '{"a": 1}'),
        (r'{"patternProperties": {"^a$": {}}, "additionalProperties": false}', '{"a": 1}', r'{"a\n": 1}'),
        (r'{"patternProperties": {"^(a)\\1$": {}, "^b$": {}}, "additionalProperties": false}', '{"b": 1}', '{"a": 1}'),
        (r'{"allOf": [{"patternProperties": {"^a$": {}}}], "unevaluatedProperties": false}', '{"a": 1}', r'{"a\n": 1}'),
        ('{"dependencies": {"a": ["b"]}}', '{"a": 1, "b": 2}', '{"a": 1}'),
        (f'{{{D2020}, "dependencies": {{"a": {{"required": ["b"]}}}}}}', '{"a": 1, "b": 2}', '{"a": 1}'),
        ('{"items": [{"type": "string"}], "additionalItems": false}', '["a"]', '["a", 1]'),
        ('{"definitions": {"a": {"type": "string"}}, "$ref": "#/definitions/a"}', '"a"', "1"),
        ('{"minimum": 1, "exclusiveMinimum": true}', "1.1", "1"),
        ('{"$id": "https://example.com/r", "$defs": {"a": {"$id": "a", "type": "null"}}, "$ref": "a"}', "null", "1"),
        ('{"$ref": "https://json-schema.org/draft/2020-12/schema"}', '{"type": "string"}', '{"type": "strnig"}'),
        (f'{{{D7}, "$ref": "http://json-schema.org/draft-07/schema#"}}', '{"type": "string"}', '{"pattern": "("}'),
        ('{"not": {"$schema": "https://json-schema.org/draft/2020-12/schema", "multipleOf": 0.01}}', "0.001", "19.99"),
        ('{"const": {"$schema": "x"}}', '{"$schema": "x"}', "{}"),
        ('{"prefixItems": [true], "contains": {"const": 2}, "unevaluatedItems": false}', "[1, 2]", "[1, 2, 3]"),
    ],
)
def test_a_schema_decides_as_its_authors_mean(schema: str, passing: str, failing: str) -> None:
    assert reason(schema, passing) == ""
    assert reason(schema, failing)


@pytest.mark.guard(name="decimals are exact")
def test_a_price_in_cents_is_a_multiple_of_a_cent() -> None:
    assert reason('{"multipleOf": 0.01}', "19.99") == ""
    assert reason('{"multipleOf": 0.01}', "19.999")


def test_reasons_show_numbers_and_patterns_as_they_are_written() -> None:
    assert reason('{"items": {"multipleOf": 0.010}}', "[19.9990]") == "$[0]: 19.9990 is not a multiple of 0.010"
    assert reason('{"pattern": "^\\\\d$"}', '"٣"') == r"$: '٣' does not match '^\\d$'"
    assert reason('{"uniqueItems": true}', "[1, 2, 1.0]") == "$: 1.0 comes twice, as items 0 and 2: they must be unique"
    assert reason('{"format": "date"}', '"2026-13-45"') == "$: '2026-13-45' is not a 'date'"


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        (
            r'{"properties": {"a": {"pattern": "a\\Z"}}}',
            "schema at #/properties/a/pattern: expected a regular expression of",
        ),
        (
            r'{"patternProperties": {"(?i)a": {}}}',
            "schema at #/patternProperties: expected a regular expression of ECMA-262",
        ),
        (r'{"$ref": "#/x/y", "x": {"y": {"pattern": "("}}}', "a ) for every ("),
        (r'{"pattern": "\\p{Script=Han}"}', "scripts and other properties are not known here"),
        ('{"$defs": {}, "dependencies": {}}', "expected keywords of one draft, or $schema to say which one is meant"),
        ('{"$ref": "other.json"}', "no other document is fetched, but got 'other.json' at #"),
        ('{"items": {"$ref": "https://example.com/s"}}', "but got 'https://example.com/s' at #/items"),
        ('{"$ref": "https://json-schema.org/draft/2020-12/schema#/nowhere"}', "references that lead somewhere"),
        ('{"$ref": "#/properties", "properties": {"a": 1}}', "a valid JSON Schema of draft 2020-12"),
        ('{"minimum": 1e400}', "expected numbers that a double can hold"),
        ('{"multipleOf": 0}', "is less than or equal to"),
        ('{"$schema": "http://example.com/"}', "expected $schema to name a draft"),
    ],
)
def test_a_schema_that_cannot_decide_is_an_error_of_the_plan(schema: str, says: str) -> None:
    assert says in refusal(schema)


def test_the_names_of_properties_are_no_keywords() -> None:
    schema = (
        '{"properties": {"pattern": {"type": "string"}, "$ref": {"type": "string"}, "dependencies": {}, "$defs": {}}}'
    )
    assert reason(schema, '{"pattern": "(", "$ref": "x"}') == ""


def test_a_plan_is_read_again_for_the_digits_of_its_schema_and_keeps_its_other_numbers() -> None:
    data = (_PLAN % '{"maximum": 12345678901234567.89}').replace(
        '"description": "n"', '"description": "n", "parameters": 0.5'
    )
    compiled = compile_plan(b"\xef\xbb\xbf" + data.encode())
    assert compiled.map is not None
    (task,) = compiled.map.tasks
    assert task.validation is not None
    assert task.input is not None
    assert check_to_proto(task.validation.checks[0]).json_schema.schema_json == '{"maximum":12345678901234567.89}'
    assert task.input.parameters_json == "0.5"
    assert json.loads(execution_json(compiled.map))


def test_many_items_are_compared_in_a_moment() -> None:
    items: list[Any] = [{"a": [n]} for n in range(20_000)]
    assert reason('{"uniqueItems": true}', json.dumps(items)) == ""


@pytest.mark.parametrize(
    ("schema", "passes"),
    [
        ('{"multipleOf": 0.01}', False),
        ('{"multipleOf": 7}', False),
        ('{"maximum": 3}', True),
        ('{"minimum": 3}', False),
        ('{"type": "integer"}', False),
        ('{"enum": [1]}', False),
    ],
)
def test_a_huge_exponent_costs_nothing(schema: str, passes: bool) -> None:
    assert (reason(schema, "1e-999999999999") == "") is passes
    assert "1e999999999999" in reason(schema, "1e999999999999")  # which readers of JSON cannot hold
