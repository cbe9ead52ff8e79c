"""Notes for the author of a plan: the formats and criteria from which the compiler made checks."""

from __future__ import annotations

from collections.abc import Iterator

from planner_svc.checks.kinds import JsonSchemaCheck
from planner_svc.diagnostics import SHOWN_CHARS
from planner_svc.execution_map import ExecutionMap
from planner_svc.wire.checks import check_to_proto
from signoff.plan.describe_check import describe_check


def notes(execution_map: ExecutionMap) -> Iterator[str]:
    """Yields a sentence for each check that was made from a format or a criterion, in the order of the map."""
    for task in execution_map.tasks:
        for check in task.validation.checks if task.validation is not None else ():
            if isinstance(check, JsonSchemaCheck) and check.from_format and task.output is not None:
                description = describe_check(check_to_proto(check))
                yield f'{task.task_id} format "{one_line(task.output.format)}" is checked by code: {description}'
            elif check.criterion and task.validation is not None:
                criterion = one_line(task.validation.criteria[check.criterion - 1])
                description = describe_check(check_to_proto(check))
                yield f'{task.task_id} criterion {check.criterion} "{criterion}" is checked by code: {description}'


def one_line(text: str) -> str:
    """Puts a text on one line, and shortens it."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_CHARS else f"{line[:SHOWN_CHARS]}…"
