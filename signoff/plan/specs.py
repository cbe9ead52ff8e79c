"""The handler, criteria and checks of a task's spec, read in one place for runner and workers."""

from __future__ import annotations

from collections.abc import Sequence

from signoff.plan.glossary import COMMAND, MODEL
from signoff.v1 import plan_pb2


def executor_name(task: plan_pb2.TaskSpec) -> str:
    """Returns the name of the handler that executes a task."""
    if task.executor.name:
        return task.executor.name
    return COMMAND if task.executor.HasField("command") else MODEL


def criteria_of(task: plan_pb2.TaskSpec) -> Sequence[str]:
    """Returns the plan's criteria, else its description of the validation, else a criterion about the output itself.

    A plan that gives checks or asks for a person's verdict needs no criterion about the output.
    """
    validation = task.validation
    if validation.criteria:
        return validation.criteria
    if validation.description:
        return (validation.description,)
    stated = [check for check in validation.checks if not check.json_schema.from_format]
    return () if stated or validation.human else (output_criterion(task.output),)


def criteria_to_judge(task: plan_pb2.TaskSpec) -> tuple[tuple[int, str], ...]:
    """Returns the criteria that no check decides, each with its number from 1."""
    decided = {check.criterion for check in task.validation.checks} if task.validation.criteria else ()
    return tuple((number, text) for number, text in enumerate(criteria_of(task), 1) if number not in decided)


def own_checks(task: plan_pb2.TaskSpec) -> tuple[int, ...]:
    """Returns the numbers from 1 of the checks that no criterion stands for."""
    count = len(task.validation.criteria)
    return tuple(n for n, check in enumerate(task.validation.checks, 1) if not 1 <= check.criterion <= count)


def output_criterion(output: plan_pb2.TaskOutput) -> str:
    """Returns the criterion of a task that states none: that the output is what the plan says it is."""
    described = output.description.strip().rstrip(".") or "what the task asks for"
    return f"The output is: {described}. Format: {output.format}" if output.format else f"The output is: {described}."
