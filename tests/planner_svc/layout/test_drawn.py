"""The drawn graph: equal tasks are one node, no two nodes share a cell, and no order has more crossings than before."""

from __future__ import annotations

import random
import time
from collections import Counter
from itertools import combinations

import networkx as nx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from planner_svc.compiler import Compiled, compile_plan
from planner_svc.execution_map import FlatDependencies
from planner_svc.graph.nesting import NONE
from planner_svc.layout.drawn import Drawn
from planner_svc.layout.layout import lay_out
from planner_svc.layout.outline import Outline, outlined
from planner_svc.layout.places import placed
from tests.support.draws import so_many
from tests.support.values.trees import RawTask, atomic, compiled, generated_plan, group, plans_with_artifacts

thorough = settings(derandomize=True, deadline=None, max_examples=so_many(100, long=1000))


def drawn(result: Compiled) -> Drawn:
    assert result.map is not None, result.diagnostics
    found = lay_out(result.map, result.direct).drawn
    assert found is not None
    return found


def classes(result: Compiled) -> set[frozenset[str]]:
    """Returns the ids of the tasks of each class."""
    assert result.map is not None
    found = drawn(result)
    return {
        frozenset(result.map.name(task) for task, index in enumerate(found.node_of) if index == number)
        for number in range(len(found.nodes))
    }


def nodes(result: Compiled) -> dict[str, tuple[int, int, int]]:
    """Returns of each node the number of its tasks, its column and its row."""
    assert result.map is not None
    name, stages = result.map.name, result.map.stages
    return {name(node.task): (node.size, stages[node.task], node.row) for node in drawn(result).nodes}


def edges(result: Compiled) -> dict[tuple[str, str], tuple[bool, bool]]:
    """Returns of each edge whether it is inferred, and whether it is long."""
    assert result.map is not None
    name = result.map.name
    return {(name(edge.source), name(edge.target)): (edge.data, edge.long) for edge in drawn(result).edges}


def boxes(result: Compiled) -> dict[str, tuple[int, int, int, int]]:
    """Returns of each group its first and last column, and its first and last row."""
    assert result.map is not None
    found = drawn(result).boxes
    return {
        result.map.name(box.group): (box.first_column, box.last_column, box.first_row, box.last_row) for box in found
    }


def outline_of(result: Compiled) -> Outline:
    assert result.map is not None
    found = [(edge.source, edge.target) for edge in lay_out(result.map, result.direct).edges]
    return outlined(result.map.nesting, result.map.stages, found)


# ---------------------------------------------------------------- classes


def test_tasks_that_wait_for_the_same_and_are_waited_for_by_the_same_are_one_node() -> None:
    result = compiled(atomic("1"), atomic("2", "1"), atomic("3", "1"), atomic("4", "1"), atomic("5", "2", "3", "4"))

    assert nodes(result) == {"1": (1, 1, 0), "2": (3, 2, 0), "5": (1, 3, 0)}
    assert edges(result) == {("1", "2"): (False, False), ("2", "5"): (False, False)}


def test_a_task_that_one_more_waits_for_is_a_node_of_its_own() -> None:
    result = compiled(atomic("1"), atomic("2", "1"), atomic("3", "1"), atomic("4", "2", "3"), atomic("5", "3"))

    assert classes(result) == {frozenset(one) for one in ("1", "2", "3", "4", "5")}


def test_equal_tasks_of_different_groups_are_nodes_in_their_boxes() -> None:
    result = compiled(group("1"), atomic("1_1"), atomic("1_2"), group("2"), atomic("2_1"), atomic("3", "1", "2"))

    assert classes(result) == {frozenset({"1_1", "1_2"}), frozenset({"2_1"}), frozenset({"3"})}


def test_tasks_without_edges_are_one_node_too() -> None:
    assert classes(compiled(atomic("1"), atomic("2"), atomic("3"))) == {frozenset({"1", "2", "3"})}


def test_each_task_of_a_class_has_a_row_of_its_own_when_classes_are_not_used() -> None:
    result = compiled(atomic("1"), atomic("2"), atomic("3"), atomic("4", "1"), atomic("5", "4"), atomic("6", "5"))

    assert drawn(result).node_of == [0, 1, 1, 2, 3, 4]
    assert drawn(result).task_rows == [0, 1, 2, 0, 0, 0]


