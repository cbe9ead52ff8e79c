"""The map: names, groups, paths, and what lies upstream, each against the obvious way to compute it."""

from __future__ import annotations

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from runner_svc.core.plan import Map
from tests.support.maps import map_of


@st.composite
def maps(draw: st.DrawFn) -> Map:
    """Up to ten tasks in up to three nested groups; a task waits only for tasks and groups before it."""
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
    """The graph of atomic tasks with every group written out."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(plan.task_count))
    for task, waits in enumerate(plan.waits_for):
        graph.add_edges_from((before, task) for node in waits for before in plan.tasks_below(node))
    return graph


@settings(derandomize=True, deadline=None, max_examples=200)
@given(maps())
def test_tails_are_the_longest_paths(plan: Map) -> None:
    graph = sunk(plan)
    for task in graph:
        below = graph.subgraph({task, *nx.descendants(graph, task)})
        assert plan.tails[task] == nx.dag_longest_path_length(below) + 1


@settings(derandomize=True, deadline=None, max_examples=200)
@given(maps())
def test_upstream_is_what_has_a_path(plan: Map) -> None:
    graph = sunk(plan)
    for task in graph:
        upstream = nx.ancestors(graph, task)
        assert {other for other in graph if other != task and plan.is_upstream(other, task)} == upstream


def test_a_group_stands_for_the_tasks_below_it_in_their_order() -> None:
    plan = map_of("g/a; g/h/b; g/c; d <- g")
    group = plan.group_ids.index("g") + plan.task_count
    assert sorted(plan.name(task) for task in plan.tasks_below(group)) == ["a", "b", "c"]
    assert [plan.name(node) for node in plan.with_groups(plan.numbers["b"])] == ["b", "g/h", "g"]


def test_an_artifact_that_two_tasks_make_belongs_to_nobody() -> None:
    plan = map_of("a[p]; b[p]; c[q]")
    assert plan.makers == {"q": 2}
