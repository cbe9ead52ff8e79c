"""Values and their messages: a value that is written is read back as it was."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from planner_svc.checks.file_kinds import (
    ArchiveSafeCheck,
    ColumnType,
    FileSizeCheck,
    ImageCheck,
    MediaTypeCheck,
    RequiredFilesCheck,
    TableCheck,
    TableColumn,
)
from planner_svc.checks.kinds import (
    Check,
    CitationsCheck,
    CommandCheck,
    ContainsCheck,
    CountCheck,
    CountedPart,
    EndsWithCheck,
    FunctionCheck,
    JsonCheck,
    JsonSchemaCheck,
    LanguageCheck,
    LengthCheck,
    LowercaseCheck,
    NumberCheck,
    PartsCheck,
    PostscriptCheck,
    QuotedCheck,
    RegexCheck,
    RequiredKeysCheck,
    SourceMark,
    StartsWithCheck,
    TitleCheck,
    UppercaseCheck,
    WordsCheck,
)
from planner_svc.checks.structured import check_from_json, check_to_json
from planner_svc.compiler import Compiled
from planner_svc.layout.layout import lay_out
from planner_svc.wire import protobuf as wire
from planner_svc.wire.checks import check_from_proto, check_to_proto
from planner_svc.wire.encoding import encode
from planner_svc.wire.maps import map_from_proto, map_to_bytes
from planner_svc.wire.plan import diagnostic_from_proto, diagnostic_to_proto, spec_from_proto
from signoff.rpc.frames import runs
from signoff.v1 import plan_pb2
from tests.support.values.trees import RawTask, atomic, compiled, group, parts, plans_with_artifacts

EVERY_CHECK: tuple[Check, ...] = (
    JsonCheck(),
    JsonSchemaCheck(schema_json='{"type":"object"}'),
    RequiredKeysCheck(keys=("a", "b.c")),
    RegexCheck(pattern="^#", absent=True),
    LengthCheck(min_chars=0, max_chars=9),
    CountCheck(path="a.b", min_items=3, max_items=None),
    WordsCheck(min_words=3, max_words=9),
    LanguageCheck(code="en"),
    LengthCheck(min_chars=0, max_chars=9, visible=True),
    CitationsCheck(min_citations=3),
    CitationsCheck(min_citations=3, marks=tuple(SourceMark)),
    CommandCheck(argv=("python3", "check.py"), timeout=timedelta(seconds=1.5)),
    CommandCheck(argv=("true", ""), timeout=None),
    FunctionCheck(name="is_good"),
    *(PartsCheck(part=part, min_parts=1, max_parts=None) for part in CountedPart),
    PartsCheck(part=CountedPart.PARAGRAPH, min_parts=0, max_parts=2, separator="***", distinct=True),
    ContainsCheck(phrases=("a", "b c"), min_occurrences=1, max_occurrences=None),
    ContainsCheck(
        phrases=("a",), min_occurrences=0, max_occurrences=0, any=True, whole_words=True, case_sensitive=True
    ),
    StartsWithCheck(phrase="a"),
    StartsWithCheck(phrase="a", paragraph=2, whole_words=True, case_sensitive=True),
    EndsWithCheck(phrase="a", whole_words=True, case_sensitive=True),
    UppercaseCheck(),
    LowercaseCheck(),
    NumberCheck(path="a.b", min=-0.5, max=None),
    NumberCheck(path="", min=None, max=0),
    QuotedCheck(),
    TitleCheck(),
    PostscriptCheck(marker="P.S."),
    JsonCheck(file="data/*.json"),
    RequiredFilesCheck(files=("report.md", "charts/*.png")),
    FileSizeCheck(min_bytes=1, max_bytes=None),
    FileSizeCheck(min_bytes=0, max_bytes=9, file="a.bin"),
    MediaTypeCheck(types=("image/png", "image/*"), file="a.png"),
    ImageCheck(),
    ImageCheck(min_width=1, max_width=2, min_height=3, max_height=4, may_be_blank=True, file="*.png"),
    TableCheck(),
    TableCheck(
        columns=(
            TableColumn(name="a"),
            *(TableColumn(name=kind.value, type=kind) for kind in ColumnType if kind.value),
            TableColumn(name="b", type=ColumnType.NUMBER, may_be_empty=True, unique=True, min=-0.5, max=2, sum=0),
        ),
        only_these=True,
        min_rows=1,
        max_rows=9,
        file="a.csv",
    ),
    ArchiveSafeCheck(),
    ArchiveSafeCheck(max_members=9, max_unpacked_bytes=10, file="a.zip"),
)


@settings(derandomize=True, deadline=None)
@given(plans_with_artifacts())
def test_a_map_and_its_layout_come_back_as_they_went(tasks: list[RawTask]) -> None:
    result = compiled(*tasks)
    assume(result.map is not None)
    assert result.map is not None

    read, read_layout = map_from_proto(parts(result))

    assert read_layout == lay_out(result.map, result.direct)
    assert read.waits_for == result.map.waits_for
    assert encode(read) == result.encoded


@settings(derandomize=True, deadline=None)
@given(plans_with_artifacts())
def test_maps_are_written_as_protobuf_writes_them(tasks: list[RawTask]) -> None:
    result = compiled(*tasks)
    assume(result.map is not None)

    assert_as_protobuf_writes(result)


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 100_000])
def test_texts_of_any_length_are_written_as_protobuf_writes_them(size: int) -> None:
    text = "\u00fc" * size
    taken = {"description": text, "artifacts": ["", text[:100]], "parameters": {"x": text}}
    made = {"description": text, "artifact": text[:1000], "format": text}
    wanted = {"description": text, "criteria": [text], "checks": [{"type": "json"}]}

    result = compiled(atomic("1", description=text, input=taken, output=made, validation=wanted), atomic("2", "1"))

    assert_as_protobuf_writes(result)
    assert result.map is not None
    assert spec_from_proto(parts(result)[1].tasks.tasks[0].spec) == result.map.tasks[0]._replace(position=0)


@given(st.integers(min_value=0, max_value=2**32 - 1))
def test_numbers_are_written_as_protobuf_writes_them(number: int) -> None:
    assert plan_pb2.MapTask(stage=number).SerializeToString() == (b"\x10" + wire.varint(number) if number else b"")


def assert_as_protobuf_writes(result: Compiled) -> None:
    assert result.map is not None
    assert result.encoded is not None
    for data in map_to_bytes(result.map, result.encoded, lay_out(result.map, result.direct)):
        assert plan_pb2.MapPart.FromString(data).SerializeToString(deterministic=True) == data


def test_every_kind_of_check_comes_back_as_it_went() -> None:
    checks = [
        {"type": "json"},
        {
            "type": "json_schema",
            "schema": {"type": "object", "$defs": {"a": {}}, "properties": {"a": {"$ref": "#/$defs/a"}}},
        },
        {"type": "required_keys", "keys": ["a.b"]},
        {"type": "regex", "pattern": "^#", "absent": True},
        {"type": "length", "min_chars": 1},
        {"type": "length", "max_chars": 0},
        {"type": "count", "min_items": 3, "max_items": 3},
        {"type": "count", "path": "a.b", "max_items": 0},
        {"type": "words", "min_words": 1},
        {"type": "words", "max_words": 0},
        {"type": "language", "code": "zh"},
        {"type": "citations", "min_citations": 3},
        {"type": "citations", "min_citations": 3, "marks": ["urls", "footnotes"]},
        {"type": "length", "max_chars": 3, "visible": True},
        {"type": "command", "argv": ["python3", "-c", ""], "timeout": 0.25},
        {"type": "command", "argv": ["true"]},
        {"type": "function", "name": "is_good"},
        {"type": "sentences", "min_sentences": 2, "max_sentences": 5},
        {"type": "paragraphs", "min_paragraphs": 2, "separator": "***", "distinct": True},
        {"type": "sections", "max_sections": 3, "separator": "SECTION"},
        {"type": "uppercase_words", "max_uppercase_words": 0},
        {"type": "contains", "phrases": ["a", "é"]},
        {"type": "contains", "phrases": ["a"], "max_occurrences": 0, "any": True, "whole_words": True},
        {"type": "starts_with", "phrase": "a", "paragraph": 2, "whole_words": True},
        {"type": "ends_with", "phrase": "a", "case_sensitive": True},
        {"type": "uppercase"},
        {"type": "lowercase"},
        {"type": "number", "path": "a.b", "min": -0.5},
        {"type": "number", "max": 3},
        {"type": "quoted"},
        {"type": "title"},
        {"type": "postscript", "marker": "P.P.S."},
    ]
    criteria = ["short", "at least three words", "at most 500 words"]
    result = compiled(atomic("1", validation={"description": "good", "criteria": criteria, "checks": checks}))
    assert result.map is not None

    read, layout = map_from_proto(parts(result, layout=False))

    assert layout is None
    assert read.tasks[0].validation == result.map.tasks[0].validation
    found = read.tasks[0].validation.checks if read.tasks[0].validation else ()
    assert [check.criterion for check in found] == [0] * len(checks) + [2, 3]


def test_every_kind_of_check_is_written_as_a_plan_has_it_and_read_again() -> None:
    for check in EVERY_CHECK:
        assert check_from_json(check_to_json(check)) == check
        assert check_from_proto(check_to_proto(check)) == check
        numbered = dataclasses.replace(check, criterion=300)
        assert check_to_json(numbered) == {**check_to_json(check), "criterion": 300}
        assert check_from_proto(check_to_proto(numbered)) == numbered


def test_the_kinds_above_are_all_there_are() -> None:
    assert {type(check) for check in EVERY_CHECK} == set(get_args(Check))


def test_executors_and_judges_come_back_as_they_went() -> None:
    executor = {
        "labels": {"zone": "eu", "gpu": "a100"},
        "model": "m",
        "escalation": ["n", "o"],
        "run_timeout": 0.000_001,
        "idle_timeout": 2_592_000,
        "max_failures": 1,
        "temperature": 0,
        "max_tokens": 1,
        "command": {"argv": ["a", ""], "memory_mib": 1_048_576},
    }
    judge = {"model": "j", "labels": {"b": "2", "a": "1"}, "votes": 9, "needed": 5}
    validation = {"criteria": ["good"], "judge": judge, "human": True}
    result = compiled(
        atomic("1", executor=executor, validation=validation),
        atomic("2", executor="fetch", validation={"judge": {}}),
        atomic("3", executor={}),
    )
    assert result.map is not None

    read, _ = map_from_proto(parts(result, layout=False))

    assert [task._replace(position=0) for task in result.map.tasks] == read.tasks
    assert [task.executor is None for task in read.tasks] == [False, False, False]
    assert_as_protobuf_writes(result)


def test_a_map_of_several_messages_begins_with_its_header_and_ends_with_its_layout() -> None:
    result = compiled(*(atomic(f"{n}", description="x" * 300_000) for n in range(1, 9)))
    assert result.map is not None

    messages = parts(result)

    kinds = [part.WhichOneof("part") for part in messages]
    assert kinds == ["header", *["tasks"] * 3, *["layout"] * 5]
    assert sum(len(part.tasks.tasks) for part in messages) == 8


def test_a_layout_of_before_there_was_a_drawn_graph_is_read() -> None:
    result = compiled(group("1"), atomic("1_1"), atomic("2", "1"))
    assert result.map is not None
    messages = parts(result)
    for part in messages:
        if part.HasField("layout"):
            part.layout.CopyFrom(without_drawing(part.layout))

    assert map_from_proto(messages)[1] == dataclasses.replace(lay_out(result.map, result.direct), drawn=None)


def without_drawing(layout: plan_pb2.LayoutPart) -> plan_pb2.LayoutPart:
    """Returns a layout as version 0.1.0 wrote it."""
    bare = [
        plan_pb2.TreeNode(task_id=n.task_id, parent_id=n.parent_id, atomic=n.atomic, stage=n.stage)
        for n in layout.nodes
    ]
    return plan_pb2.LayoutPart(
        cells=layout.cells, isolated_task_ids=layout.isolated_task_ids, nodes=bare, edges=layout.edges
    )


def test_an_incomplete_stream_is_refused() -> None:
    result = compiled(atomic("1"))
    assert result.map is not None
    header, *rest = parts(result, layout=False)

    with pytest.raises(ValueError, match="begins with a header"):
        map_from_proto(rest)
    with pytest.raises(ValueError, match="expected 1 tasks and 0 groups, but got 0 tasks"):
        map_from_proto([header])


def test_diagnostics_come_back_as_they_went() -> None:
    for diagnostic in compiled(atomic("1", "2"), atomic("1")).diagnostics:
        assert diagnostic_from_proto(diagnostic_to_proto(diagnostic)) == diagnostic


def test_runs_keep_the_order_and_give_a_large_message_a_run_of_its_own() -> None:
    messages = [plan_pb2.MapGroup(task_id=name) for name in ("a", "b" * 100, "c", "d")]

    cut = list(runs(messages, most=40))

    assert [[len(group.task_id) for group in run] for run in cut] == [[1], [100], [1, 1]]
