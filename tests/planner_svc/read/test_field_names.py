"""Names of fields: one that is nearly right is an error with the right name, one that no reader knows is a warning."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from planner_svc.checks.kinds import CountedPart
from planner_svc.checks.structured import check_from_json
from planner_svc.compiler import Compiled, compile_plan
from planner_svc.diagnostics import LIMIT, Diagnostic, Severity
from planner_svc.read import parse, task_reader
from planner_svc.read.check_vocabulary import CHECK, CHECKS
from planner_svc.read.object_types import FREE, ObjectType
from planner_svc.read.spelling import folded
from planner_svc.read.vocabulary import PLAN, TASK, object_types_below
from tests.support.draws import so_many
from tests.support.values.trees import atomic, codes, compiled, group

CHECKED: dict[str, dict[str, Any]] = {
    "json": {},
    "json_schema": {"schema": {"type": "object"}, "lines": False},
    "required_keys": {"keys": ["a"]},
    "regex": {"pattern": "a", "absent": True},
    "length": {"min_chars": 1, "max_chars": 9, "visible": True},
    "count": {"path": "a", "min_items": 1, "max_items": 9},
    "words": {"min_words": 1, "max_words": 9},
    "language": {"code": "de"},
    "citations": {"min_citations": 2, "marks": ["urls"]},
    "command": {"argv": ["true"], "timeout": 5},
    "function": {"name": "is_good"},
    **{
        part.value: {f"min_{part.value}": 1, f"max_{part.value}": 9, "distinct": True}
        | ({"separator": "***"} if "separator" in CHECKS[part.value].fields else {})
        for part in CountedPart
    },
    "contains": {
        "phrases": ["la"],
        "min_occurrences": 1,
        "max_occurrences": 9,
        "any": True,
        "whole_words": True,
        "case_sensitive": True,
    },
    "starts_with": {"phrase": "la", "paragraph": 1, "whole_words": True, "case_sensitive": True},
    "ends_with": {"phrase": "la", "whole_words": True, "case_sensitive": True},
    "uppercase": {},
    "lowercase": {},
    "number": {"path": "a", "direction": "maximize", "threshold": 1},
    "quoted": {},
    "title": {},
    "postscript": {"marker": "P.S."},
    "required_files": {"files": ["songs.json"]},
    "file_size": {"min_bytes": 1, "max_bytes": 9},
    "media_type": {"types": ["text/*"]},
    "image": {"min_width": 1, "max_width": 9, "min_height": 1, "max_height": 9, "may_be_blank": True},
    "table": {
        "columns": [
            {"name": "year", "type": "integer", "may_be_empty": True, "unique": True, "min": 1, "max": 9, "sum": 5}
        ],
        "only_these": True,
        "min_rows": 1,
        "max_rows": 9,
    },
    "archive_safe": {"max_members": 9, "max_unpacked_bytes": 9},
}
OF_A_FILE = {kind: {"file": "songs.json"} for kind in CHECKED if "file" in CHECKS[kind].fields}
EVERYTHING: dict[str, Any] = {
    "task_id": "1_1",
    "description": "Find the songs",
    "dependencies": ["2"],
    "parent_id": "1",
    "input": {"description": "a band", "artifacts": ["band"], "parameters": {"a": 1}},
    "output": {"description": "its songs", "artifact": "songs", "format": "JSON", "files": ["songs.json"]},
    "validation": {
        "description": "complete",
        "criteria": ["is sorted"],
        "checks": [
            *({"type": kind, **fields, **OF_A_FILE.get(kind, {})} for kind, fields in CHECKED.items()),
            {"type": "number", "path": "a", "min": 1, "max": 9},  # not together with a threshold
        ],
        "worded_checks": True,
        "judge": {"model": "m", "labels": {"zone": "eu"}, "votes": 3, "needed": 2, "images": True},
        "human": True,
        "canaries": [{"candidate": "la la", "good": False}],
    },
    "executor": {
        "name": "command",
        "labels": {"zone": "eu"},
        "model": "m",
        "escalation": ["n"],
        "run_timeout": 5,
        "idle_timeout": 5,
        "outage_patience": 5,
        "max_failures": 2,
        "temperature": 1,
        "max_tokens": 9,
        "command": {"argv": ["sort"], "memory_mib": 64},
    },
    "budget": {"tokens": 9, "cost": 1.5},
    "on_failure": "continue",
}
OTHERS = (group("1"), atomic("2", makes="band", validation={"criteria": ["good"]}))


def whole_plan(task: Any = EVERYTHING) -> dict[str, Any]:
    return {
        "idea": "a {{inputs.taste}} songbook",
        "on_failure": "stop",
        "inputs": {"taste": {"text": "loud", "description": "how it is to sound"}},
        "tasks": [task, *OTHERS],
    }


def compiled_plan(plan: object) -> Compiled:
    return compile_plan(json.dumps(plan).encode())


def found(result: Compiled, code: str) -> list[Diagnostic]:
    return [diagnostic for diagnostic in result.diagnostics if diagnostic.code == code]


def test_the_plan_with_every_field_compiles_without_a_word() -> None:
    assert compiled_plan(whole_plan()).diagnostics == ()


# ---------------------------------------------------------------- one description of the fields


class Asked(dict[str, Any]):
    """An object that remembers which of its fields a reader asked for."""

    def __init__(self, raw: dict[str, Any]) -> None:
        super().__init__({name: spied(value) for name, value in raw.items()})
        self.asked = set[str]()

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> Any:
        self.asked.add(name)
        return super().__getitem__(name)


def spied(value: Any) -> Any:
    if isinstance(value, dict):
        return Asked(value)
    return [spied(entry) for entry in value] if isinstance(value, list) else value


def objects(raw: Any, object_type: ObjectType) -> Iterator[tuple[ObjectType, Asked]]:
    """Yields every object of a plan that has a type, with that type."""
    for entry in raw if isinstance(raw, list) else [raw]:
        own = object_type.kinds[dict.__getitem__(entry, "type")] if object_type.kinds else object_type
        yield own, entry
        for name, below in own.fields.items():
            if below is not None and name in entry:
                yield from objects(dict.__getitem__(entry, name), below)


def test_a_reader_asks_for_the_fields_of_the_table_and_for_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    plan, task = Asked({"idea": "a songbook", "on_failure": "stop", "tasks": []}), Asked(EVERYTHING)
    dict.__setitem__(plan, "tasks", [task])
    monkeypatch.setattr(parse, "from_json", lambda *_, **__: plan)
    monkeypatch.setattr(task_reader, "is_right", lambda *_: True)

    compile_plan(b"")

    seen = [*objects(task, TASK), (PLAN, plan)]
    assert {object_type.what for object_type, _ in seen} == {
        object_type.what for object_type in (PLAN, *object_types_below())
    }
    for object_type, raw in seen:
        assert raw.asked == set(object_type.fields), object_type.what


def test_every_kind_of_check_has_a_level_and_a_reader() -> None:
    assert CHECKED.keys() == CHECKS.keys()
    assert all(check_from_json({"type": kind, **fields}) for kind, fields in CHECKED.items())


@pytest.mark.parametrize("object_type", [PLAN, *object_types_below(), CHECK], ids=lambda object_type: object_type.what)
def test_the_table_does_not_contradict_itself(object_type: ObjectType) -> None:
    own = set(map(folded, object_type.fields))

    assert not own & set(map(folded, object_type.foreign))
    assert not own & set(object_type.synonyms)
    assert all(folded(name) == name for name in object_type.synonyms)
    assert not any(name.startswith(FREE) for name in object_type.fields)


# ---------------------------------------------------------------- what is misspelt


def slips(name: str) -> Iterator[str]:
    """Yields every name that is one edit away, for a few letters."""
    for place in range(len(name) + 1):
        head, tail = name[:place], name[place:]
        yield from (head + letter + tail for letter in "esx_")
        if tail:
            yield head + tail[1:]
            yield from (head + letter + tail[1:] for letter in "aq")
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]


def others(name: str, object_type: ObjectType) -> set[str]:
    """Returns the slips that are no field, no synonym and no name of the writer's own."""
    taken = set(map(folded, object_type.fields)) | set(map(folded, object_type.foreign)) | set(object_type.synonyms)
    found = {slip for slip in slips(name) if slip and folded(slip) not in taken and not slip.startswith(FREE)}
    spelt = {slip for slip in slips(name) if folded(slip) == folded(name) and not slip.startswith(FREE)}
    return (found | spelt | {name.upper(), name.replace("_", "-")}) - set(object_type.fields)


