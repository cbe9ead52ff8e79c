"""Output formats: each becomes a check of its shape, or a warning that names the part that is not understood."""

from __future__ import annotations

import json
from typing import Any

import pytest

from planner_svc.checks.structured import check_to_json
from planner_svc.compiler import Compiled, compile_plan
from planner_svc.criteria.notes import notes
from tests.support.values.trees import atomic

WORDS = {
    "type": "object",
    "properties": {"words": {"type": "array", "items": {"type": "string"}}},
    "required": ["words"],
}
FROM_FORMAT = {"type": "json_schema", "schema": WORDS, "from_format": True}


def compiled_plan(plan: object) -> Compiled:
    return compile_plan(json.dumps(plan).encode())


def compiled(output_format: object, **more: Any) -> Compiled:
    task = atomic("1", **more)
    task["output"]["format"] = output_format
    return compiled_plan({"idea": "a dictionary", "tasks": [task]})


def checks_of(result: Compiled) -> list[Any]:
    assert result.map is not None
    validation = result.map.tasks[0].validation
    return [check_to_json(check) for check in validation.checks] if validation is not None else []


@pytest.mark.guard(name="shapes are promises")
@pytest.mark.parametrize("more", [{}, {"validation": {"criteria": ["The words are long."]}}])
def test_the_shape_of_a_format_becomes_a_check(more: dict[str, Any]) -> None:
    result = compiled("JSON: { words: string[] }", **more)
    assert checks_of(result) == [FROM_FORMAT]
    assert result.map is not None
    assert [note for note in notes(result.map) if 'format "JSON: { words: string[] }" is checked by code' in note]


def test_lines_of_json_are_each_held_to_the_shape() -> None:
    assert checks_of(compiled("JSONL: { words: string[] }")) == [{**FROM_FORMAT, "lines": True}]


def test_keys_in_words_are_promised_too() -> None:
    wanted = {"type": "object", "required": ["title", "year"]}
    assert checks_of(compiled("A JSON object with keys title and year"))[0]["schema"] == wanted


@pytest.mark.parametrize("output_format", ["JSON", "Markdown", "", "JSON: any", "a Python script"])
def test_a_format_without_a_shape_promises_none(output_format: str) -> None:
    result = compiled(output_format)
    assert checks_of(result) == []
    assert {diagnostic.code for diagnostic in result.diagnostics} <= {"no-criteria"}


def test_a_schema_of_the_plans_own_stands_for_the_shape() -> None:
    own = {"type": "json_schema", "schema": {"type": "object"}}
    assert checks_of(compiled("JSON: { words: string[] }", validation={"checks": [own]})) == [own]


def test_the_shape_is_left_to_the_judge_where_the_plan_says_so() -> None:
    validation = {"criteria": ["The words are long."], "worded_checks": False}
    assert checks_of(compiled("JSON: { words: string[] }", validation=validation)) == []


def test_a_task_with_nothing_but_a_shape_still_has_no_criteria() -> None:
    assert "no-criteria" in {diagnostic.code for diagnostic in compiled("JSON: { words: string[] }").diagnostics}


@pytest.mark.parametrize(
    ("output_format", "why"),
    [
        ("JSON or YAML", "it names several forms"),
        ("JSON: { words: string[]", "a comma or '}' was expected"),
        ("Markdown with a JSON block", "the JSON in it is not checked"),
        ('JSON: {"type": "objekt", "properties": {}}', "is not valid under any of the given schemas"),
    ],
)
def test_what_speaks_of_json_and_is_not_understood_is_a_warning_that_names_it(output_format: str, why: str) -> None:
    result = compiled(output_format)
    found = next(diagnostic for diagnostic in result.diagnostics if diagnostic.code == "unclear-format")
    assert result.ok
    assert found.path == "tasks[0].output.format"
    assert why in found.message
    assert checks_of(result) == []


def test_a_group_promises_nothing() -> None:
    group = {"task_id": "1", "description": "all", "output": {"format": "JSON or YAML"}}
    plan = {"idea": "a dictionary", "tasks": [group, atomic("1_1")]}
    assert "unclear-format" not in {diagnostic.code for diagnostic in compiled_plan(plan).diagnostics}


def test_parameters_keep_their_digits() -> None:
    task = atomic("1")
    task["input"]["parameters"] = {"limit": 0}
    plan = json.dumps({"idea": "x", "tasks": [task]}).replace(
        '"limit": 0', '"limit": 12345678901234567.89, "rate": 0.1'
    )
    result = compile_plan(plan.encode())
    assert result.map is not None
    taken = result.map.tasks[0].input
    assert taken is not None
    assert taken.parameters_json == '{"limit":12345678901234567.89,"rate":0.1}'
