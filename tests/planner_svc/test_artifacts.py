"""Artifacts: who reads what, and which producers are added because nobody thought of waiting for them."""

from __future__ import annotations

import networkx as nx
from hypothesis import assume, given, settings

from tests.planner_svc.trees import (
    Oracle,
    RawTask,
    atomic,
    codes,
    compiled,
    data_dependencies,
    group,
    plans_with_artifacts,
    stages,
    waits,
)


def test_a_producer_that_is_not_waited_for_is_added_as_a_data_dependency() -> None:
    result = compiled(atomic("a", makes="x"), atomic("b", reads=("x",)))

    assert data_dependencies(result) == {"b": ["a"]}
    assert waits(result)["b"] == []
    assert stages(result) == {"a": 1, "b": 2}
    assert codes(result) == {"producer-not-waited-for"}


def test_without_inference_the_missing_producer_is_only_reported() -> None:
    result = compiled(atomic("a", makes="x"), atomic("b", reads=("x",)), infer=False)

    assert data_dependencies(result) == {}
    assert stages(result) == {"a": 1, "b": 1}
    assert codes(result) == {"producer-not-waited-for"}


def test_a_producer_that_is_waited_for_is_not_added() -> None:
    direct = compiled(atomic("a", makes="x"), atomic("b", "a", reads=("x",)))
    upstream = compiled(atomic("a", makes="x"), atomic("b", "a"), atomic("c", "b", reads=("x",)))
    grouped = compiled(group("1"), atomic("1_1", makes="x"), atomic("1_2"), atomic("2", "1", reads=("x",)))
    behind_a_group = compiled(
        group("1"), atomic("1_1", makes="x"), group("2", "1"), atomic("2_1"), atomic("3", "2", reads=("x",))
    )

    for result in (direct, upstream, grouped, behind_a_group):
        assert data_dependencies(result) == {}
        assert codes(result) == set()


def test_an_inferred_edge_that_would_close_a_cycle_is_refused_with_a_warning() -> None:
    result = compiled(atomic("a", reads=("y",), makes="x"), atomic("b", "a", makes="y"))

    assert data_dependencies(result) == {}
    assert codes(result) == {"data-cycle"}


def test_of_several_inferred_edges_that_close_a_cycle_together_only_the_last_is_refused() -> None:
    ring = [
        atomic("a", reads=("z",), makes="x"),
        atomic("b", reads=("x",), makes="y"),
        atomic("c", reads=("y",), makes="z"),
    ]
    aside = [atomic("d", makes="w"), atomic("e", reads=("w", "x"))]

    result = compiled(*ring, *aside)

    assert data_dependencies(result) == {"a": ["c"], "b": ["a"], "e": ["a", "d"]}
    refused = [diagnostic.task_ids for diagnostic in result.diagnostics if diagnostic.code == "data-cycle"]
    assert refused == [("c", "b")]


def test_two_producers_of_an_artifact_that_someone_reads_are_an_error() -> None:
    result = compiled(atomic("a", makes="x"), atomic("b", makes="x"), atomic("c", "a", reads=("x",)))

    assert not result.ok
    (found,) = [diagnostic for diagnostic in result.diagnostics if diagnostic.code == "ambiguous-producer"]
    assert found.task_ids == ("a", "b", "c")
    assert "'x' is made by a and b" in found.message


def test_two_producers_of_an_artifact_that_nobody_reads_are_fine() -> None:
    assert compiled(atomic("a", makes="x"), atomic("b", makes="x")).ok


def test_a_task_that_reads_what_it_makes_reads_it_from_the_other_producer() -> None:
    result = compiled(atomic("a", makes="draft"), atomic("b", reads=("draft",), makes="draft"))

    assert data_dependencies(result) == {"b": ["a"]}


def test_an_artifact_nobody_makes_is_a_warning_with_its_place() -> None:
    result = compiled(atomic("a", reads=("no such thing",)))

    assert result.ok
    (found,) = [diagnostic for diagnostic in result.diagnostics if diagnostic.code == "no-producer"]
    assert found.path == "tasks[0].input.artifacts[0]"


@settings(derandomize=True, deadline=None, max_examples=300)
@given(plans_with_artifacts())
def test_inference_adds_each_missing_producer_unless_it_closes_a_cycle(tasks: list[RawTask]) -> None:
    sunk = Oracle.of(tasks).sunk()
    graph = nx.DiGraph([(producer, task) for task, producers in sunk.items() for producer in producers])
    graph.add_nodes_from(sunk)
    assume(sunk and nx.is_directed_acyclic_graph(graph))
    declared, expected = graph.copy(), dict[str, set[str]]()
    for reader in sorted(sunk):
        task = next(task for task in tasks if task["task_id"] == reader)
        for name in dict.fromkeys(task["input"]["artifacts"]):
            producer = name.removeprefix("of ")
            if producer == reader or producer not in sunk or nx.has_path(declared, producer, reader):
                continue
            if not nx.has_path(graph, reader, producer):
                graph.add_edge(producer, reader)
                expected.setdefault(reader, set()).add(producer)

    result = compiled(*tasks)

    assert {reader: {*producers} for reader, producers in data_dependencies(result).items()} == expected
    generations = nx.topological_generations(graph)
    assert stages(result) == {name: n for n, names in enumerate(generations, start=1) for name in names}
