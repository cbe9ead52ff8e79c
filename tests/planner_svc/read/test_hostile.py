"""Hostile input: it gets diagnostics with paths, never a traceback."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner_svc import compiler
from planner_svc.compiler import compile_plan
from planner_svc.diagnostics import Diagnostic, Diagnostics
from planner_svc.layout.layout import lay_out
from planner_svc.read.exact import ExactPlan
from planner_svc.read.plain_tasks import plain_task
from planner_svc.read.sizes import MAX_TEXT_BYTES
from planner_svc.read.task_reader import TaskReader
from planner_svc.wire.execution_json import execution_json
from signoff.v1 import plan_pb2
from tests.support.draws import so_many
from tests.support.values.trees import RawTask, atomic, compiled, group, parts, plan_json, stages


def only(data: bytes) -> Diagnostic:
    (diagnostic,) = compile_plan(data).diagnostics
    return diagnostic


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"tasks: []",
        b"\xff\xfe{}",
        b'"\xed\xa0\x80"',
        b'{"idea": "\\ud800", "tasks": []}',
        b'{"tasks": [NaN]}',
        b"[" * 100_000,
        b'{"tasks":' * 100_000,
        b'{"tasks": [' + b"9" * 100_000 + b"]}",
        b'{"tasks": []} trailing',
    ],
)
def test_what_is_not_json_is_one_diagnostic(data: bytes) -> None:
    assert only(data).code == "not-json"


@pytest.mark.parametrize(
    "data", [b"[]", b"3", b'"plan"', b"null", b"true", b"{}", b'{"tasks": null}', b'{"tasks": {}}']
)
def test_json_that_is_no_plan_is_a_wrong_type(data: bytes) -> None:
    assert "wrong-type" in {diagnostic.code for diagnostic in compile_plan(data).diagnostics}


def test_a_byte_order_mark_is_no_mistake() -> None:
    assert compile_plan(b"\xef\xbb\xbf" + plan_json(atomic("1"))).ok


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"task_id": 7}, "tasks[0].task_id"),
        ({"task_id": None}, "tasks[0].task_id"),
        ({"description": []}, "tasks[0].description"),
        ({"dependencies": "2"}, "tasks[0].dependencies"),
        ({"dependencies": {"2": 1}}, "tasks[0].dependencies"),
        ({"dependencies": 0}, "tasks[0].dependencies"),
        ({"dependencies": [2]}, "tasks[0].dependencies[0]"),
        ({"parent_id": 1}, "tasks[0].parent_id"),
        ({"input": "text"}, "tasks[0].input"),
        ({"input": []}, "tasks[0].input"),
        ({"input": {"artifacts": [1.5]}}, "tasks[0].input.artifacts[0]"),
        ({"input": {"artifacts": False}}, "tasks[0].input.artifacts"),
        ({"input": {"description": {}}}, "tasks[0].input.description"),
        ({"output": {"artifact": ["x"]}}, "tasks[0].output.artifact"),
        ({"output": {"format": 1}}, "tasks[0].output.format"),
        ({"validation": 1}, "tasks[0].validation"),
        ({"validation": {"criteria": "one"}}, "tasks[0].validation.criteria"),
        ({"validation": {"criteria": [None]}}, "tasks[0].validation.criteria[0]"),
        ({"validation": {"checks": {}}}, "tasks[0].validation.checks"),
    ],
)
def test_a_field_of_a_wrong_type_is_blamed_by_its_path(fields: dict[str, Any], path: str) -> None:
    result = compiled({**atomic("1"), **fields}, atomic("2"))

    assert not result.ok
    (found,) = [diagnostic for diagnostic in result.diagnostics if diagnostic.code == "wrong-type"]
    assert found.path == path
    assert found.message.startswith(f"{path}: expected ")
    assert not [other for other in result.diagnostics if other.code == "unknown-dependency"]


def test_entries_that_are_no_tasks_are_blamed_by_their_places() -> None:
    result = compiled(None, 3, [], "x", atomic("1"))

    paths = [diagnostic.path for diagnostic in result.diagnostics if diagnostic.code == "wrong-type"]
    assert paths == ["tasks[0]", "tasks[1]", "tasks[2]", "tasks[3]"]


def test_nothing_counts_as_absent_and_unknown_fields_are_ignored() -> None:
    bare = {"task_id": "1", "description": None, "dependencies": None, "parent_id": None, "validation": None}

    assert compiled({**bare, "input": {"artifacts": None, "parameters": None}, "output": {}, "stage": 9}).ok


@pytest.mark.parametrize(
    "check",
    [
        None,
        "json",
        {},
        {"type": "sentiment"},
        {"type": ["json"]},
        {"type": "json_schema"},
        {"type": "json_schema", "schema": {"type": "strnig"}},
        {"type": "json_schema", "schema": {"$schema": "http://example.invalid/schema"}},
        {"type": "json_schema", "schema": {"$ref": "http://example.invalid/schema"}},
        {"type": "json_schema", "schema": {"$ref": "file:///etc/passwd"}},
        {"type": "json_schema", "schema": {"$ref": "#/$defs/nowhere"}},
        {"type": "required_keys"},
        {"type": "required_keys", "keys": []},
        {"type": "required_keys", "keys": ["a", 1]},
        {"type": "regex"},
        {"type": "regex", "pattern": "("},
        {"type": "regex", "pattern": "(" * 5_000 + ")" * 5_000},
        {"type": "regex", "pattern": "a" * 10_001},
        {"type": "regex", "pattern": "a", "absent": "no"},
        {"type": "length"},
        {"type": "length", "min_chars": 2, "max_chars": 1},
        {"type": "length", "min_chars": -1},
        {"type": "length", "max_chars": True},
        {"type": "length", "max_chars": 1.5},
        {"type": "length", "max_chars": 10**400},
        {"type": "count"},
        {"type": "count", "path": 1, "min_items": 1},
        {"type": "count", "path": "a", "min_items": 2, "max_items": 1},
        {"type": "count", "min_items": "3"},
        {"type": "count", "max_items": -1},
        {"type": "words"},
        {"type": "words", "min_words": 1.5},
        {"type": "words", "max_words": [9]},
        {"type": "words", "min_words": 9, "max_words": 3},
        {"type": "language"},
        {"type": "language", "code": "English"},
        {"type": "language", "code": "EN"},
        {"type": "language", "code": "xx"},
        {"type": "language", "code": ["en"]},
        {"type": "citations"},
        {"type": "citations", "min_citations": 0},
        {"type": "citations", "min_citations": True},
        {"type": "citations", "min_citations": 10**400},
        {"type": "citations", "min_citations": 1, "marks": []},
        {"type": "citations", "min_citations": 1, "marks": "urls"},
        {"type": "citations", "min_citations": 1, "marks": ["url"]},
        {"type": "citations", "min_citations": 1, "marks": [1]},
        {"type": "length", "max_chars": 9, "visible": 1},
        {"type": "command"},
        {"type": "command", "argv": "true"},
        {"type": "command", "argv": []},
        {"type": "command", "argv": [""]},
        {"type": "command", "argv": ["true", 1]},
        {"type": "command", "argv": ["tr\0ue"]},
        {"type": "command", "argv": ["true"], "timeout": 0},
        {"type": "command", "argv": ["true"], "timeout": 3_601},
        {"type": "command", "argv": ["true"], "timeout": "60"},
        {"type": "sentences"},
        {"type": "sentences", "min_paragraphs": 1},
        {"type": "sentences", "min_sentences": 2, "max_sentences": 1},
        {"type": "sentences", "min_sentences": 1, "separator": "***"},
        {"type": "paragraphs", "min_paragraphs": 1, "separator": ""},
        {"type": "paragraphs", "min_paragraphs": 1, "separator": "a\nb"},
        {"type": "paragraphs", "min_paragraphs": 1, "separator": "*" * 101},
        {"type": "paragraphs", "min_paragraphs": 1, "distinct": "yes"},
        {"type": "contains"},
        {"type": "contains", "phrases": "a"},
        {"type": "contains", "phrases": []},
        {"type": "contains", "phrases": ["a", " "]},
        {"type": "contains", "phrases": ["\u200b"]},
        {"type": "contains", "phrases": ["a"] * 101},
        {"type": "contains", "phrases": ["a" * 10_001]},
        {"type": "contains", "phrases": ["a"], "min_occurrences": 2, "max_occurrences": 1},
        {"type": "contains", "phrases": ["a"], "any": 1},
        {"type": "title", "style": "heading"},
        {"type": "starts_with"},
        {"type": "starts_with", "phrase": "a", "paragraph": 0},
        {"type": "ends_with", "phrase": ["a"]},
        {"type": "number"},
        {"type": "number", "path": "a"},
        {"type": "number", "min": "1"},
        {"type": "number", "min": True},
        {"type": "number", "min": 2, "max": 1},
        {"type": "number", "max": 10**400},
        {"type": "number", "direction": "up", "threshold": 1},
        {"type": "number", "direction": "maximize"},
        {"type": "number", "threshold": 1},
        {"type": "number", "direction": "maximize", "threshold": 1, "min": 0},
        {"type": "postscript", "marker": 1},
        {"type": "function"},
        {"type": "function", "name": ""},
        {"type": "function", "name": "a b"},
        {"type": "function", "name": {"a": 1}},
    ],
)
def test_a_malformed_check_is_an_error_at_compile_time(check: Any) -> None:
    result = compiled(atomic("1", validation={"checks": [{"type": "json"}, check]}))

    assert not result.ok
    (found,) = [diagnostic for diagnostic in result.diagnostics if diagnostic.code == "malformed-check"]
    assert found.path == "tasks[0].validation.checks[1]"
    assert "expected" in found.message


@pytest.mark.parametrize("depth", [150, 10_000])
def test_a_schema_that_is_nested_too_deeply_is_an_error(depth: int) -> None:
    schema = '{"not":' * depth + "{}" + "}" * depth
    check = {"type": "json_schema", "schema": "here"}
    data = plan_json(atomic("1", validation={"checks": [check]})).replace(b'"here"', schema.encode())

    result = compile_plan(data)

    assert not result.ok
    assert result.diagnostics[0].code in ("malformed-check", "not-json")


@pytest.mark.parametrize("field", ["description", "parent_id"])
def test_a_text_of_ten_megabytes_is_an_error_and_not_repeated(field: str) -> None:
    result = compiled({**atomic("1"), field: "x" * 10_000_000})

    (found,) = [diagnostic for diagnostic in result.diagnostics if diagnostic.code == "text-too-long"]
    assert found.path == f"tasks[0].{field}"
    assert len(found.message) < 200


def test_an_id_of_ten_megabytes_is_a_short_diagnostic() -> None:
    result = compiled(atomic("x" * 10_000_000), atomic("1", "y" * 10_000_000))

    assert {found.code for found in result.diagnostics} >= {"bad-id"}
    assert all(len(found.message) + len(found.path) < 500 for found in result.diagnostics)
    assert all(len(task_id) <= 128 for found in result.diagnostics for task_id in found.task_ids)


def test_a_task_larger_than_a_message_is_an_error() -> None:
    result = compiled(atomic("1", validation={"criteria": ["c" * 1_000_000] * 3}), atomic("2", reads=("",) * 400_000))

    assert [found.path for found in result.diagnostics if found.code == "task-too-large"] == ["tasks[0]", "tasks[1]"]


def test_the_largest_task_there_can_be_still_fits_in_one_frame() -> None:
    result = compiled(atomic("1", description="é" * 500_000, validation={"criteria": ["c" * 1_000_000]}))

    assert result.map is not None
    assert max(part.ByteSize() for part in parts(result, layout=False)) < 4 * 1024 * 1024


def test_numbers_that_no_double_holds_are_blamed() -> None:
    data = plan_json(atomic("1", input={"parameters": {"x": 0}})).replace(b'"x": 0', b'"x": 1e999')

    assert "wrong-type" in {found.code for found in compile_plan(data).diagnostics}


def test_any_script_and_null_characters_survive_the_compile() -> None:
    text = "调研 – ✓ 𝔘 \x00 \u202e"
    result = compiled(atomic("1", description=text, makes=text, input={"parameters": {text: [1, 2.5, 10**30]}}))

    assert result.map is not None
    document = json.loads(execution_json(result.map))
    assert document["tasks"][0]["description"] == text
    assert document["tasks"][0]["output"]["artifact"] == text
    assert document["tasks"][0]["input"]["parameters"] == {text: [1, 2.5, 10**30]}
    assert "调研".encode() in execution_json(result.map)


def test_a_depth_of_five_hundred_is_no_limit() -> None:
    chain = [group(f"g{n}", *(["first"] if n == 7 else []), parent_id=f"g{n - 1}" if n else "") for n in range(500)]

    result = compiled(*reversed(chain), atomic("first"), atomic("deep", parent_id="g499"))

    assert stages(result) == {"first": 1, "deep": 2}
    assert result.map is not None
    assert len(lay_out(result.map, result.direct).top_down) == 502


@pytest.mark.parametrize("count", [20_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_tens_of_thousands_of_tasks_in_a_row_compile(count: int) -> None:
    tasks = [
        atomic(str(n), *([str(n - 1)] if n > 1 else []), validation={"criteria": ["ok"]}) for n in range(1, count + 1)
    ]

    result = compiled(*tasks)

    assert result.map is not None
    assert result.map.stage_count == count


def test_waiting_for_more_than_fits_in_a_message_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "MAX_TASK_WAITS", 10)
    result = compiled(*(atomic(f"{n}") for n in range(1, 12)), atomic("a", *(f"{n}" for n in range(1, 12))))

    (found,) = [diagnostic for diagnostic in result.diagnostics if diagnostic.code == "too-many-dependencies"]
    assert found.task_ids == ("a",)


def test_a_map_that_would_explode_is_an_error_before_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "MAX_WAITS", 1_000)
    first = [atomic(f"{n}") for n in range(1, 101)]
    second = [group("b", *(f"{n}" for n in range(1, 101))), *(atomic(f"b_{n}", "1") for n in range(100))]

    result = compiled(*first, *second)

    assert "too-many-dependencies" in {diagnostic.code for diagnostic in result.diagnostics}


def test_no_message_is_too_large_for_the_largest_number_of_dependencies() -> None:
    task = plan_pb2.MapTask(waits_for=[5_000_000] * compiler.MAX_TASK_WAITS)

    assert task.ByteSize() < 1_500_000


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
fields = ["task_id", "description", "dependencies", "parent_id", "input", "output", "validation", "executor", "budget"]
numbers = st.integers(-1, 10) | st.floats(-1, 10) | st.just(10**400) | st.booleans() | st.none()
labels = st.dictionaries(st.sampled_from(["zone", "", "x" * 200]), st.sampled_from(["eu", "", 1]), max_size=3)
names = st.sampled_from(["model", "command", "fetch", "a b", ""])
commands = st.fixed_dictionaries(
    {}, optional={"argv": st.lists(names, max_size=2) | anything, "memory_mib": st.sampled_from([1, 16, 64]) | numbers}
)
executors = st.fixed_dictionaries(
    {},
    optional={
        "name": names | anything,
        "labels": labels | anything,
        "model": names | anything,
        "escalation": st.lists(names | anything, max_size=2),
        **dict.fromkeys(["run_timeout", "idle_timeout", "max_failures", "temperature", "max_tokens"], numbers),
        "command": commands | st.lists(names, max_size=2) | anything,
        "max_failure": anything,
    },
)
judges = st.fixed_dictionaries({}, optional={"labels": labels, **dict.fromkeys(["model", "votes", "needed"], numbers)})
kinds = ["json", "json_schema", "required_keys", "regex", "length", "count", "words", "language", "citations"]
kinds += [
    "sentences",
    "sections",
    "contains",
    "starts_with",
    "ends_with",
    "uppercase",
    "number",
    "quoted",
    "postscript",
]
checks = st.fixed_dictionaries(
    {"type": st.sampled_from([*kinds, "command", "function"])},
    optional={
        **dict.fromkeys(["min_items", "max_items", "min_words", "max_words", "min_citations", "timeout"], numbers),
        **dict.fromkeys(["min_sentences", "max_sections", "min_occurrences", "min", "max", "paragraph"], numbers),
        **dict.fromkeys(["separator", "marker", "phrase", "distinct", "any", "direction"], names | anything),
        "phrases": st.lists(names, max_size=2) | anything,
        "path": names | anything,
        "code": st.sampled_from(["en", "xx"]) | anything,
        "argv": st.lists(names, max_size=2) | anything,
        "name": names | anything,
    },
)
criteria = st.sampled_from(["is valid JSON", "at least 3 sources", "contains 'x'", "in English", "good", "ſix words"])
validations = st.fixed_dictionaries(
    {},
    optional={
        "criteria": st.lists(criteria | anything, max_size=3) | anything,
        "checks": st.lists(checks | anything, max_size=3) | anything,
        "judge": judges | anything,
        "human": anything,
        "worded_checks": anything,
    },
)
nearly_tasks = st.fixed_dictionaries({}, optional=dict.fromkeys(fields, anything)) | anything
nearly_right = st.fixed_dictionaries(
    {"task_id": st.sampled_from(["0", "1", "1_1", "a"])},
    optional={
        "dependencies": st.lists(st.sampled_from(["0", "1", "1_1", "a", ""]), max_size=3) | anything,
        "input": st.fixed_dictionaries({}, optional=dict.fromkeys(["artifacts", "parameters"], anything)),
        "output": st.fixed_dictionaries({}, optional={"artifact": st.sampled_from(["x", "y"]) | anything}),
        "validation": validations,
        "executor": executors | anything,
        "budget": st.fixed_dictionaries({}, optional={"tokens": anything, "cost": anything}) | anything,
    },
)


@settings(derandomize=True, deadline=None, max_examples=so_many(80, long=250))
@given(st.lists(nearly_tasks | nearly_right, max_size=6))
def test_no_json_makes_the_compiler_raise_and_what_it_says_fits_on_the_wire(tasks: list[Any]) -> None:
    result = compiled(*tasks)

    for diagnostic in result.diagnostics:
        diagnostic.message.encode()
    if result.map is not None:
        json.loads(execution_json(result.map))
        parts(result)


@settings(derandomize=True, deadline=None, max_examples=so_many(130, long=400))
@given(nearly_tasks | nearly_right)
def test_reading_plain_tasks_fast_gives_what_reading_them_with_care_gives(raw: Any) -> None:
    diagnostics = Diagnostics()
    careful = TaskReader(diagnostics, ExactPlan(b"")).task(raw, 7)

    plain = plain_task(raw, 7)

    assert plain is None or (plain == careful and not diagnostics.in_order())


@pytest.mark.parametrize(
    "fields",
    [
        {"description": "x" * (MAX_TEXT_BYTES // 4 + 1)},
        {"input": {"artifacts": [""] * 140_000}},
        {"output": {"artifact": "x" * 140_000, "format": "x" * 140_000}},
    ],
)
def test_a_task_that_may_be_too_large_is_read_with_care(fields: RawTask) -> None:
    assert plain_task(atomic("1", "2"), 0) is not None
    assert plain_task(atomic("1", "2", **fields), 0) is None


@settings(derandomize=True, deadline=None, max_examples=so_many(100, long=300))
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_make_the_compiler_raise(data: bytes) -> None:
    assert not compile_plan(data).ok
