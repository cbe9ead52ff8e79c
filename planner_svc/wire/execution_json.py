"""execution.json: the execution map for people and other programs.

`form` says how dependencies are written. "dependencies": every task lists all atomic tasks it waits for. "waits_for":
only tasks and groups, as they were declared or inherited, because all pairs would be more than `MAX_PAIRS`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic_core import to_json

from planner_svc.checks.kinds import Check, JsonSchemaCheck
from planner_svc.checks.structured import check_to_json
from planner_svc.execution_map import ExecutionMap, FlatDependencies
from planner_svc.graph.nesting import NONE
from planner_svc.model import Task, TaskInput, TaskOutput, Validation
from planner_svc.read.plan_inputs import input_to_json
from planner_svc.read.specs import budget_to_json, executor_to_json, judge_to_json

MAX_PAIRS = 100_000
MAX_INDENTED = 1_000  # tasks: a larger file is for programs, and has one task a line
MAX_INDENTED_CHARS = 128 * 1024  # of parameters and schemas in all: a value 200 levels deep is indented by 400 spaces

_BATCH = 1_000  # entries written at a time


def execution_json(execution_map: ExecutionMap) -> bytes:
    return b"".join(execution_json_pieces(execution_map))


def execution_json_pieces(execution_map: ExecutionMap) -> Iterator[bytes]:
    """Yields the file in pieces, so that a large one need not be in memory as a whole."""
    flat = FlatDependencies(execution_map)
    written_out = flat.count_pairs() <= MAX_PAIRS
    head = {
        "plan_id": execution_map.plan_id,
        "idea": execution_map.idea,
        "map_digest": execution_map.digest,
        "form": "dependencies" if written_out else "waits_for",
        "stages": execution_map.stage_count,
        **({} if execution_map.on_failure is None else {"on_failure": execution_map.on_failure.value}),
        **({"inputs": dict(map(input_to_json, execution_map.inputs))} if execution_map.inputs else {}),
    }
    names = execution_map.names()
    tasks, groups = _tasks(execution_map, names, flat if written_out else None), _groups(execution_map, names)
    if _is_for_people(execution_map.tasks):
        whole = {**head, "tasks": list(tasks), "groups": list(groups)}
        yield json.dumps(whole, ensure_ascii=False, indent=2).encode() + b"\n"
        return
    yield _line(head)[:-1] + b",\n"
    yield from _list("tasks", tasks)
    yield b",\n"
    yield from _list("groups", groups)
    yield b"}\n"


def _is_for_people(tasks: Sequence[Task]) -> bool:
    """Tells whether the file is indented: it is small, and stays small when it is indented."""
    return len(tasks) <= MAX_INDENTED and sum(map(_json_chars, tasks)) <= MAX_INDENTED_CHARS


def _json_chars(task: Task) -> int:
    """Counts the characters of JSON in a task that may be nested."""
    schemas = (check.schema_json for check in _checks_of(task) if isinstance(check, JsonSchemaCheck))
    return sum(map(len, schemas)) + (len(task.input.parameters_json) if task.input is not None else 0)


def _checks_of(task: Task) -> Sequence[Check]:
    return task.validation.checks if task.validation is not None else ()


def _list(name: str, entries: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    yield f'"{name}":['.encode()
    between, lines = b"\n", []
    for entry in entries:
        lines.append(between + _line(entry))
        between = b",\n"
        if len(lines) == _BATCH:
            yield b"".join(lines)
            lines = []
    yield b"".join(lines) + b"\n]"


def _line(value: Mapping[str, Any]) -> bytes:
    return to_json(value)  # takes a quarter of the time of json.dumps


def _tasks(
    execution_map: ExecutionMap, names: Sequence[str], flat: FlatDependencies | None
) -> Iterator[dict[str, Any]]:
    waited_for = _NameLists(names)
    for node, task in enumerate(execution_map.tasks):
        entry: dict[str, Any] = {
            "task_id": task.task_id,
            "description": task.description,
            "stage": execution_map.stages[node],
            "status": "undone",
        }
        if flat is not None:
            entry["dependencies"] = [names[other] for other in flat.dependencies(node)]
        entry["waits_for"] = waited_for.names(execution_map.waits_for[node])
        entry["data_dependencies"] = [names[other] for other in execution_map.data_dependencies[node]]
        yield _with_content(entry, task)


class _NameLists:
    """Lists of node ids. Neighbouring tasks often wait for the same nodes, and share one list."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._last: Sequence[int] = ()
        self._shared: list[str] = []

    def names(self, nodes: Sequence[int]) -> list[str]:
        if nodes is not self._last:
            self._last, self._shared = nodes, [self._names[node] for node in nodes]
        return self._shared


def _with_content(entry: dict[str, Any], task: Task) -> dict[str, Any]:
    if task.input is not None:
        entry["input"] = _input(task.input)
    if task.output is not None:
        entry["output"] = _output(task.output)
    if task.validation is not None:
        entry["validation"] = _validation(task.validation)
    if task.executor is not None:
        entry["executor"] = executor_to_json(task.executor)
    if task.budget is not None:
        entry["budget"] = budget_to_json(task.budget)
    if task.on_failure is not None:
        entry["on_failure"] = task.on_failure.value
    return entry


def _groups(execution_map: ExecutionMap, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    parents = execution_map.parents[len(execution_map.tasks) :]
    for group, parent in zip(execution_map.groups, parents, strict=True):
        parent_id = "" if parent == NONE else names[parent]
        entry = {"task_id": group.task_id, "description": group.description, "parent_id": parent_id}
        yield entry if group.budget is None else {**entry, "budget": budget_to_json(group.budget)}


def _input(value: TaskInput) -> dict[str, Any]:
    entry: dict[str, Any] = {"description": value.description, "artifacts": list(value.artifacts)}
    if value.parameters_json:
        entry["parameters"] = json.loads(value.parameters_json)
    return {**entry, "with_dependencies": True} if value.with_dependencies else entry


def _output(value: TaskOutput) -> dict[str, Any]:
    entry: dict[str, Any] = {"description": value.description, "artifact": value.artifact, "format": value.format}
    return {**entry, "files": list(value.files)} if value.files else entry


def _validation(value: Validation) -> dict[str, Any]:
    checks = [check_to_json(check) for check in value.checks]
    entry: dict[str, Any] = {"description": value.description, "criteria": list(value.criteria), "checks": checks}
    if value.judge is not None:
        entry["judge"] = judge_to_json(value.judge)
    if value.human:
        entry["human"] = True
    if value.canaries:
        entry["canaries"] = [canary._asdict() for canary in value.canaries]
    return entry
