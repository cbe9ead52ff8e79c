"""The layout: every task has a place, and edges that follow from others are left out."""

from __future__ import annotations

import networkx as nx
from hypothesis import assume, given, settings

from planner_svc.compiler import Compiled
from planner_svc.graph.graph import Graph, Levels, stuck_gates
from planner_svc.graph.nesting import NONE, nest
from planner_svc.layout.layout import Layout, lay_out
from tests.support.draws import so_many
from tests.support.values.trees import RawTask, atomic, compiled, group, plans_with_artifacts, random_plans

thorough = settings(derandomize=True, deadline=None, max_examples=so_many(100, long=300))


def laid_out(result: Compiled) -> Layout:
    assert result.map is not None, result.diagnostics
    return lay_out(result.map, result.direct)


def cells(result: Compiled) -> dict[str, tuple[int, int]]:
    """Returns the column and the row of each task in the grid."""
    assert result.map is not None
    rows = laid_out(result).rows
    return {task.task_id: (result.map.stages[n], rows[n]) for n, task in enumerate(result.map.tasks) if rows[n] != NONE}


def edges(result: Compiled) -> set[tuple[str, str, bool]]:
    assert result.map is not None
    name = result.map.name
    return {(name(edge.source), name(edge.target), edge.data) for edge in laid_out(result).edges}


def test_a_task_sits_beside_the_producer_it_follows() -> None:
    result = compiled(atomic("1"), atomic("2"), atomic("3", "1"), atomic("4", "2"), atomic("5", "2"))

    assert cells(result) == {"1": (1, 0), "2": (1, 1), "3": (2, 0), "4": (2, 1), "5": (2, 2)}


def test_a_task_without_any_edge_is_isolated() -> None:
    result = compiled(atomic("1"), atomic("2", "1"), atomic("3"))

    assert result.map is not None
    assert [result.map.name(task) for task in laid_out(result).isolated] == ["3"]


def test_members_of_a_group_that_is_waited_for_are_not_isolated() -> None:
    result = compiled(group("1"), atomic("1_1"), atomic("1_2"), atomic("2", "1"))

    assert laid_out(result).isolated == []


def test_edges_are_drawn_between_groups_where_groups_wait_for_groups() -> None:
    result = compiled(group("1"), atomic("1_1"), atomic("1_2"), group("2", "1"), atomic("2_1"), atomic("2_2", "2_1"))

    assert edges(result) == {("1", "2", False), ("2_1", "2_2", False)}


def test_an_edge_that_follows_from_a_group_is_left_out() -> None:
    from_member = compiled(group("1"), atomic("1_1"), atomic("1_2"), atomic("2", "1", "1_1"))
    by_ancestor = compiled(group("1"), atomic("1_1"), group("2", "1"), atomic("2_1", "1_1"))
    by_another = compiled(atomic("1"), atomic("2", "1"), atomic("3", "1", "2"))

    assert edges(from_member) == {("1", "2", False)}
    assert edges(by_ancestor) == {("1", "2", False)}
    assert edges(by_another) == {("1", "2", False), ("2", "3", False)}


def test_inferred_edges_are_marked() -> None:
    assert edges(compiled(atomic("1", makes="x"), atomic("2", reads=("x",)))) == {("1", "2", True)}


def test_the_tree_comes_in_natural_order_parents_first() -> None:
    result = compiled(group("10"), atomic("10_1"), group("9"), atomic("9_10"), atomic("9_2"))

    assert result.map is not None
    assert [result.map.name(node) for node in laid_out(result).top_down] == ["9", "9_2", "9_10", "10", "10_1"]


@thorough
@given(plans_with_artifacts())
def test_no_two_tasks_share_a_cell_and_only_tasks_without_edges_have_none(tasks: list[RawTask]) -> None:
    result = compiled(*tasks)
    assume(result.map is not None)
    assert result.map is not None
    placed = cells(result)

    assert len(set(placed.values())) == len(placed)
    in_edges = {end for source, target, _ in edges(result) for end in (source, target)}
    isolated = {result.map.name(task) for task in laid_out(result).isolated}
    assert not isolated & in_edges


@thorough
@given(plans_with_artifacts())
def test_the_edges_are_the_transitive_reduction_of_the_waiting_graph(tasks: list[RawTask]) -> None:
    result = compiled(*tasks)
    assume(result.map is not None)
    assert result.map is not None
    count = len(result.map.tasks)
    data = {reader: producers for reader, producers in enumerate(result.map.data_dependencies) if producers}
    graph = Graph(nesting=nest(count, result.map.parents), direct=[tuple(direct) for direct in result.direct])
    nothing_opens = Levels(begins=[], ends=[0] * len(result.map.parents))
    gates = nx.transitive_reduction(stuck_gates(graph, nothing_opens, data))
    between_nodes = {(end >> 1, begin >> 1) for begin, end in gates.edges if not begin & 1 and end & 1}

    assert {(edge.source, edge.target) for edge in laid_out(result).edges} == between_nodes


@thorough
@given(random_plans(cyclic=False))
def test_a_layout_is_the_same_for_the_same_tasks_in_any_order(tasks: list[RawTask]) -> None:
    one, other = compiled(*tasks), compiled(*reversed(tasks))
    assume(one.ok)

    assert laid_out(one) == laid_out(other)
    assert one.map is not None
    assert other.map is not None
    assert one.map.digest == other.map.digest
