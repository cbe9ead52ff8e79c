"""The compiler compared with an obvious one that writes every pair of tasks out, on random trees."""

from __future__ import annotations

import random

import networkx as nx
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from planner_svc.execution_map import ExecutionMap, FlatDependencies
from planner_svc.graph.nesting import NONE
from tests.support.draws import so_many
from tests.support.values.trees import Oracle, RawTask, compiled, random_plans, stages

thorough = settings(derandomize=True, deadline=None, max_examples=so_many(100, long=300))


def waiting_graph(sunk: dict[str, set[str]]) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from(sunk)
    graph.add_edges_from((producer, task) for task, producers in sunk.items() for producer in producers)
    return graph


def sunk_names(execution_map: ExecutionMap) -> dict[str, set[str]]:
    view = FlatDependencies(execution_map)
    return {
        task.task_id: {execution_map.name(other) for other in view.dependencies(n)}
        for n, task in enumerate(execution_map.tasks)
    }


@thorough
@given(random_plans())
def test_a_plan_compiles_when_its_sunk_pairs_have_no_cycle(tasks: list[RawTask]) -> None:
    oracle = Oracle.of(tasks)
    sound = bool(oracle.atomic()) and nx.is_directed_acyclic_graph(waiting_graph(oracle.sunk()))

    assert compiled(*tasks).ok == sound


@thorough
@given(random_plans(cyclic=False))
def test_sunk_dependencies_are_those_of_the_three_rules(tasks: list[RawTask]) -> None:
    result, expected = compiled(*tasks), Oracle.of(tasks).sunk()
    assume(result.map is not None)
    assert result.map is not None

    assert sunk_names(result.map) == expected
    assert FlatDependencies(result.map).count_pairs() == sum(map(len, expected.values()))


@thorough
@given(random_plans(cyclic=False))
def test_stages_are_the_topological_generations_of_the_sunk_pairs(tasks: list[RawTask]) -> None:
    result = compiled(*tasks)
    assume(result.ok)

    generations = nx.topological_generations(waiting_graph(Oracle.of(tasks).sunk()))

    assert stages(result) == {name: n for n, names in enumerate(generations, start=1) for name in names}


@thorough
@given(random_plans(cyclic=False), st.randoms(use_true_random=False))
def test_groups_make_a_task_ready_exactly_when_its_sunk_dependencies_are_done(
    tasks: list[RawTask], chance: random.Random
) -> None:
    result, sunk = compiled(*tasks), Oracle.of(tasks).sunk()
    assume(result.map is not None)
    assert result.map is not None
    run = _GroupRun(result.map)

    while run.left:
        ready = sorted(run.ready())
        assert ready == sorted(
            n for n in run.left if sunk[result.map.name(n)] <= {result.map.name(done) for done in run.done}
        )
        run.finish(chance.choice(ready))


class _GroupRun:
    """A run of a map as the runner does it: a counter for each group, one step up the tree for each finished task."""

    def __init__(self, execution_map: ExecutionMap) -> None:
        self._map = execution_map
        self._open = [0] * len(execution_map.parents)
        for parent in execution_map.parents:
            if parent != NONE:
                self._open[parent] += 1
        self.left = set(range(len(execution_map.tasks)))
        self.done: set[int] = set()

    def ready(self) -> set[int]:
        return {task for task in self.left if self.done >= {*self._map.waits_for[task]}}

    def finish(self, task: int) -> None:
        self.left.remove(task)
        self.done.add(task)
        group = self._map.parents[task]
        while group != NONE:
            self._open[group] -= 1
            if self._open[group]:
                return
            self.done.add(group)
            group = self._map.parents[group]


@thorough
@given(random_plans())
def test_a_reported_cycle_is_one(tasks: list[RawTask]) -> None:
    sunk, oracle = Oracle.of(tasks).sunk(), Oracle.of(tasks)
    for diagnostic in compiled(*tasks).diagnostics:
        if diagnostic.code == "cycle":
            steps = [name for name in diagnostic.task_ids if name in sunk]
            assert steps, "a cycle names at least one atomic task"
            for name, after in zip(steps, [*steps[1:], steps[0]], strict=True):
                assert after in sunk[name], (diagnostic.message, oracle.tasks)
