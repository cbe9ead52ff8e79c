"""The inputs of a plan: what may be declared, where tasks read it, and what is wrong at which place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from planner_svc.compiler import Compiled, compile_plan
from planner_svc.model import InputKind, PlanInput
from planner_svc.wire.execution_json import execution_json
from planner_svc.wire.maps import map_from_proto, map_to_bytes
from signoff.v1 import plan_pb2
from tests.support.values.trees import atomic

GOOD: dict[str, Any] = {
    "data": {"file": "data/*.csv", "description": "the sales"},
    "scans": {"folder": "./scans/"},
    "release": {"text": "2.5"},
    "topic": {"text": None},
    "options": {"json": {"price": 0.5}},
}
READER = atomic("1", reads=("data", "scans", "release", "topic", "options"), validation={"criteria": ["is good"]})


def compiled(inputs: Any = GOOD, idea: str = "", **fields: Any) -> Compiled:
    plan = {"idea": idea, "inputs": inputs, "tasks": [{**READER, **fields}]}
    return compile_plan(json.dumps(plan).encode())


def told(result: Compiled, code: str) -> list[tuple[str, str]]:
    return [(found.path, found.message) for found in result.diagnostics if found.code == code]


def test_a_plan_declares_files_folders_texts_and_json_in_its_order() -> None:
    plan = json.dumps({"idea": "", "inputs": GOOD, "tasks": [READER]})
    result = compile_plan(plan.replace('"price": 0.5', '"price": 12345678901234567.89').encode())
    assert result.diagnostics == ()
    assert result.map is not None
    assert result.map.inputs == (
        PlanInput("data", InputKind.FILE, "the sales", "data/*.csv"),
        PlanInput("scans", InputKind.FOLDER, "", "scans"),
        PlanInput("release", InputKind.TEXT, "", "", "2.5"),
        PlanInput("topic", InputKind.TEXT),
        PlanInput("options", InputKind.JSON, "", "", '{"price":12345678901234567.89}'),
    )


def test_declared_inputs_travel_with_the_map_and_stand_in_execution_json() -> None:
    result = compiled()
    assert result.map is not None
    assert result.encoded is not None
    parts = map(plan_pb2.MapPart.FromString, map_to_bytes(result.map, result.encoded))
    back, _ = map_from_proto(parts)
    assert tuple(back.inputs) == result.map.inputs
    written = json.loads(execution_json(result.map))["inputs"]
    assert written["data"] == {"file": "data/*.csv", "description": "the sales"}
    assert (written["scans"], written["topic"]) == ({"folder": "scans"}, {"text": None})


def test_a_task_that_names_an_input_waits_for_nothing_more() -> None:
    result = compiled()
    assert result.map is not None
    assert [list(waits) for waits in result.map.waits_for] == [[]]
    assert result.map.tasks[0].input is not None
    assert result.map.tasks[0].input.artifacts == ("data", "scans", "release", "topic", "options")


def test_a_plan_without_inputs_has_the_digest_it_always_had() -> None:
    tasks = [atomic("1", validation={"criteria": ["is good"]})]
    before = compile_plan(json.dumps({"idea": "", "tasks": tasks}).encode())
    after = compile_plan(json.dumps({"idea": "", "inputs": {}, "tasks": tasks}).encode())
    assert before.map is not None
    assert after.map is not None
    assert before.map.digest == after.map.digest


@pytest.mark.guard(name="a plan's own paths stay in its folder")
@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/passwd", "~/x", "a\\b", "C:/x"])
def test_a_path_out_of_the_plans_folder_is_an_error_at_its_place(path: Any) -> None:
    for kind in ("file", "folder"):
        result = compiled({**GOOD, "data": {kind: path}})
        assert not result.ok
        ((place, message),) = told(result, "malformed-input")
        assert place == f"inputs.data.{kind}"
        assert message.startswith(f"inputs.data.{kind}: expected ")


@pytest.mark.parametrize(
    ("declared", "path", "part"),
    [
        *(
            ({"file": path}, "inputs.x.file", "expected a path, or a pattern of files")
            for path in ("", "a\nb", 7, ["a"])
        ),
        ("data.csv", "inputs.x", "expected an object with one of file, folder, text, json, but got 'data.csv'"),
        ({}, "inputs.x", "expected one of file, folder, text, json, but got none of them"),
        ({"text": "a", "json": 1}, "inputs.x", "expected one of file, folder, text, json, but got text and json"),
        ({"text": 7}, "inputs.x.text", "expected a text, but got a number"),
        ({"text": "a", "description": 7}, "inputs.x.description", "expected a text of at most 2,000 characters"),
        ({"text": "a" * 262_145}, "inputs.x.text", "expected at most 262,144 bytes, but got 262,145"),
        ({"text": "a", "size": 7}, "inputs.x", "expected fields out of file, folder, text, json, description"),
    ],
)
def test_a_declaration_that_is_wrong_says_where_and_what_was_expected(declared: Any, path: str, part: str) -> None:
    result = compiled({**GOOD, "x": declared})
    assert not result.ok
    ((place, message),) = told(result, "malformed-input")
    assert place == path
    assert part in message


def test_a_misspelt_field_of_an_input_is_an_error_with_the_right_one() -> None:
    ((place, message),) = told(compiled({**GOOD, "data": {"path": "x.csv"}}), "misspelt-field")
    assert place == "inputs.data.path"
    assert message.endswith("did you mean file?")


@pytest.mark.parametrize("name", ["", "two words", "a/b", "-x", "a" * 129, "a.b"])
def test_a_name_that_no_flag_could_give_is_refused(name: str) -> None:
    ((place, message),) = told(compiled({**GOOD, name: {"text": "a"}}), "malformed-input")
    assert place == "inputs"
    assert "expected names of letters, digits, _ and -" in message


def test_names_may_be_of_any_script() -> None:
    assert compiled({**GOOD, "数据": {"text": "a"}}, idea="{{inputs.数据}}").ok


@pytest.mark.parametrize("inputs", [[], "x", {str(n): {"text": ""} for n in range(101)}])
def test_inputs_that_are_no_object_or_too_many_are_refused(inputs: Any) -> None:
    ((place, message),) = told(compiled(inputs), "malformed-input")
    assert place == "inputs"
    assert "expected an object with at most 100 inputs" in message


# ---------------------------------------------------------------- places


def places(place: str) -> dict[str, Any]:
    """Fields of a task with a place in every text that is filled in."""
    return {
        "description": f"Write {place}",
        "input": {**READER["input"], "description": place, "parameters": {"a": [place, {"b": f"x {place}"}]}},
        "output": {**READER["output"], "description": place},
        "validation": {
            "description": place,
            "criteria": [f"names {place}"],
            "checks": [
                {"type": "contains", "phrases": [place]},
                {"type": "starts_with", "phrase": place},
                {"type": "ends_with", "phrase": place},
            ],
        },
    }


@pytest.mark.parametrize("place", ["{{inputs.release}}", "{{ inputs.topic }}", "{{inputs.options}}"])
def test_texts_and_json_have_places_in_all_that_is_read_or_compared(place: str) -> None:
    result = compiled(idea=place, **places(place))
    assert result.diagnostics == ()


@pytest.mark.guard(name="a place names an input of the plan")
@pytest.mark.parametrize("name", ["relase", "", "a b", "release.x"])
def test_a_place_for_an_input_that_is_not_declared_is_an_error_where_it_stands(name: str) -> None:
    result = compiled(idea=f"{{{{inputs.{name}}}}}", **places(f"{{{{inputs.{name}}}}}"))
    assert not result.ok
    found = told(result, "unknown-input")
    assert {path for path, _ in found} == {
        "idea",
        "tasks[0].description",
        "tasks[0].input.description",
        "tasks[0].input.parameters.a[0]",
        "tasks[0].input.parameters.a[1].b",
        "tasks[0].output.description",
        "tasks[0].validation.description",
        "tasks[0].validation.criteria[0]",
        "tasks[0].validation.checks[0].phrases[0]",
        "tasks[0].validation.checks[1].phrase",
        "tasks[0].validation.checks[2].phrase",
    }
    assert all("but the plan has data, scans, release, topic and options" in message for _, message in found)


@pytest.mark.guard(name="a path in parameters is short")
@pytest.mark.parametrize("name", ["k" * 3_000, "a.b", "a[0]", "", "\n"])
def test_a_name_that_can_be_no_step_of_a_path_is_left_out_of_it(name: str) -> None:
    parameters = {"deep": [{name: "{{inputs.nowhere}}"}]}
    result = compiled(input={"parameters": parameters})
    assert [path for path, _ in told(result, "unknown-input")] == ["tasks[0].input.parameters.deep[0]"]


def test_a_plan_without_inputs_has_no_places_either() -> None:
    plan = {"idea": "", "tasks": [{**atomic("1"), "description": "Write {{inputs.x}}"}]}
    ((_, message),) = told(compile_plan(json.dumps(plan).encode()), "unknown-input")
    assert message.endswith("but the plan has none")


def test_a_place_that_json_writes_with_escapes_is_found_too() -> None:
    plan = json.dumps({"idea": "", "tasks": [{**atomic("1"), "description": "Write {{inputs.x}}"}]})
    assert told(compile_plan(plan.replace("{{", "\\u007b\\u007B").encode()), "unknown-input")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"description": "{{inputs.data}}"}, "description"),
        ({"description": "{{inputs.scans}}"}, "description"),
        ({"output": {"artifact": "x{{inputs.release}}"}}, "output.artifact"),
        ({"output": {"format": "JSON: { {{inputs.release}} }"}}, "output.format"),
        ({"executor": {"command": ["cat", "{{inputs.release}}"]}}, "executor.command.argv[1]"),
        ({"input": {"parameters": {"{{inputs.release}}": 1}}}, "input.parameters"),
        (
            {"validation": {"checks": [{"type": "regex", "pattern": "{{inputs.release}}"}]}},
            "validation.checks[0].pattern",
        ),
        (
            {"validation": {"checks": [{"type": "command", "argv": ["test", "{{inputs.release}}"]}]}},
            "validation.checks[0].argv[1]",
        ),
        (
            {"validation": {"checks": [{"type": "json_schema", "schema": {"const": "{{inputs.release}}"}}]}},
            "validation.checks[0].schema.const",
        ),
    ],
)
def test_a_place_where_nothing_is_filled_in_is_an_error_and_says_what_to_do(fields: dict[str, Any], path: str) -> None:
    result = compiled(**fields)
    assert not result.ok
    assert [place for place, _ in told(result, "misplaced-input")] == [f"tasks[0].{path}"]


def test_an_input_that_a_task_makes_is_ambiguous() -> None:
    ((path, message),) = told(compiled(output={"artifact": "data"}), "ambiguous-producer")
    assert path == "tasks[0].output.artifact"
    assert message == "'data' is an input of the plan: 1 cannot make an artifact of that name"


def test_an_input_that_no_task_reads_is_a_warning() -> None:
    result = compiled({**GOOD, "more": {"text": "x"}})
    assert result.ok
    assert told(result, "unread-input") == [("inputs.more", "no task reads the input 'more'")]
