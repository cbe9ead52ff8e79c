"""The rules of a plan: the code, the tasks and the place that each reports."""

from __future__ import annotations

from typing import Any

import pytest

from planner_svc.compiler import Compiled
from planner_svc.diagnostics import LIMIT, MOST_TASK_IDS, Diagnostic, Severity
from tests.support.values.trees import atomic, codes, compiled, group, stages, waits


def found(result: Compiled, code: str) -> list[Diagnostic]:
    return [diagnostic for diagnostic in result.diagnostics if diagnostic.code == code]


def the(result: Compiled, code: str) -> Diagnostic:
    (diagnostic,) = found(result, code)
    return diagnostic


def test_two_tasks_with_one_id_are_an_error_at_the_second() -> None:
    result = compiled(atomic("1"), atomic("2"), atomic("1"))

    assert not result.ok
    assert the(result, "duplicate-id").path == "tasks[2].task_id"
    assert the(result, "duplicate-id").task_ids == ("1",)


@pytest.mark.parametrize("task_id", ["", "a b", "../x", "/etc/passwd", "a\x00b", "x" * 129, "ä", "1-2", "a.b", "1\n"])
def test_an_id_of_other_characters_or_too_long_is_an_error(task_id: str) -> None:
    result = compiled(atomic("1"), atomic(task_id))

    assert not result.ok
    assert the(result, "bad-id").path == "tasks[1].task_id"
    assert len(the(result, "bad-id").message) < 300


def test_an_id_of_128_characters_is_fine() -> None:
    assert compiled(atomic("x" * 128)).ok


def test_a_dependency_on_a_task_that_is_not_there_is_an_error_with_its_place() -> None:
    result = compiled(atomic("1"), atomic("2", "1", "7"))

    assert not result.ok
    assert the(result, "unknown-dependency").path == "tasks[1].dependencies[1]"
    assert the(result, "unknown-dependency").task_ids == ("2", "7")


def test_a_dependency_on_an_ancestor_or_a_descendant_is_ignored_with_a_warning() -> None:
    result = compiled(group("1", "1_1"), atomic("1_1", "1"), atomic("1_2", "0"))

    assert the(result, "own-ancestor").task_ids == ("1", "1_1")
    assert the(result, "own-ancestor").message == (
        "1 depends on 1_1, which lies below it (and 1_1 on such tasks): ignored, it repeats the tree"
    )
    assert waits(result) == {"1_1": [], "1_2": []}


def test_a_dependency_on_a_group_waits_for_all_of_it_and_is_inherited() -> None:
    result = compiled(group("1"), atomic("1_1"), group("2", "1"), atomic("2_1"), atomic("2_2", "2_1"))

    assert waits(result) == {"1_1": [], "2_1": ["1"], "2_2": ["2_1", "1"]}
    assert stages(result) == {"1_1": 1, "2_1": 2, "2_2": 3}


def test_an_atomic_task_with_tasks_below_it_passes_on_what_it_waits_for_but_is_not_a_group() -> None:
    result = compiled(atomic("1"), atomic("2", "1"), atomic("2_1"), atomic("3", "2"))

    assert waits(result) == {"1": [], "2": ["1"], "2_1": ["1"], "3": ["2"]}
    assert result.map is not None
    assert result.map.groups == []


def test_a_dependency_that_sinks_to_nothing_is_a_warning() -> None:
    result = compiled(group("1"), group("1_1"), atomic("2", "1"))

    assert result.ok
    assert the(result, "empty-dependency").task_ids == ("2", "1")


def test_a_leaf_without_input_or_output_can_never_run() -> None:
    result = compiled(group("1"), {"task_id": "2", "input": {}}, atomic("3"))

    assert [diagnostic.task_ids for diagnostic in found(result, "never-runs")] == [("1",), ("2",)]
    assert "no output and no tasks below" in found(result, "never-runs")[1].message
    assert "no input and output" in found(result, "never-runs")[0].message


@pytest.mark.guard(name="a task that is meant to run can run")
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"output": {"artifact": "x"}}, "2 has an output, but can never run: it has no input and no tasks below it"),
        ({"executor": "fetch"}, "2 has an executor, but can never run: it has no input and output and no tasks below"),
        (
            {"input": {}, "validation": {"human": True}},
            "2 has a validation, but can never run: it has no output and no tasks below it",
        ),
        ({"executor": "fetch", "output": {}, "validation": {}}, "2 has an executor, an output and a validation, but"),
    ],
)
def test_a_leaf_that_says_how_it_is_done_and_cannot_run_is_an_error(fields: dict[str, Any], message: str) -> None:
    result = compiled(atomic("1"), group("2", **fields))

    assert not result.ok
    assert (the(result, "cannot-run").path, the(result, "cannot-run").task_ids) == ("tasks[1]", ("2",))
    assert the(result, "cannot-run").message.startswith(message)
    assert codes(result) == {"cannot-run"}


def test_a_group_with_tasks_below_it_may_say_what_it_likes() -> None:
    result = compiled(group("2", output={"artifact": "all of it"}, validation={"human": True}), atomic("2_1"))

    assert codes(result) == set()