def misspelt(raw: Any, object_type: ObjectType, name: str, slip: str) -> Any:
    """Returns the object, and all below it, with a field of one type under another name."""
    if isinstance(raw, list):
        return [misspelt(entry, object_type, name, slip) for entry in raw]
    if not isinstance(raw, dict):
        return raw
    own = object_type.what.endswith(f" {raw['type']}") if object_type in CHECKS.values() and "type" in raw else None
    here = own if own is not None else set(raw) <= set(object_type.fields)
    return {
        slip if here and key == name else key: misspelt(value, object_type, name, slip) for key, value in raw.items()
    }


EACH = so_many(5, long=1)  # every fifth slip; with --long all


@pytest.mark.guard(name="misspelt fields are errors")
@pytest.mark.parametrize(
    ("object_type", "name"),
    [(object_type, name) for object_type in object_types_below() for name in object_type.fields],
    ids=lambda value: value if isinstance(value, str) else value.what,
)
def test_every_field_that_is_misspelt_by_one_edit_is_an_error_that_names_it(object_type: ObjectType, name: str) -> None:
    for slip in sorted(others(name, object_type))[::EACH]:
        result = compiled_plan(whole_plan(misspelt(EVERYTHING, object_type, name, slip)))

        assert not result.ok, slip
        assert {diagnostic.code for diagnostic in result.diagnostics} == {"misspelt-field"}, (slip, result.diagnostics)
        assert any(name in told.message.partition("did you mean ")[2] for told in result.diagnostics), slip
        assert all(slip in told.path or not slip.isidentifier() for told in result.diagnostics), slip


