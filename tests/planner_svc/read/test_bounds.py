"""Bounds of a plan: a value beyond one is an error that names the bound and the value, found in little time."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from planner_svc import compiler
from planner_svc.compiler import compile_plan
from planner_svc.diagnostics import Diagnostic
from planner_svc.layout.layout import lay_out
from planner_svc.wire.execution_json import execution_json
from signoff.plan import limits
from tests.support.values.trees import RawTask, atomic, compiled, group, plan_json

DRAFT_4 = "http://json-schema.org/draft-04/schema#"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"


def errors(*tasks: RawTask) -> list[Diagnostic]:
    """Returns the errors of a plan, which must be found within five seconds of CPU."""
    begun = time.process_time()
    result = compiled(*tasks)
    assert time.process_time() - begun < 5
    return [found for found in result.diagnostics if found.severity.value == "error"]


def nested(depth: int, leaf: Any = 1) -> Any:
    for _ in range(depth):
        leaf = [leaf]
    return leaf


def checks(*entries: Any) -> RawTask:
    return atomic("1", validation={"checks": list(entries)})


def required(keys: list[str]) -> RawTask:
    return checks({"type": "required_keys", "keys": keys})


def pattern(text: str) -> RawTask:
    return checks({"type": "regex", "pattern": text})


def schema(**fields: Any) -> RawTask:
    return checks({"type": "json_schema", "schema": fields})


def command(*argv: str) -> RawTask:
    return atomic("1", executor={"name": "command", "command": list(argv)})


def deep_schema(depth: int, draft: str = "") -> dict[str, Any]:
    inner: dict[str, Any] = {}
    for _ in range(depth - 1):
        inner = {"not": inner}
    return inner | ({"$schema": draft} if draft else {})


WITHIN = {
    "criteria": atomic("1", validation={"criteria": ["good"] * limits.MAX_CRITERIA}),
    "checks": checks(*[{"type": "json"}] * limits.MAX_CHECKS),
    "keys": required(["a"] * limits.MAX_KEYS),
    "parts of a key": required([".".join("a" * limits.MAX_PATH_PARTS)]),
    "length of a key": required(["a" * limits.MAX_PATH_CHARS]),
    "path of a count": checks({"type": "count", "path": ".".join("a" * limits.MAX_PATH_PARTS), "min_items": 1}),
    "pattern": pattern("a" * limits.MAX_PATTERN_CHARS),
    "groups of a pattern": pattern("(" * limits.MAX_PATTERN_DEPTH + ")" * limits.MAX_PATTERN_DEPTH),
    "small sets of a pattern": pattern("[^a-f]" * 1_000),
    "large sets of a pattern": pattern("[一-龥]" * limits.MAX_LARGE_SETS),
    "texts in an enum": schema(enum=[f"v{n}" for n in range(60_000)]),
    "texts in an enum of an old draft": schema(**{"$schema": DRAFT_4, "enum": [f"v{n}" for n in range(60_000)]}),
    "depth of a schema": schema(**deep_schema(limits.MAX_SCHEMA_DEPTH)),
    "depth of an old schema": schema(**deep_schema(limits.MAX_SCHEMA_DEPTH, DRAFT_7)),
    "a schema of a tree": schema(properties={"children": {"items": {"$ref": "#"}}}),
    "a reference with an escape": schema(**{"$defs": {"a b": {}}, "$ref": "#/$defs/a%20b"}),
    "a reference to an anchor": schema(**{"$defs": {"a": {"$anchor": "here"}}, "$ref": "#here"}),
    "a property with the name of a keyword": schema(properties={"not": {"$ref": "#"}, "allOf": {"$ref": "#"}}),
    "arguments": command(*["a"] * limits.MAX_ARGUMENTS),
    "an argument": command("echo", "a" * limits.MAX_ARGUMENT_BYTES),
    "escalation": atomic("1", executor={"escalation": ["m"] * limits.MAX_ESCALATION}),
    "labels": atomic("1", executor={"labels": {f"l{n}": "" for n in range(limits.MAX_LABELS)}}),
    "canaries": atomic("1", validation={"canaries": [{"candidate": "x", "good": True}] * limits.MAX_CANARIES}),
    "deep parameters": atomic("1", input={"parameters": nested(150)}),
}

BEYOND = {
    "criteria": (
        atomic("1", validation={"criteria": ["good"] * (limits.MAX_CRITERIA + 1)}),
        "malformed-validation",
        "tasks[0].validation.criteria",
        "at most 500 criteria, but got 501",
    ),
    "checks": (
        checks(*[{"type": "json"}] * 60_000),
        "malformed-check",
        "tasks[0].validation.checks",
        "at most 200 checks, but got 60,000",
    ),
    "keys": (required(["a"] * 1_001), "malformed-check", "tasks[0].validation.checks[0]", "1,000 keys, but got 1,001"),
    "parts of a key": (required(["a", "." * 5_000]), "malformed-check", "tasks[0].validation.checks[0]", "got 5,001"),
    "a key of 1.9 MB": (required(["." * 1_900_000]), "malformed-check", "tasks[0].validation.checks[0]", "1,900,000"),
    "path of a count": (
        checks({"type": "count", "path": "a." * 101, "min_items": 1}),
        "malformed-check",
        "tasks[0].validation.checks[0]",
        "path: expected at most 100 names",
    ),
    "pattern": (pattern("a" * 30_000), "malformed-check", "tasks[0].validation.checks[0]", "10,000 characters"),
    "groups of a pattern": (
        pattern("(?:" * 101 + "a" + ")+" * 101),
        "malformed-check",
        "tasks[0].validation.checks[0]",
        "nested at most 100 deep",
    ),
    "lookaheads of a pattern": (pattern("(?=" * 150 + ")" * 150), "malformed-check", "checks[0]", "at most 100 deep"),
    "very deep groups of a pattern": (pattern("(" * 5_000 + ")" * 5_000), "malformed-check", "checks[0]", "100 deep"),
    "digits of a repetition": (pattern("a{" + "9" * 5_000 + "}"), "malformed-check", "checks[0]", "regular expression"),
    "large sets of a pattern": (pattern("[\\0-\U0010ffff]" * 900), "malformed-check", "checks[0]", "but got 900"),
    "large sets without a bracket": (pattern("(?:一|丁|七|龥)" * 900), "malformed-check", "checks[0]", "but got 900"),
    "large sets in any case": (pattern("(?i)" + "[\\0-\uffff]" * 900), "malformed-check", "checks[0]", "but got 900"),
    "large sets of several patterns": (
        checks(*[{"type": "regex", "pattern": "[一-龥]" * 60}] * 2),
        "malformed-check",
        "tasks[0].validation.checks[1]",
        "in all checks of a task",
    ),
    "characters of several patterns": (
        checks(*[{"type": "regex", "pattern": "a" * 10_000}] * 21),
        "malformed-check",
        "tasks[0].validation.checks[20]",
        "at most 200,000 characters in all checks",
    ),
    "pattern in a schema": (schema(pattern="a" * 30_000), "malformed-check", "checks[0]", "10,000 characters"),
    "pattern of a property": (
        schema(properties={"a": {"patternProperties": {"(" * 200 + ")" * 200: {}}}}),
        "malformed-check",
        "checks[0]",
        "nested at most 100",
    ),
    "objects in an enum of draft 4": (
        schema(**{"$schema": DRAFT_4, "enum": [{"a": n} for n in range(4_000)]}),
        "malformed-check",
        "checks[0]",
        "at most 1,000 entries",
    ),
    "an enum of everything": (
        schema(**{"$schema": DRAFT_4, "enum": [*(str(n) for n in range(70_000)), 1]}),
        "malformed-check",
        "checks[0]",
        "but got 70,001",
    ),
    "names that are none": (
        schema(required=[[n] for n in range(4_000)]),
        "malformed-check",
        "checks[0]",
        "at most 1,000 entries",
    ),
    "values of a schema": (
        schema(properties={f"p{n}": True for n in range(70_000)}),
        "malformed-check",
        "checks[0]",
        "at most 10,000 values",
    ),
    "values of several schemas": (
        checks(*[{"type": "json_schema", "schema": {"required": [f"p{n}" for n in range(6_000)]}}] * 2),
        "malformed-check",
        "tasks[0].validation.checks[1]",
        "but got 12,004",
    ),
    "depth of a schema": (schema(**deep_schema(150)), "malformed-check", "checks[0]", "at most 100 levels"),
    "an anchor that nothing has": (schema(**{"$ref": "#nowhere"}), "malformed-check", "checks[0]", "lead somewhere"),
    "a step into a list": (
        schema(allOf=[{}], **{"$ref": "#/allOf/a"}),
        "malformed-check",
        "checks[0]",
        "lead somewhere",
    ),
    "an id that is no URI": (schema(**{"$id": "http://[::1"}), "malformed-check", "checks[0]", "an id that is a URI"),
    "a reference below an id that is no URI": (
        schema(properties={"x": {"$id": "http://[::1", "$ref": "a"}}),
        "malformed-check",
        "checks[0]",
        "lead somewhere",
    ),
    "arguments": (command(*["a"] * 1_001), "malformed-executor", "tasks[0].executor.command", "1,000 arguments"),
    "an argument": (command("echo", "é" * 70_000), "malformed-executor", "tasks[0].executor.command", "got 140,000"),
    "arguments of a check": (
        checks({"type": "command", "argv": ["a"] * 1_001}),
        "malformed-check",
        "tasks[0].validation.checks[0]",
        "argv: expected at most 1,000 arguments",
    ),
    "escalation": (
        atomic("1", executor={"escalation": ["m"] * 101}),
        "malformed-executor",
        "tasks[0].executor.escalation",
        "at most 100 names, but got 101",
    ),
}


@pytest.mark.parametrize("task", WITHIN.values(), ids=WITHIN.keys())
def test_what_is_just_within_a_bound_compiles(task: RawTask) -> None:
    assert errors(task) == []


@pytest.mark.parametrize(("task", "code", "path", "said"), BEYOND.values(), ids=BEYOND.keys())
def test_what_is_beyond_a_bound_is_an_error_with_its_path(task: RawTask, code: str, path: str, said: str) -> None:
    (found,) = errors(task)

    assert found.code == code
    assert path in found.path
    assert "expected " in found.message
    assert said in found.message
    assert len(found.message) < 500


ENDLESS: dict[str, dict[str, Any]] = {
    "itself": {"$ref": "#"},
    "each other": {"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}},
    "an anchor above": {"$anchor": "top", "if": {"$ref": "#top"}},
    "a definition that depends on it": {"$schema": DRAFT_7, "dependencies": {"a": {"allOf": [{"$ref": "#"}]}}},
}


@pytest.mark.guard(name="schemas come to an end")
@pytest.mark.parametrize("endless", ENDLESS.values(), ids=ENDLESS.keys())
def test_a_schema_that_applies_itself_to_the_same_value_is_an_error(endless: dict[str, Any]) -> None:
    (found,) = errors(schema(**endless))

    assert found.code == "malformed-check"
    assert "expected references that come to an end" in found.message


# ---------------------------------------------------------------- depth


def chain(count: int, make: Any = group) -> list[RawTask]:
    return [make(f"g{n}", parent_id=f"g{n - 1}" if n else "") for n in range(count)]


def test_a_thousand_nested_groups_compile() -> None:
    result = compiled(*chain(limits.MAX_NESTING), atomic("deep", parent_id=f"g{limits.MAX_NESTING - 1}"))

    assert result.map is not None
    assert len(lay_out(result.map, result.direct).top_down) == limits.MAX_NESTING + 1


@pytest.mark.parametrize("make", [group, atomic])
@pytest.mark.parametrize("count", [1_001, 20_000])
def test_more_than_a_thousand_tasks_above_each_other_are_one_error(make: Any, count: int) -> None:
    (found,) = errors(*chain(count, make), atomic("deep", parent_id=f"g{count - 1}"))

    assert (found.code, found.path) == ("nested-too-deep", "tasks[1001].parent_id")
    assert found.message.endswith(f"expected at most 1,000 tasks above each other, but got {count:,}")


def test_what_atomic_tasks_hand_on_to_those_below_them_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "MAX_WAITS", 100_000)
    first = [atomic(f"f{n}") for n in range(900)]
    below = [atomic(f"g{n}", f"f{n}", parent_id=f"g{n - 1}" if n else "") for n in range(900)]

    assert [found.code for found in errors(*first, *below)] == ["too-many-dependencies"]


@pytest.mark.parametrize("depth", [210, 100_000])
def test_json_that_is_nested_too_deeply_says_how_deep_it_may_be(depth: int) -> None:
    data = b'{"tasks": [{"task_id": "1", "input": {"parameters": ' + b"[" * depth + b"]" * depth + b"}}]}"
    (found,) = compile_plan(data).diagnostics

    assert found.code == "not-json"
    assert "nested at most 200 deep, but got more at line 1 column" in found.message


@pytest.mark.parametrize("more", [0, 1_200])
def test_the_deepest_parameters_survive_in_both_forms_of_execution_json(more: int) -> None:
    leaf = nested(190)
    tasks = [atomic("1", input={"parameters": leaf}), *(atomic(f"t{n}") for n in range(more))]
    result = compiled(*tasks)

    assert result.map is not None
    document = json.loads(execution_json(result.map))
    assert document["tasks"][0]["input"]["parameters"] == leaf


def test_deep_parameters_do_not_blow_execution_json_up() -> None:
    data = plan_json(atomic("1", input={"parameters": nested(190, [1] * 200_000)}))
    result = compile_plan(data)

    assert result.map is not None
    assert len(execution_json(result.map)) < 2 * len(data)


# ---------------------------------------------------------------- what no bound has foreseen


@pytest.mark.parametrize("kind", [MemoryError, RecursionError, OverflowError])
def test_what_no_bound_has_foreseen_is_a_diagnostic_and_no_bug(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise kind

    monkeypatch.setattr(compiler, "build_graph", failing)
    (found,) = errors(atomic("1", validation={"criteria": ["good"]}))

    assert found.code == "too-large"
    assert "expected a plan that can be compiled here, but " in found.message
