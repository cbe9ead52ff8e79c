"""The generators make what the workloads' names say."""

from __future__ import annotations

import json

import pytest

from benchmarks.shapes import EXECUTE, VALIDATE, chain, fan_out, graph, in_two_phases, layers, plan_json
from benchmarks.trees import atomic_tasks, tree_json
from planner_svc.compiler import compile_plan


def test_a_fan_out_waits_for_nothing() -> None:
    nodes = fan_out(10)
    assert len({node.id for node in nodes}) == 10
    assert not any(node.depends_on for node in nodes)


def test_a_chain_waits_for_the_one_before() -> None:
    assert [node.depends_on for node in chain(4)] == [(), ("t0",), ("t1",), ("t2",)]


def test_each_task_of_a_layer_waits_for_three_of_the_layer_before() -> None:
    nodes = layers(1000)
    assert len(nodes) == 1000
    for number, node in enumerate(nodes):
        layers_before = {int(name[1:]) // 50 for name in node.depends_on}
        assert layers_before == ({number // 50 - 1} if number >= 50 else set())
        assert len(set(node.depends_on)) == (3 if number >= 50 else 0)


def test_layers_are_the_same_every_time() -> None:
    assert layers(200) == layers(200)


def test_in_two_phases_what_waited_for_a_task_waits_for_its_validation() -> None:
    steps = in_two_phases(chain(2))
    assert [(step.id, step.depends_on, step.phase) for step in steps] == [
        ("t0", (), EXECUTE),
        ("vt0", ("t0",), VALIDATE),
        ("t1", ("vt0",), EXECUTE),
        ("vt1", ("t1",), VALIDATE),
    ]


@pytest.mark.parametrize("shape", ["fan-out", "chain", "layers"])
def test_the_plan_of_a_graph_compiles_to_its_nodes(shape: str) -> None:
    nodes = graph(shape, 100)
    compiled = compile_plan(plan_json(nodes))
    assert compiled.diagnostics == ()
    assert compiled.map is not None
    assert sorted(task.task_id for task in compiled.map.tasks) == sorted(node.id for node in nodes)


@pytest.mark.parametrize(("depth", "atomic", "tasks"), [(1, 6, 7), (2, 36, 43), (4, 1296, 1555)])
def test_a_tree_has_six_children_a_node_and_atomic_leaves(depth: int, atomic: int, tasks: int) -> None:
    plan = json.loads(tree_json(depth))
    assert len(plan["tasks"]) == tasks
    assert len([task for task in plan["tasks"] if "output" in task]) == atomic == atomic_tasks(depth)


def test_about_half_of_the_siblings_of_a_tree_follow_the_one_before() -> None:
    tasks = json.loads(tree_json(4))["tasks"]
    could = [task for task in tasks if task["task_id"] != "0" and not task["task_id"].endswith("1")]
    assert 0.45 < len([task for task in could if task["dependencies"]]) / len(could) < 0.55


def test_a_tree_compiles_and_is_the_same_every_time() -> None:
    plan = tree_json(3)
    compiled = compile_plan(plan)
    assert compiled.ok
    assert compiled.map is not None
    assert len(compiled.map.tasks) == 216
    assert tree_json(3) == plan
