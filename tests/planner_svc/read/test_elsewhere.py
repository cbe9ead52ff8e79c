"""Lists of tasks as other tools write them: one compile names everything that is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from planner_svc.compiler import Compiled, compile_plan
from tests.support.values.trees import waits

FOLDER = Path(__file__).parent / "elsewhere"
WORK: dict[str, Any] = {"input": {}, "output": {}, "validation": {"human": True}}
RENAMED = {
    "taskmaster": {"id": "task_id"},
    "tracker": {"key": "task_id", "summary": "description", "blocked_by": "dependencies", "issues": "tasks"},
    "crew": {"name": "task_id", "context_ids": "dependencies"},
    "graph": {"id": "task_id", "depends_on": "dependencies", "nodes": "tasks"},
    "agents": {
        "goal": "idea",
        "id": "task_id",
        "instructions": "description",
        "needs": "dependencies",
        "steps": "tasks",
    },
}


def plan_of(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def compiled_plan(plan: Any) -> Compiled:
    return compile_plan(json.dumps(plan).encode())


def codes_and_names(result: Compiled) -> set[tuple[str, str]]:
    """Returns the codes, and the names that are asked for or ignored."""
    return {
        (found.code, found.message.partition("did you mean ")[2].rstrip("?") or found.path.rpartition(".")[2])
        for found in result.diagnostics
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "taskmaster",
            {("misspelt-field", "task_id"), ("unknown-field", "testStrategy"), ("wrong-type", "task_id")},
        ),
        (
            "tracker",
            {("misspelt-field", right) for right in ("task_id", "description", "dependencies", "tasks")}
            | {("bad-id", "task_id")},
        ),
        ("crew", {("misspelt-field", "task_id"), ("misspelt-field", "output.description"), ("unknown-field", "agent")}),
        (
            "graph",
            {
                ("misspelt-field", right)
                for right in ("task_id", "dependencies", "tasks", "the dependencies of each task")
            },
        ),
        (
            "agents",
            {("misspelt-field", right) for right in ("task_id", "description", "dependencies", "tasks")}
            | {("misspelt-field", "idea"), ("unknown-field", "speaker")},
        ),
    ],
)
def test_a_list_from_elsewhere_is_told_the_right_names(name: str, expected: set[tuple[str, str]]) -> None:
    result = compiled_plan(plan_of(name))

    assert not result.ok
    assert expected <= codes_and_names(result)
    assert codes_and_names(result) - expected <= {("no-atomic-task", "tasks"), ("wrong-type", "dependencies[0]")}


def put_right(raw: Any, names: dict[str, str]) -> Any:
    if isinstance(raw, list):
        return [put_right(entry, names) for entry in raw]
    if isinstance(raw, dict):
        return {names.get(name, name): put_right(value, names) for name, value in raw.items()}
    return raw


@pytest.mark.parametrize("name", ["taskmaster", "tracker", "graph", "agents"])
def test_it_compiles_without_a_warning_that_means_nothing_once_that_is_done(name: str) -> None:
    plan = put_right(plan_of(name), RENAMED[name])
    plan.pop("edges", None)
    for task in plan["tasks"]:
        task |= {**WORK, "task_id": str(task["task_id"]).replace("-", "_")}
        task["dependencies"] = [str(other).replace("-", "_") for other in task.get("dependencies", [])]

    result = compiled_plan(plan)

    assert result.ok, result.diagnostics
    assert {found.code for found in result.diagnostics} <= {"unknown-field"}
    assert {task: [*others] for task, others in waits(result).items()} == {
        task["task_id"]: sorted(task["dependencies"]) for task in plan["tasks"]
    }


def test_a_plain_list_is_told_where_it_belongs() -> None:
    (found,) = compiled_plan([{"task_id": "1"}]).diagnostics

    assert (
        found.message == "plan.json: expected an object with idea and tasks, but got a list: put the list under tasks"
    )


# ---------------------------------------------------------------- ids that only look nested


def atomic(task_id: str, *dependencies: str, **fields: Any) -> dict[str, Any]:
    return {**WORK, "task_id": task_id, "dependencies": [*dependencies], **fields}


def assert_waits(tasks: list[Any], expected: dict[str, list[str]]) -> None:
    """Checks that the tasks compile without a diagnostic, and that each waits for exactly the expected tasks."""
    result = compiled_plan({"idea": "a list", "tasks": tasks})

    assert result.diagnostics == ()
    assert waits(result) == expected


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ([atomic("draft"), atomic("draft_check", "draft")], {"draft": [], "draft_check": ["draft"]}),
        ([atomic("draft", "draft_notes"), atomic("draft_notes")], {"draft": ["draft_notes"], "draft_notes": []}),
        (
            [atomic("fix"), atomic("fix_test", "fix_plan"), atomic("fix_plan", "fix")],
            {"fix": [], "fix_plan": ["fix"], "fix_test": ["fix_plan"]},
        ),
        ([atomic("1_1"), atomic("1_2", "1_1"), atomic("7_4_2")], {"1_1": [], "1_2": ["1_1"], "7_4_2": []}),
        ([atomic("2024_05"), atomic("2024_06", "2024_05")], {"2024_05": [], "2024_06": ["2024_05"]}),
        ([atomic("0"), atomic("1", "0"), atomic("2", "0", "1")], {"0": [], "1": ["0"], "2": ["0", "1"]}),
        ([atomic("1", "0"), atomic("2", "1", "0", parent_id="0")], {"1": [], "2": ["1"]}),
        (
            [atomic("a", parent_id="0"), atomic("a_b", "a", parent_id="0"), atomic("0")],
            {"0": [], "a": [], "a_b": ["a"]},
        ),
    ],
)
def test_lists_whose_ids_only_look_nested_compile_without_a_word(
    tasks: list[Any], expected: dict[str, list[str]]
) -> None:
    assert_waits(tasks, expected)


@pytest.mark.guard(name="an atomic task is waited for")
@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ([atomic("3"), atomic("3_1", "3"), atomic("3_2", "3_1")], {"3": [], "3_1": ["3"], "3_2": ["3_1"]}),
        ([atomic("3", "3_1"), atomic("3_1")], {"3": ["3_1"], "3_1": []}),
        ([atomic("up"), atomic("mine", "up", parent_id="up")], {"mine": ["up"], "up": []}),
    ],
)
def test_an_atomic_task_is_no_group_also_where_something_lies_below_it(
    tasks: list[Any], expected: dict[str, list[str]]
) -> None:
    assert_waits(tasks, expected)


@pytest.mark.guard(name="ids that only look nested")
def test_what_a_task_waits_for_is_not_handed_on_to_those_whose_ids_only_look_like_parts_of_it() -> None:
    tasks = [atomic("page_style"), atomic("text", "page_style"), atomic("page", "text")]

    assert_waits(tasks, {"page": ["text"], "page_style": [], "text": ["page_style"]})


def test_what_lies_below_an_atomic_task_does_not_wait_for_its_siblings_because_that_task_does() -> None:
    tasks = [atomic("2"), atomic("4", "2", "4_1", "4_2"), atomic("4_1"), atomic("4_2")]

    assert_waits(tasks, {"2": [], "4": ["2", "4_1", "4_2"], "4_1": ["2"], "4_2": ["2"]})