@pytest.mark.parametrize("name", PLAN.fields)
def test_so_is_a_field_of_the_plan_itself(name: str) -> None:
    for slip in others(name, PLAN):
        plan = whole_plan()
        plan[slip] = plan.pop(name)

        (told,) = compiled_plan(plan).diagnostics
        assert (told.code, told.path) == ("misspelt-field", slip)
        assert told.message == f"{slip}: {slip!r} is no field of a plan: did you mean {name}?"


SYNONYMS = [
    (TASK, {"requires": ["2"]}, "dependencies"),
    (TASK, {"blockedBy": ["2"]}, "dependencies"),
    (TASK, {"parent-task": "1"}, "parent_id"),
    (TASK, {"acceptanceCriteria": ["is sorted"]}, "validation.criteria"),
    (TASK, {"criteria": ["is sorted"]}, "validation.criteria"),
    (TASK, {"run_timeout": 5}, "executor.run_timeout"),
    (TASK, {"model": "m"}, "executor.model"),
    (TASK, {"artifact": "x"}, "output.artifact"),
    (TASK, {"tokens": 5}, "budget.tokens"),
    (TASK, {"expected_output": "a list"}, "output.description"),
    (TASK, {"subtasks": [{"id": 1}]}, "tasks of their own"),
]


@pytest.mark.parametrize(("object_type", "fields", "meant"), SYNONYMS, ids=lambda value: str(value)[:30])
def test_what_others_call_a_field_is_an_error_with_the_right_name(
    object_type: ObjectType, fields: Any, meant: str
) -> None:
    result = compiled(group("1"), atomic("2"), atomic("3", **fields))

    assert not result.ok
    (told,) = found(result, "misspelt-field")
    assert (told.task_ids, told.path) == (("3",), f"tasks[2].{next(iter(fields))}")
    assert f"is no field of {object_type.what}: did you mean {meant}" in told.message


@pytest.mark.parametrize(
    ("check", "meant"),
    [
        ({"type": "words", "max": 300}, "max_words"),
        ({"type": "regex", "regexp": "a"}, "pattern"),
        ({"type": "regex", "pattern": "a", "negate": True}, "absent"),
        ({"type": "required_keys", "required": ["a"]}, "keys"),
        ({"type": "command", "cmd": ["true"]}, "argv"),
        ({"kind": "json"}, "type"),
        ({"Type": "length", "max-char": 5}, "type"),
    ],
)
def test_a_check_with_another_name_for_a_bound_is_never_a_check_without_it(check: Any, meant: str) -> None:
    result = compiled(atomic("1", validation={"checks": [check]}))

    assert codes(result) == {"misspelt-field"}
    assert f"did you mean {meant}?" in result.diagnostics[0].message


