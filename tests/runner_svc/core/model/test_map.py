"""The map: names, groups, paths, and producers, each compared with the obvious way to compute it."""

from __future__ import annotations

from unittest import mock

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from runner_svc.core.model.map import Map
from runner_svc.core.model.producers import Waits, unreached
from runner_svc.core.model.requirements import Requirement, Requirements
from runner_svc.core.model.values import Role
from tests.support.draws import so_many
from tests.support.values.maps import map_of


@st.composite
def maps(draw: st.DrawFn) -> Map:
    """Draws up to ten tasks in up to three nested groups; a task waits only for tasks and groups before it."""
    count = draw(st.integers(1, 10))
    groups = ["", "g/", "g/h/", "k/"]
    places = sorted(draw(st.sampled_from(groups)) for _ in range(count))
    lines: list[str] = []
    closed: list[str] = []
    for n, place in enumerate(places):
        before = [f"t{m}" for m in range(n)] + [group[:-1] for group in closed]
        deps = draw(st.lists(st.sampled_from(before), unique=True, max_size=3)) if before else []
        lines.append(f"{place}t{n}" + (f" <- {', '.join(deps)}" if deps else ""))
        if place and place not in places[n + 1 :] and not any(p.startswith(place) for p in places[n + 1 :]):
            closed.append(place)
    return map_of("; ".join(lines))


def sunk(plan: Map) -> nx.DiGraph:
    """Returns the graph of atomic tasks with every group written out."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(plan.task_count))
    for task, waits in enumerate(plan.waits_for):
        graph.add_edges_from((before, task) for node in waits for before in plan.tasks_below(node))
    return graph


@settings(derandomize=True, deadline=None, max_examples=so_many(70, long=200))
@given(maps())
def test_tails_are_the_longest_paths(plan: Map) -> None:
    graph = sunk(plan)
    for task in graph:
        below = graph.subgraph({task, *nx.descendants(graph, task)})
        assert plan.tails[task] == nx.dag_longest_path_length(below) + 1


def waits(plan: Map) -> Waits:
    return Waits(waits_for=plan.waits_for, parents=plan.parents, stages=plan.stages)


@settings(derandomize=True, deadline=None, max_examples=so_many(100, long=300))
@given(maps(), st.data())
def test_a_maker_is_missed_when_no_path_leads_from_it_to_its_reader(plan: Map, data: st.DataObject) -> None:
    graph = sunk(plan)
    some = st.sets(st.sampled_from(range(plan.task_count)))
    named = {task: data.draw(some) - {task} for task in graph}
    expected = {task: named[task] - nx.ancestors(graph, task) for task in graph}
    assert unreached(waits(plan), named) == {task: missed for task, missed in expected.items() if missed}


@settings(derandomize=True, deadline=None, max_examples=100)
@given(maps())
def test_searching_for_one_maker_at_a_time_finds_the_same(plan: Map) -> None:
    named = {task: set(range(plan.task_count)) - {task} for task in range(plan.task_count)}
    together = unreached(waits(plan), named)
    with (
        mock.patch("runner_svc.core.model.producers.MOST_BITS", 0),
        mock.patch("runner_svc.core.model.producers.LEAST_MAKERS", 1),
    ):
        assert unreached(waits(plan), named) == together


def test_a_map_says_whom_of_the_makers_that_a_task_names_it_does_not_wait_for() -> None:
    plan = map_of("a[p]; g/b[q]; c[r]; d[s] <- a, g; e[own](p, q, r, s, own, lost) <- d")
    assert plan.missed == {plan.numbers["e"]: {plan.numbers["c"]}}


def test_tasks_that_ask_for_the_same_have_one_example() -> None:
    fetch = Requirements(executors=(Requirement(role=Role.EXECUTOR, handlers=frozenset({"fetch"})),))
    human = Requirements(human=True)
    plan = map_of("a; b; c; d; e; f", requirements={"b": fetch, "c": human, "e": fetch, "f": human})
    assert [plan.name(task) for task in plan.examples] == ["a", "b", "c"]


def test_a_map_where_every_reader_waits_for_its_makers_is_not_searched() -> None:
    plan = map_of("g/a[p]; b[q]; c(p, q) <- g, b")
    with mock.patch("runner_svc.core.model.producers.Waits.levels", side_effect=AssertionError("it was searched")):
        assert plan.missed == {}


def test_a_group_stands_for_the_tasks_below_it_in_their_order() -> None:
    plan = map_of("g/a; g/h/b; g/c; d <- g")
    group = plan.group_ids.index("g") + plan.task_count
    assert sorted(plan.name(task) for task in plan.tasks_below(group)) == ["a", "b", "c"]
    assert [plan.name(node) for node in plan.with_groups(plan.numbers["b"])] == ["b", "g/h", "g"]


def test_an_artifact_that_two_tasks_make_belongs_to_nobody() -> None:
    plan = map_of("a[p]; b[p]; c[q]")
    assert plan.makers == {"q": 2}