@pytest.mark.parametrize("tasks", [[], [group("1")], [group("1"), group("1_1", "1")]])
def test_a_plan_without_an_atomic_task_is_an_error(tasks: list[Any]) -> None:
    assert the(compiled(*tasks), "no-atomic-task").severity is Severity.ERROR
    assert codes(compiled(*tasks)) == {"no-atomic-task"}


def test_a_task_without_criteria_and_checks_is_a_warning() -> None:
    judged = atomic("1", validation={"criteria": ["is short"]})
    checked = atomic("2", validation={"checks": [{"type": "json"}]})
    empty = atomic("3", validation={"description": "good", "criteria": [], "checks": []})

    result = compiled(judged, checked, empty, atomic("4"))

    assert [diagnostic.task_ids for diagnostic in found(result, "no-criteria")] == [("3", "4")]


# ---------------------------------------------------------------- parents


def test_a_missing_parent_is_a_warning_and_the_nearest_ancestor_takes_its_place() -> None:
    result = compiled(group("1", "2"), atomic("1_2_3"), atomic("2"))

    assert the(result, "missing-parent").task_ids == ("1_2_3",)
    assert waits(result)["1_2_3"] == ["2"]


def test_numbers_with_nothing_above_them_are_a_list_and_lack_no_parent() -> None:
    assert codes(compiled(atomic("1_1"), atomic("1_2"), atomic("4_7_1"))) == set()
    assert codes(compiled(atomic("a", parent_id="0"), atomic("7_1", parent_id="0"))) == set()


def test_ids_with_words_and_the_implied_root_need_no_parents() -> None:
    assert codes(compiled(atomic("fetch_data"), atomic("1"), atomic("report"))) == set()


def test_an_explicit_parent_wins_over_the_shape() -> None:
    result = compiled(group("all", "setup"), atomic("1_1", parent_id="all"), group("1"), atomic("setup"))

    assert waits(result)["1_1"] == ["setup"]


def test_an_explicit_parent_that_is_not_there_is_a_warning() -> None:
    result = compiled(atomic("a", parent_id="nowhere"))

    assert result.ok
    assert the(result, "missing-parent").path == "tasks[0].parent_id"


def test_tasks_below_themselves_are_an_error_that_names_the_circle() -> None:
    result = compiled(atomic("a", parent_id="b"), atomic("b", parent_id="a"), atomic("c", parent_id="c"), atomic("d"))

    assert [diagnostic.task_ids for diagnostic in found(result, "parent-cycle")] == [("a", "b"), ("c",)]
    assert "a -> b -> a" in found(result, "parent-cycle")[0].message


# ---------------------------------------------------------------- cycles


def test_a_cycle_is_named_as_a_closed_path() -> None:
    result = compiled(atomic("a", "b"), atomic("b", "c"), atomic("c", "a"), atomic("d", "a"))

    assert the(result, "cycle").task_ids == ("a", "b", "c")
    assert the(result, "cycle").message.startswith("a -> b -> c -> a: a waits for b; b waits for c; c waits for a")


def test_a_cycle_through_groups_says_why() -> None:
    result = compiled(group("1", "2"), atomic("1_1"), group("2"), atomic("2_1", "1_1"))

    assert the(result, "cycle").message == (
        "1_1 -> 2 -> 2_1 -> 1_1: 1_1 waits for 2, as all of 1 does; 2 is finished when 2_1 is; 2_1 waits for 1_1"
    )


def test_a_task_that_depends_on_itself_is_a_cycle() -> None:
    assert the(compiled(atomic("a", "a")), "cycle").message.startswith("a -> a:")


def test_every_knot_is_reported_once() -> None:
    result = compiled(atomic("a", "b"), atomic("b", "a"), atomic("x", "y"), atomic("y", "x"), atomic("z", "a", "x"))

    assert [diagnostic.task_ids for diagnostic in found(result, "cycle")] == [("a", "b"), ("x", "y")]


def test_a_long_cycle_has_a_readable_message() -> None:
    result = compiled(*(atomic(f"t{n}", f"t{(n + 1) % 5_000}") for n in range(5_000)))

    assert the(result, "cycle").task_ids == tuple(f"t{n}" for n in range(MOST_TASK_IDS))
    assert len(the(result, "cycle").message) < 3_000


# ---------------------------------------------------------------- reporting


def test_all_problems_are_reported_at_once_in_the_order_of_the_plan() -> None:
    result = compiled(
        atomic("1", "nope"),
        atomic("2", reads=("ghost",)),
        atomic("a b"),
        {"task_id": 7},
        atomic("3", "4"),
        atomic("4", "3"),
    )

    errors = [diagnostic.code for diagnostic in result.diagnostics if diagnostic.severity is Severity.ERROR]
    assert errors == ["unknown-dependency", "bad-id", "wrong-type", "cycle"]
    assert "no-producer" in codes(result)


def test_of_one_code_at_most_a_thousand_are_reported_and_the_rest_counted() -> None:
    result = compiled(*(atomic(f"{n}", "nope") for n in range(LIMIT + 5)))

    reported = found(result, "unknown-dependency")
    assert len(reported) == LIMIT + 1
    assert reported[-1].message == "5 more of unknown-dependency were left out"
