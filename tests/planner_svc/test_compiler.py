"""The compiler on whole plans: a real one, and generated ones of the sizes it was designed for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from planner_svc.compiler import compile_plan
from planner_svc.execution_map import FlatDependencies
from planner_svc.ids import natural_key, parent_by_shape
from planner_svc.wire.execution_json import execution_json
from tests.support.values.trees import (
    atomic,
    codes,
    compiled,
    data_dependencies,
    generated_plan,
    group,
    parts,
    stages,
    waits,
)

REAL_PLAN = Path(__file__).parents[2] / "examples" / "ai_trends" / "plan.json"


def test_a_real_plan_resolves_as_its_authors_meant() -> None:
    result = compile_plan(REAL_PLAN.read_bytes(), infer=False)

    assert waits(result) == {
        "1_1": [],
        "1_2": ["1_1"],
        "1_3": ["1_2"],
        "1_4": ["1_1"],
        "1_5": ["1_3"],
        "2_1": [],
        "2_2": ["2_1"],
        "2_3": ["2_2"],
        "3_1": [],
        "3_2": ["3_1"],
        "3_3": ["3_2"],
        "4_1": ["1_5"],
        "4_2": ["1_5", "4_1"],
    }
    by_stage: dict[int, set[str]] = {}
    for name, stage in stages(result).items():
        by_stage.setdefault(stage, set()).add(name)
    assert by_stage == {
        1: {"1_1", "2_1", "3_1"},
        2: {"1_2", "1_4", "2_2", "3_2"},
        3: {"1_3", "2_3", "3_3"},
        4: {"1_5"},
        5: {"4_1"},
        6: {"4_2"},
    }


def test_a_real_plan_gets_the_producers_nobody_waited_for() -> None:
    result = compile_plan(REAL_PLAN.read_bytes())

    assert data_dependencies(result) == {"1_5": ["1_4"], "4_1": ["2_3", "3_3"]}
    assert codes(result) == {"own-ancestor", "no-producer", "producer-not-waited-for"}


@pytest.mark.parametrize(
    ("depth", "tasks", "entries", "pairs"), [(5, 7_776, 17_682, 5_982_162), (6, 46_656, 128_980, 270_671_530)]
)
def test_large_trees_stay_small_because_groups_are_kept(depth: int, tasks: int, entries: int, pairs: int) -> None:
    result = compile_plan(generated_plan(depth))

    assert result.map is not None
    assert len(result.map.tasks) == tasks
    assert sum(map(len, result.map.waits_for)) == entries
    assert FlatDependencies(result.map).count_pairs() == pairs


def test_no_message_of_a_large_map_is_larger_than_a_mebibyte() -> None:
    result = compile_plan(generated_plan(5))

    assert result.map is not None
    sizes = [part.ByteSize() for part in parts(result)]
    assert max(sizes) <= 1 << 20


def test_compiling_twice_gives_the_same() -> None:
    one, other = compile_plan(generated_plan(3)), compile_plan(generated_plan(3))

    assert one == other


def test_the_digest_is_about_the_work_and_not_about_its_name_or_order() -> None:
    def digest(*tasks: object, plan_id: str = "", infer: bool = True) -> str:
        result = compile_plan(json.dumps({"tasks": tasks}).encode(), plan_id=plan_id, infer=infer)
        assert result.map is not None
        return result.map.digest

    first, second = atomic("1"), atomic("2", "1")
    same = digest(first, second)
    assert same == digest(second, first) == digest(first, second, plan_id="p")
    assert len({same, digest(first, atomic("2")), digest(first, second, infer=False), digest(first)}) == 4


def test_natural_order_reads_digits_as_numbers() -> None:
    ids = ["b", "a_b", "1_10", "1_1", "1_2", "a", "2", "10", "1", "010", "a_1"]

    expected = ["1", "1_1", "1_2", "1_10", "2", "010", "10", "a", "a_1", "a_b", "b"]
    assert sorted(ids, key=natural_key) == expected
    assert sorted(["9" * 127, "1" + "0" * 127], key=natural_key) == ["9" * 127, "1" + "0" * 127]


def test_the_parent_is_what_the_shape_says() -> None:
    assert [parent_by_shape(name) for name in ("1_2_3", "1", "0", "a_b", "_", "x")] == ["1_2", "0", "", "a", "0", "0"]


# ---------------------------------------------------------------- execution.json


def test_execution_json_lists_the_sunk_dependencies_in_natural_order() -> None:
    result = compiled(group("1"), atomic("1_2"), atomic("1_10", "1_2"), atomic("2", "1", makes="x"))

    assert result.map is not None
    document = json.loads(execution_json(result.map))
    assert document["form"] == "dependencies"
    assert document["stages"] == 3
    last = document["tasks"][-1]
    assert last["dependencies"] == ["1_2", "1_10"]
    assert last["waits_for"] == ["1"]
    assert (last["stage"], last["status"], last["output"]["artifact"]) == (3, "undone", "x")
    assert document["groups"] == [{"task_id": "1", "description": "do 1", "parent_id": ""}]


def test_execution_json_keeps_groups_when_there_are_too_many_pairs() -> None:
    result = compile_plan(generated_plan(5), plan_id="large")

    assert result.map is not None
    document = json.loads(execution_json(result.map))
    assert document["form"] == "waits_for"
    assert document["plan_id"] == "large"
    assert len(document["tasks"]) == 7_776
    assert "dependencies" not in document["tasks"][-1]
    assert sum(len(task["waits_for"]) for task in document["tasks"]) == 17_682


# ---------------------------------------------------------------- imports


def test_the_planner_imports_neither_the_other_services_nor_slow_libraries_before_they_are_needed() -> None:
    program = (
        "import sys, json; import planner_svc.layout.layout; import planner_svc.wire.execution_json\n"
        "from planner_svc import compiler\n"
        'assert compiler.compile_plan(b\'{"tasks":[{"task_id":"1","input":{},"output":{}}]}\').ok\n'
        "print(json.dumps(sorted(name.partition('.')[0] for name in sys.modules)))"
    )

    loaded = set(json.loads(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout))

    assert not loaded & {"runner_svc", "worker_svc", "networkx", "jsonschema", "grpc"}