@pytest.mark.parametrize("by_artifacts", [True, False])
def test_a_thousand_producers_of_a_hundred_readers_are_two_nodes_and_an_edge(by_artifacts: bool) -> None:
    names = [f"p{n}" for n in range(1000)]
    makers = [atomic(name, makes=name) for name in names]
    waits = {"reads": tuple(names)} if by_artifacts else {"dependencies": names}
    found = drawn(compiled(*makers, *(atomic(f"r{n}", **waits) for n in range(100))))

    assert found.nodes == [(0, 1000, 0), (1000, 100, 0)]
    assert found.edges == [(0, 1000, by_artifacts, False)]


def test_an_edge_is_inferred_when_all_that_it_stands_for_are() -> None:
    result = compiled(
        atomic("1", makes="x"), atomic("2", "1"), atomic("3", reads=("x",)), atomic("4", reads=("x",)), atomic("5", "4")
    )

    assert edges(result) == {("1", "2"): (False, False), ("1", "4"): (True, False), ("4", "5"): (False, False)}


def test_groups_that_wait_for_groups_take_one_edge_whatever_is_in_them() -> None:
    chains = [atomic(f"{g}_{n}", *([f"{g}_{n - 1}"] if n % 2 else [])) for g in (1, 2) for n in range(200)]
    result = compiled(group("1"), group("2", "1"), *chains)

    assert len(nodes(result)) == 400
    assert ("1", "2") in edges(result)
    assert len(edges(result)) == 201


# ---------------------------------------------------------------- places


def test_an_edge_over_a_stage_is_long() -> None:
    result = compiled(atomic("1"), atomic("2", "1"), atomic("3", "2"), atomic("4"), atomic("5", "3", "4"))

    assert {ends for ends, (_, long) in edges(result).items() if long} == {("4", "5")}


def test_an_edge_from_a_box_is_long_when_the_last_stage_in_the_box_is_not_the_one_before() -> None:
    near = compiled(group("1"), atomic("1_1"), atomic("1_2", "1_1"), atomic("2", "1"))
    far = compiled(group("1"), atomic("1_1"), atomic("2"), atomic("3", "2"), atomic("4", "1", "3"))

    assert edges(near)[("1", "2")] == (False, False)
    assert edges(far)[("1", "4")] == (False, True)


def test_a_box_is_around_all_that_is_in_its_group() -> None:
    result = compiled(
        group("1"),
        atomic("1_1"),
        atomic("1_2", "1_1"),
        group("1_3"),
        atomic("1_3_1", "1_2"),
        atomic("1_3_2"),
        atomic("2"),
    )

    assert boxes(result) == {"1": (1, 3, 0, 1), "1_3": (1, 3, 1, 1)}
    assert nodes(result)["2"] == (1, 1, 2)


def test_two_crossed_pairs_are_uncrossed() -> None:
    result = compiled(atomic("1"), atomic("2"), atomic("3", "2"), atomic("4", "1"))

    assert nodes(result) == {"1": (1, 1, 0), "2": (1, 1, 1), "3": (1, 2, 1), "4": (1, 2, 0)}


def test_boxes_are_ordered_so_that_fewer_edges_cross() -> None:
    result = compiled(
        atomic("1"), atomic("2"), group("3"), atomic("3_1", "2"), atomic("3_2", "3_1"), group("4"), atomic("4_1", "1")
    )

    assert boxes(result) == {"3": (2, 3, 1, 1), "4": (2, 2, 0, 0)}


def test_a_plan_of_layers_has_less_than_half_the_crossings() -> None:
    names = [[f"{stage}x{n}" for n in range(20)] for stage in range(8)]
    tasks = [
        atomic(name, *({names[stage - 1][n * 7 % 20], names[stage - 1][n * 3 % 20]} if stage else ()), parent_id="")
        for stage, row in enumerate(names)
        for n, name in enumerate(row)
    ]
    result = compiled(*tasks)
    outline = outline_of(result)

    assert crossings_of(outline, drawn_rows(result)) * 2 < crossings_of(outline, natural_rows(outline))


# ---------------------------------------------------------------- properties


@st.composite
def layered_plans(draw: st.DrawFn) -> list[RawTask]:
    """Draws plans with a few groups and enough edges that many of them cross."""
    groups, count = draw(st.integers(0, 4)), draw(st.integers(2, 25))
    tasks = [
        group(f"g{n}", *(f"g{other}" for other in draw(st.sets(st.integers(0, n - 1), max_size=1)) if n) if n else ())
        for n in range(groups)
    ]
    for n in range(count):
        waits = draw(st.sets(st.integers(0, n - 1), max_size=3)) if n else ()
        inside = draw(st.integers(-1, groups - 1))
        tasks.append(atomic(f"t{n}", *(f"t{other}" for other in waits), parent_id=f"g{inside}" if inside >= 0 else ""))
    return tasks