def test_a_type_of_check_that_is_nearly_one_is_named() -> None:
    (told,) = found(compiled(atomic("1", validation={"checks": [{"type": "required-key"}]})), "malformed-check")

    assert told.message.endswith("but got 'required-key': did you mean required_keys?")


def test_reading_goes_on_under_the_right_name_so_that_one_mistake_is_one_diagnostic() -> None:
    tasks = [
        {"id": "a", "Inputs": {}, "outputs": {"artefact": "x"}, "validations": {"criterias": ["good"]}},
        {"id": "b", "depends_on": ["a"], "input": {"artifact": ["x"]}, "output": {}, "validation": {"human": True}},
    ]

    result = compiled(*tasks)

    assert {told.code for told in result.diagnostics} == {"misspelt-field"}
    assert [told.path for told in result.diagnostics] == [
        "tasks[0].id",
        "tasks[0].Inputs",
        "tasks[0].outputs",
        "tasks[0].validations",
        "tasks[0].output.artefact",
        "tasks[0].validation.criterias",
        "tasks[1].id",
        "tasks[1].depends_on",
        "tasks[1].input.artifact",
    ]


def test_the_right_name_wins_when_both_are_there() -> None:
    result = compiled(atomic("1"), atomic("2"), atomic("3", "1", needs=["2"]))

    assert [told.path for told in found(result, "misspelt-field")] == ["tasks[2].needs"]


@pytest.mark.parametrize("name", ["in.put", "[input]", "input\n", "x" * 5_000, ""])
def test_a_name_that_is_no_step_of_a_path_is_told_at_its_object(name: str) -> None:
    result = compiled({"task_id": "1", name: {}, "output": {}}, atomic("2"))

    (told,) = found(result, "misspelt-field") or found(result, "unknown-field")
    assert told.path == "tasks[0]"
    assert len(told.message) < 300


# ---------------------------------------------------------------- what is accepted, and what is told once


@pytest.mark.parametrize("name", ["x-team", "_draft", "$comment", "X-Trace", "priority", "createdAt", "story_points"])
def test_fields_of_ones_own_and_those_of_trackers_are_accepted(name: str) -> None:
    assert codes(compiled({**group("1"), name: 1}, {**atomic("1_1"), name: {"a": []}})) == set()


def test_fields_of_ones_own_are_accepted_in_every_object() -> None:
    def with_own(value: Any) -> Any:
        if isinstance(value, list):
            return [with_own(entry) for entry in value]
        return {**{k: with_own(v) for k, v in value.items()}, "x-own": 1, "_": 2} if isinstance(value, dict) else value

    task = with_own(EVERYTHING)
    for labelled in (task["executor"], task["validation"]["judge"]):
        labelled["labels"] = {"zone": "eu"}  # here all names are one's own already

    assert compiled_plan({**whole_plan(task), "$schema": "https://example.org", "_by": "me"}).diagnostics == ()


def test_a_name_beside_the_right_one_is_no_mistake() -> None:
    assert codes(compiled(atomic("1", id=7, name="First", summary="The first"))) == set()
    assert codes(compiled({"name": "1", "input": {}, "output": {}})) == {"misspelt-field"}


def test_lists_of_subtasks_that_are_empty_say_nothing() -> None:
    assert codes(compiled(atomic("1", subtasks=[]))) == set()


@pytest.mark.guard(name="unknown fields are told")
def test_any_other_field_is_told_once_for_the_whole_plan() -> None:
    result = compiled(*(atomic(f"{n}", flavour="mild", output={"colour": "red", "flavour": ""}) for n in range(50)))

    assert result.ok
    told = found(result, "unknown-field")
    assert [(one.path, one.severity) for one in told] == [
        ("tasks[0].flavour", Severity.WARNING),
        ("tasks[0].output.colour", Severity.WARNING),
    ]
    assert told[0].message == ("tasks[0].flavour: 'flavour' is no field of a task: it is ignored, here and elsewhere")


def test_no_more_names_are_told_than_of_any_other_problem() -> None:
    result = compiled({**atomic("1"), **{f"q{'z' * 9}{n}": 1 for n in range(LIMIT + 5)}})

    assert len(found(result, "unknown-field")) == LIMIT + 1


