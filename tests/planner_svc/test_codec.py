"""Values and their messages: what goes out comes back."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings

from planner_svc.codec import diagnostic_from_proto, diagnostic_to_proto
from planner_svc.layout import lay_out
from planner_svc.mapcodec import map_digest, map_from_proto, map_to_proto
from signoff.frames import runs
from signoff.v1 import plan_pb2
from tests.planner_svc.trees import RawTask, atomic, compiled, plans_with_artifacts


@settings(derandomize=True, deadline=None)
@given(plans_with_artifacts())
def test_a_map_and_its_layout_come_back_as_they_went(tasks: list[RawTask]) -> None:
    result = compiled(*tasks)
    assume(result.map is not None)
    assert result.map is not None
    layout = lay_out(result.map, result.own)

    read, read_layout = map_from_proto(map_to_proto(result.map, layout))

    assert read_layout == layout
    assert list(map_to_proto(read, read_layout)) == list(map_to_proto(result.map, layout))
    assert map_digest(read) == result.map.digest


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

    read, layout = map_from_proto(map_to_proto(result.map))

    assert layout is None
    assert read.tasks[0].validation == result.map.tasks[0].validation
    assert len(read.tasks[0].validation.checks if read.tasks[0].validation else ()) == 6


def test_a_map_of_several_messages_begins_with_its_header_and_ends_with_its_layout() -> None:
    result = compiled(*(atomic(f"{n}", description="x" * 300_000) for n in range(1, 9)))
    assert result.map is not None

    parts = list(map_to_proto(result.map, lay_out(result.map, result.own)))

    kinds = [part.WhichOneof("part") for part in parts]
    assert kinds == ["header", *["tasks"] * 3, *["layout"] * 4]
    assert sum(len(part.tasks.tasks) for part in parts) == 8


def test_an_incomplete_stream_is_refused() -> None:
    result = compiled(atomic("1"))
    assert result.map is not None
    header, *rest = map_to_proto(result.map)

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
