"""Artifacts: who reads what, and which producers are added because nobody thought of waiting for them."""

from __future__ import annotations

import time

import networkx as nx
import pytest
from hypothesis import assume, given, settings

from planner_svc.compiler import Compiled
from planner_svc.diagnostics import LIMIT, Diagnostic
from planner_svc.graph import artifacts
from tests.support.draws import so_many
from tests.support.values.trees import (
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
    (found,) = of_no_producer(result)
    assert found.path == "tasks[0].input.artifacts[0]"
    assert found.message == ("a reads 'no such thing', which no other task makes: in its place it receives nothing")


# ---------------------------------------------------------------- names that no task makes


def of_no_producer(result: Compiled) -> list[Diagnostic]:
    return [diagnostic for diagnostic in result.diagnostics if diagnostic.code == "no-producer"]


def reads(result: Compiled) -> dict[str, list[str]]:
    """What each task names in the map: a runner gives a task that names nothing what its dependencies made."""
    assert result.map is not None, result.diagnostics
    return {task.task_id: [*task.input.artifacts] for task in result.map.tasks if task.input is not None}


@pytest.mark.guard(name="a task whose artifacts no task makes gets those of its dependencies")
def test_a_task_that_names_only_what_nobody_makes_gets_what_its_dependencies_made() -> None:
    result = compiled(
        atomic("poem", makes="verses"),
        atomic("tune", "poem", makes="melody", reads=("the words", "mood")),
        atomic("song", "tune", reads=("sheet music",)),
    )

    assert reads(result) == {"poem": [], "song": [], "tune": []}
    assert [found.task_ids for found in of_no_producer(result)] == [("tune",), ("tune",), ("song",)]
    assert "in its place it receives what the tasks it waits for made" in of_no_producer(result)[0].message


def takes_all(result: Compiled) -> dict[str, bool]:
    """Whether each task also receives what its dependencies made."""
    assert result.map is not None, result.diagnostics
    return {task.task_id: task.input.with_dependencies for task in result.map.tasks if task.input is not None}


@pytest.mark.guard(name="a task that also names what is made gets both")
def test_a_task_that_also_names_what_is_made_gets_both() -> None:
    result = compiled(
        group("1"),
        atomic("1_1", makes="plot"),
        atomic("1_2", makes="cast"),
        atomic("1_3"),
        atomic("2", makes="title", reads=("cast",)),
        atomic("3", "2", "1", reads=("cast", "the setting")),
    )

    assert [name for name, takes in takes_all(result).items() if takes] == ["3"]
    assert reads(result)["3"] == ["cast"]
    (found,) = of_no_producer(result)
    assert found.path == "tasks[5].input.artifacts[1]"


def test_however_many_its_dependencies_are_and_whatever_their_artifacts_are_called_it_gets_them_all() -> None:
    makers = [atomic(f"m{n:04}", makes=f"part {n}" * (n % 90)) for n in range(1500)]
    names = [maker["task_id"] for maker in makers]

    result = compiled(*makers, atomic("last", *names, reads=("part 1", "nowhere")))

    assert reads(result)["last"] == ["part 1"]
    assert takes_all(result)["last"]


@pytest.mark.guard(name="no task has more inputs than a runner gives")
@pytest.mark.parametrize(("reading", "count"), [((), 6), (("p0", "nowhere"), 7)])
def test_a_task_that_would_receive_more_than_a_runner_gives_is_an_error(
    reading: tuple[str, ...], count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "MAX_INPUTS", count)
    makers = [atomic(f"1_{n}", makes=f"p{n}") for n in range(6)]
    assert compiled(group("1"), *makers, atomic("2", "1", reads=reading)).ok

    monkeypatch.setattr(artifacts, "MAX_INPUTS", count - 1)
    result = compiled(group("1"), *makers, atomic("2", "1", reads=reading))

    (found,) = [diagnostic for diagnostic in result.diagnostics if diagnostic.code == "too-many-inputs"]
    assert not result.ok
    assert (found.task_ids, found.path) == (("2",), "tasks[7].input.artifacts")
    assert found.message.startswith(f"2 would receive {count} artifacts, more than {count - 1}: name what it needs")


def test_a_task_that_waits_for_many_and_names_what_it_needs_receives_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "MAX_INPUTS", 2)
    makers = [atomic(f"1_{n}", makes=f"p{n}") for n in range(6)]

    assert compiled(group("1"), *makers, atomic("2", "1", reads=("p1", "p5"))).ok


def test_a_plan_in_which_every_name_is_made_is_as_it_was() -> None:
    result = compiled(atomic("a", makes="x"), atomic("b", "a", reads=("x", "x")))

    assert reads(result) == {"a": [], "b": ["x", "x"]}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("route_map", "route_map"),
        ("Route Map", "route_map"),
        ("route-map.json", "route_map"),
        ("the route map of the river", "route_map"),
        ("routemap", "route_map"),
        ("rout_map", "route_map"),
        ("route_amp", "route_map"),
        ("routes_map", "route_map"),
        ("output of 2_1", "gear list"),
        ("2.1", "gear list"),
        ("2_1.result", "gear list"),
        ("Gear-Lists", "gear list"),
        ("水位数据（原始）", "水位数据"),
        ("a weather forecast", ""),
        ("map", ""),
        ("", ""),
        ("?!", ""),
    ],
)
def test_a_name_that_nearly_matches_is_suggested(name: str, meant: str) -> None:
    result = compiled(
        atomic("1", makes="route_map"),
        atomic("2_1", makes="gear list"),
        atomic("3", makes="水位数据"),
        atomic("4", "1", "2_1", "3", reads=(name, "ghost")),
    )

    suggested = [found.message.partition("did you mean ")[2] for found in of_no_producer(result)]
    assert suggested == (["", ""] if meant == "" else [""] if name == meant else [f"{meant!r}?", ""])


def test_very_many_loose_names_take_no_time() -> None:
    tasks = [atomic(f"t{n}", makes=f"report number {n} " + "x" * 40) for n in range(3_000)]
    readers = [atomic(f"r{n}", reads=(f"raport nummer {n} " + "y " * 100,)) for n in range(3_000)]

    begun = time.process_time()
    result = compiled(*tasks, *readers)

    assert len(of_no_producer(result)) == LIMIT + 1
    assert time.process_time() - begun < 10


@settings(derandomize=True, deadline=None, max_examples=so_many(100, long=300))
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
