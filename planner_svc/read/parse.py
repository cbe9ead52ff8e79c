"""Reads plan.json into a Plan. Every mistake is reported with its path, and reading goes on.

The readers are written by hand, without a library for models, because a plan may have millions of tasks and all of its
mistakes are to be named.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jiter import from_json

from planner_svc.diagnostics import Diagnostics, described
from planner_svc.model import Plan, Task
from planner_svc.read.exact import ExactPlan
from planner_svc.read.plain_tasks import plain_task
from planner_svc.read.plan_inputs import inputs_from_json
from planner_svc.read.repeated_keys import report_repeated_keys
from planner_svc.read.task_reader import TaskReader
from planner_svc.read.vocabulary import PLAN
from signoff.plan.limits import MAX_JSON_DEPTH

MAX_TASKS = 5_000_000

_BOM = b"\xef\xbb\xbf"


def parse_plan(data: bytes, diagnostics: Diagnostics) -> Plan | None:
    """Reads a plan. Returns None when it is no object of JSON; never raises."""
    data = data.removeprefix(_BOM)
    try:
        raw = _json(data, diagnostics)
    except ValueError as error:
        diagnostics.add("not-json", _not_json(str(error)))
        return None
    if not isinstance(raw, dict):
        hint = ": put the list under tasks" if isinstance(raw, list) else ""
        diagnostics.add(
            "wrong-type", f"plan.json: expected an object with idea and tasks, but got {described(raw)}{hint}"
        )
        return None
    exact = ExactPlan(data)
    reader = TaskReader(diagnostics, exact)
    raw = reader.put_right(raw, PLAN)
    return Plan(
        idea=reader.text(raw, "idea"),
        on_failure=reader.on_failure(raw),
        inputs=inputs_from_json(raw.get("inputs"), exact, diagnostics),
        tasks=tuple(_tasks(raw, reader, diagnostics)),
        has_places=any(mark in data for mark in _MARKS_OF_PLACES),
    )


_MARKS_OF_PLACES = (b"{{", b"\\u007b", b"\\u007B")  # of `{{inputs.NAME}}`, as JSON may write it


def _json(data: bytes, diagnostics: Diagnostics) -> Any:
    """Parses JSON. Of a key that stands twice in one object it takes the last value, and reports an error."""
    try:
        # guard: a key stands once -> return from_json(data, allow_inf_nan=False)
        return from_json(data, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError as error:
        if not str(error).startswith(_PARSER_KEY_TWICE):
            raise
        raw = from_json(data, allow_inf_nan=False)
        report_repeated_keys(data, str(error), diagnostics)
        return raw


def _not_json(error: str) -> str:
    """Words the parser's error as a message: the parser does not say how deep is too deep."""
    if error.startswith(_PARSER_TOO_DEEP):
        place = error.removeprefix(_PARSER_TOO_DEEP).strip()
        return f"plan.json: expected lists and objects nested at most {MAX_JSON_DEPTH} deep, but got more {place}"
    return f"plan.json must be JSON in UTF-8: {error}"


_PARSER_TOO_DEEP = "recursion limit exceeded"
_PARSER_KEY_TWICE = "Detected duplicate key"


def _tasks(raw: dict[str, Any], reader: TaskReader, diagnostics: Diagnostics) -> Iterator[Task]:
    entries = raw.get("tasks")
    if not isinstance(entries, list):
        diagnostics.add("wrong-type", f"tasks: expected a list, but got {described(entries)}", path="tasks")
    elif len(entries) > MAX_TASKS:
        diagnostics.add(
            "too-many-tasks", f"tasks: expected at most {MAX_TASKS:,}, but got {len(entries):,}", path="tasks"
        )
    else:
        for position, entry in enumerate(entries):
            entries[position] = None  # a plan and its JSON need not be in memory together
            task = plain_task(entry, position) or reader.task(entry, position)
            if task is not None:
                yield task