def test_where_a_limit_could_silently_be_none_any_other_field_is_an_error() -> None:
    assert codes(compiled(atomic("1", executor={"pace": 1}))) == {"malformed-executor"}
    assert codes(compiled(atomic("1", budget={"tokens": 1, "tonnes": 1}))) == {"malformed-budget"}
    assert codes(compiled(atomic("1", validation={"judge": {"mood": 1}}))) == {"malformed-validation"}


def test_names_below_free_values_are_free() -> None:
    schema = {"type": "object", "propertiess": {"inputs": {}}}
    task = atomic("1", validation={"checks": [{"type": "json_schema", "schema": schema}]})
    task["input"]["parameters"] = {"inputs": 1, "depends_on": 2}

    assert codes(compiled(task)) == set()


# ---------------------------------------------------------------- keys that stand twice


@pytest.mark.guard(name="a key stands once")
@pytest.mark.parametrize(
    ("plan", "path"),
    [
        ('{"idea":"a","idea":"b","tasks":[%s]}', "idea"),
        ('{"tasks":[%s,{"task_id":"2","task_id":"3","input":{},"output":{}}]}', "tasks[1].task_id"),
        (
            '{"tasks":[%s,{"task_id":"2","input":{},"output":{},"validation":{"checks":[{"type":"json","type":"json"}]}}]}',
            "tasks[1].validation.checks[0].type",
        ),
        (
            '{"tasks":[%s,{"task_id":"2","output":{},"input":{"parameters":{"a":[1,{"b":1,"b":1}]}}}]}',
            "tasks[1].input.parameters.a[1].b",
        ),
        (
            '{"tasks":[%s,{"task_id":"2","output":{},"input":{"parameters":{"a.b":{"c":1,"c":1}}}}]}',
            "tasks[1].input.parameters",
        ),
    ],
)
def test_a_key_that_stands_twice_is_an_error_with_its_path(plan: str, path: str) -> None:
    result = compile_plan((plan % json.dumps(atomic("1"))).encode())

    assert not result.ok
    (told,) = found(result, "repeated-key")
    assert told.path == path
    assert f"{path}: expected each key of an object once, but got " in told.message


def test_all_such_keys_are_named_in_the_order_of_the_plan() -> None:
    twice = '{"task_id":"%s","description":"a","description":"b","input":{},"output":{"format":"a","format":"b"}}'

    result = compile_plan(f'{{"tasks":[{twice % 1},{twice % 2}]}}'.encode())

    assert [told.path for told in found(result, "repeated-key")] == [
        "tasks[0].description",
        "tasks[0].output.format",
        "tasks[1].description",
        "tasks[1].output.format",
    ]


def test_a_key_in_a_value_that_another_has_replaced_is_still_an_error() -> None:
    result = compile_plan(b'{"tasks":[{"task_id":"1","input":{"a":1,"a":2},"input":{},"output":{}}]}')

    assert not result.ok
    assert [told.path for told in found(result, "repeated-key")] == ["tasks[0].input"]


def test_what_is_no_json_is_only_that_and_numbers_may_be_long() -> None:
    assert codes(compile_plan(b'{"idea":1,"idea":2,"tasks":[')) == {"not-json"}
    long = b'{"tasks":[{"task_id":"1","input":{"parameters":{"a":%s,"a":1}},"output":{}}]}' % (b"9" * 4_000)
    assert codes(compile_plan(long)) == {"repeated-key"}


@pytest.mark.parametrize("tasks", ["tasks", "task", "Tasks"])
@pytest.mark.parametrize(
    "fields",
    [
        {"Validation": {"checks": [{"type": "json_schema", "schema": {"maximum": 1.5}}]}},
        {"validation": {"check": [{"type": "json_schema", "schema": {"maximum": 1.5}}]}},
        {"inputs": {"parameters": {"least": 1.5}}},
        {"input": {"params": {"least": 1.5}}},
    ],
)
def test_what_is_read_a_second_time_for_its_digits_is_found_by_the_right_names(
    tasks: str, fields: dict[str, Any]
) -> None:
    plan = {"idea": "x", tasks: [{"task_id": "1", "description": "d", "dependencies": [], **fields}]}
    diagnostics = compile_plan(json.dumps(plan).encode(), plan_id="p").diagnostics
    assert {"misspelt-field"} <= {diagnostic.code for diagnostic in diagnostics}
    assert not {diagnostic.code for diagnostic in diagnostics} & {"malformed-check", "wrong-type"}