any_plans = st.one_of(plans_with_artifacts(), layered_plans())


@thorough
@given(any_plans)
def test_classes_are_those_of_the_obvious_comparison(tasks: list[RawTask]) -> None:
    result = compiled(*tasks)
    assume(result.map is not None)
    assert result.map is not None
    found = lay_out(result.map, result.direct).edges
    expected: dict[tuple[int, frozenset[int], frozenset[int]], list[str]] = {}
    for task in range(len(result.map.tasks)):
        before = frozenset(edge.source for edge in found if edge.target == task)
        after = frozenset(edge.target for edge in found if edge.source == task)
        expected.setdefault((result.map.parents[task], before, after), []).append(result.map.name(task))

    assert classes(result) == {frozenset(names) for names in expected.values()}
    assert sum(node.size for node in drawn(result).nodes) == len(result.map.tasks)


@thorough
@given(any_plans)
def test_tasks_of_a_class_come_after_the_same_tasks_and_before_the_same_tasks(tasks: list[RawTask]) -> None:
    result = compiled(*tasks)
    assume(result.map is not None)
    assert result.map is not None
    graph = waiting_graph(result)
    found = drawn(result)
    ends: dict[int, set[tuple[frozenset[int], frozenset[int], int]]] = {}
    for task, index in enumerate(found.node_of):
        around = (frozenset(nx.ancestors(graph, task)), frozenset(nx.descendants(graph, task)), result.map.stages[task])
        ends.setdefault(index, set()).add(around)

    assert all(len(around) == 1 for around in ends.values())


@thorough
@given(any_plans)
def test_the_drawn_edges_say_all_that_the_map_says(tasks: list[RawTask]) -> None:
    """Written out for all tasks of their ends, they have the same transitive closure."""
    result = compiled(*tasks)
    assume(result.map is not None)
    assert result.map is not None
    found = drawn(result)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(result.map.tasks)))
    for edge in found.edges:
        graph.add_edges_from((a, b) for a in tasks_of(result, edge.source) for b in tasks_of(result, edge.target))

    assert nx.transitive_closure_dag(graph).edges == nx.transitive_closure_dag(waiting_graph(result)).edges


@thorough
@given(any_plans)
def test_no_two_nodes_share_a_cell_and_boxes_overlap_only_inside_each_other(tasks: list[RawTask]) -> None:
    result = compiled(*tasks)
    assume(result.map is not None)
    assert result.map is not None
    found, stages, nesting = drawn(result), result.map.stages, result.map.nesting
    by_node = {node.task: (stages[node.task], node.row) for node in found.nodes}
    by_task = {task: (stages[task], row) for task, row in enumerate(found.task_rows)}

    assert max(Counter(by_node.values()).values()) == 1
    assert max(Counter(by_task.values()).values()) == 1
    for box in found.boxes:
        inside = {task for task in by_task if nesting.contains(box.group, task)}
        columns, rows = range(box.first_column, box.last_column + 1), range(box.first_row, box.last_row + 1)
        task_rows = range(box.first_task_row, box.last_task_row + 1)
        assert {n for n, (column, row) in by_node.items() if column in columns and row in rows} == inside & set(by_node)
        assert {n for n, (column, row) in by_task.items() if column in columns and row in task_rows} == inside


@thorough
@given(any_plans)
def test_every_row_of_a_box_and_of_the_picture_is_used(tasks: list[RawTask]) -> None:
    result = compiled(*tasks)
    assume(result.map is not None)
    found = drawn(result)
    used = {node.row for node in found.nodes}

    assert used == set(range(len(used)))
    assert {row for box in found.boxes for row in (box.first_row, box.last_row)} <= used


@thorough
@given(any_plans)
def test_the_order_of_a_column_is_the_same_with_classes_and_without(tasks: list[RawTask]) -> None:
    result = compiled(*tasks)
    assume(result.map is not None)
    assert result.map is not None
    found = drawn(result)
    for one, other in combinations(found.nodes, 2):
        if result.map.stages[one.task] == result.map.stages[other.task]:
            assert (one.row < other.row) == (found.task_rows[one.task] < found.task_rows[other.task])


@thorough
@given(layered_plans())
def test_no_picture_has_more_crossings_than_one_in_natural_order(tasks: list[RawTask]) -> None:
    result = compiled(*tasks)
    assume(result.map is not None)
    outline = outline_of(result)

    assert crossings_of(outline, drawn_rows(result)) <= crossings_of(outline, natural_rows(outline))


@thorough
@given(layered_plans())
def test_the_drawn_graph_is_the_same_for_the_same_tasks_in_any_order(tasks: list[RawTask]) -> None:
    result = compiled(*tasks)
    assume(result.map is not None)

    assert drawn(compiled(*reversed(tasks))) == drawn(result)


