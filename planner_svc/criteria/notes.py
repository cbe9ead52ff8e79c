"""Tells what is no problem: which formats and criteria in words the compiler made checks of."""

from __future__ import annotations

from collections.abc import Iterator

from planner_svc.diagnostics import SHOWN_CHARS
from planner_svc.execution_map import ExecutionMap
from planner_svc.model import JsonSchemaCheck
from planner_svc.wire.checks import check_to_proto
from signoff.plan.describe_check import describe_check


def notes(execution_map: ExecutionMap) -> Iterator[str]:
    """One sentence for each check that was made from a format or a criterion, in the order of the map."""
    for task in execution_map.tasks:
        for check in task.validation.checks if task.validation is not None else ():
            if isinstance(check, JsonSchemaCheck) and check.from_format and task.output is not None:
                words = describe_check(check_to_proto(check))
                yield f'{task.task_id} format "{shown(task.output.format)}" is checked by code: {words}'
            elif check.criterion and task.validation is not None:
                criterion = shown(task.validation.criteria[check.criterion - 1])
                words = describe_check(check_to_proto(check))
                yield f'{task.task_id} criterion {check.criterion} "{criterion}" is checked by code: {words}'


def shown(text: str) -> str:
    """On one line, and short."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_CHARS else f"{line[:SHOWN_CHARS]}…"
