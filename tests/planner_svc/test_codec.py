"""Values and their messages: what goes out comes back."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from planner_svc import wire
from planner_svc.codec import diagnostic_from_proto, diagnostic_to_proto, spec_from_proto
from planner_svc.compiler import Compiled
from planner_svc.encoding import encode
from planner_svc.layout import lay_out
from planner_svc.mapcodec import map_from_proto, map_to_bytes
from signoff.frames import runs
from signoff.v1 import plan_pb2
from tests.planner_svc.trees import RawTask, atomic, compiled, parts, plans_with_artifacts


@settings(derandomize=True, deadline=None)
@given(plans_with_artifacts())
def test_a_map_and_its_layout_come_back_as_they_went(tasks: list[RawTask]) -> None:
    result = compiled(*tasks)
    assume(result.map is not None)
    assert result.map is not None

    read, read_layout = map_from_proto(parts(result))

    assert read_layout == lay_out(result.map, result.own)
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
    for data in map_to_bytes(result.map, result.encoded, lay_out(result.map, result.own)):
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
    ]
    result = compiled(atomic("1", validation={"description": "good", "criteria": ["short"], "checks": checks}))
    assert result.map is not None

    read, layout = map_from_proto(parts(result, layout=False))

    assert layout is None
    assert read.tasks[0].validation == result.map.tasks[0].validation
    assert len(read.tasks[0].validation.checks if read.tasks[0].validation else ()) == 6


def test_a_map_of_several_messages_begins_with_its_header_and_ends_with_its_layout() -> None:
    result = compiled(*(atomic(f"{n}", description="x" * 300_000) for n in range(1, 9)))
    assert result.map is not None

    messages = parts(result)

    kinds = [part.WhichOneof("part") for part in messages]
    assert kinds == ["header", *["tasks"] * 3, *["layout"] * 4]
    assert sum(len(part.tasks.tasks) for part in messages) == 8


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