# ---------------------------------------------------------------- sizes


def test_a_hundred_groups_over_all_stages_and_deep_groups_are_drawn() -> None:
    deep = [group(f"g{n}", parent_id=f"g{n - 1}" if n else "") for n in range(500)]
    single = [atomic(f"s{n}", parent_id=f"g{n}") for n in range(500)]
    chain = [atomic(f"c{n}", *([f"c{n - 1}"] if n else []), parent_id="g499") for n in range(3000)]
    wide = [atomic(f"w{n}_{end}", *(["c2999"] if end else [])) for n in range(100) for end in range(2)]
    result = compiled(*deep, *single, *chain, *(group(f"w{n}") for n in range(100)), *wide)

    assert boxes(result)["g0"] == (1, 3000, 0, 500)
    cells = [(column, row) for _, column, row in nodes(result).values()]
    assert len(set(cells)) == len(cells)


def random_layers(count: int, width: int) -> Compiled:
    """Compiles tasks of which each waits for two of the tasks before it, none further back than `width`."""
    chance = random.Random(5)
    waits = [{chance.randrange(max(0, n - width), n) for _ in range(2)} if n > width else () for n in range(count)]
    return compiled(*(atomic(f"t{n}", *(f"t{other}" for other in before)) for n, before in enumerate(waits)))


@pytest.mark.parametrize("count", [10_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_tasks_by_the_thousands_are_drawn_in_milliseconds_each(count: int) -> None:
    result = random_layers(count, count // 30)
    begun = time.process_time()
    found = drawn(result)

    assert time.process_time() - begun < count / 1000
    assert sum(node.size for node in found.nodes) == count


def test_boxes_that_all_reach_over_a_thousand_stages_are_drawn_in_time() -> None:
    count = 2000
    chain = [atomic(f"c{n}", *([f"c{n - 1}"] if n else [])) for n in range(count)]
    early = [atomic(f"g{n}_1", f"c{n // 2}") for n in range(count)]
    late = [atomic(f"g{n}_2", f"c{count - 1 - n // 2}") for n in range(count)]
    result = compiled(*chain, *(group(f"g{n}") for n in range(count)), *early, *late)
    begun = time.process_time()
    cells = [(column, row) for _, column, row in nodes(result).values()]

    assert time.process_time() - begun < 10
    assert len(set(cells)) == len(cells)


def test_a_tree_is_drawn_with_no_crossing() -> None:
    result = compile_plan(generated_plan(4))

    assert crossings_of(outline_of(result), drawn_rows(result)) == 0


# ---------------------------------------------------------------- the obvious


def waiting_graph(result: Compiled) -> nx.DiGraph:
    """Returns the atomic tasks with an edge to each from all that it waits for."""
    assert result.map is not None
    flat, graph = FlatDependencies(result.map), nx.DiGraph()
    graph.add_nodes_from(range(len(result.map.tasks)))
    for task, data in enumerate(result.map.data_dependencies):
        graph.add_edges_from((other, task) for other in (*flat.dependencies(task), *data))
    return graph


def tasks_of(result: Compiled, end: int) -> list[int]:
    """Returns the tasks of a node or a box."""
    assert result.map is not None
    found, every = drawn(result), range(len(result.map.tasks))
    if end >= len(result.map.tasks):
        return [task for task in every if result.map.nesting.contains(end, task)]
    return [task for task in every if found.node_of[task] == found.node_of[end]]


def drawn_rows(result: Compiled) -> dict[int, tuple[int, int]]:
    """Returns the first and the last row of each node and box."""
    found = drawn(result)
    rows = {node.task: (node.row, node.row) for node in found.nodes}
    return rows | {box.group: (box.first_row, box.last_row) for box in found.boxes}


def natural_rows(outline: Outline) -> dict[int, tuple[int, int]]:
    places = placed(outline, outline.members, [1] * outline.node_count)
    return {node: (places.rows[node], places.rows[node] + places.heights[node] - 1) for node in outline.top_down}


def crossings_of(outline: Outline, rows: dict[int, tuple[int, int]]) -> int:
    """Counts pair by pair: two edges into one stage cross when the rows of their ends are in opposite orders."""
    middle = {node: first + last for node, (first, last) in rows.items() if node != NONE}
    return sum(
        outline.first[one[1]] == outline.first[other[1]]
        and (middle[one[0]] - middle[other[0]]) * (middle[one[1]] - middle[other[1]]) < 0
        for one, other in combinations(outline.edges, 2)
    )
