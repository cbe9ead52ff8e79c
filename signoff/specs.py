"""What a task's spec asks for, read in one place: the runner finds workers by it, and workers do it."""

from __future__ import annotations

from signoff.glossary import COMMAND, MODEL
from signoff.v1 import plan_pb2


def executor_name(task: plan_pb2.TaskSpec) -> str:
    """The handler that executes a task."""
    if task.executor.name:
        return task.executor.name
    return COMMAND if task.executor.HasField("command") else MODEL


def criteria_to_judge(task: plan_pb2.TaskSpec) -> tuple[str, ...]:
    """The plan's criteria that no check decides, else its description of the validation, else the output itself.

    A plan that gives criteria, checks or a person's verdict needs nothing in their place.
    """
    validation = task.validation
    if validation.criteria:
        decided = {check.criterion for check in validation.checks}
        return tuple(text for number, text in enumerate(validation.criteria, 1) if number not in decided)
    if validation.description:
        return (validation.description,)
    stated = [check for check in validation.checks if not check.json_schema.from_format]
    return () if stated or validation.human else (output_criterion(task.output),)


def output_criterion(output: plan_pb2.TaskOutput) -> str:
    """The criterion of a task that states none: that the output is what the plan says it is."""
    described = output.description.strip().rstrip(".") or "what the task asks for"
    return f"The output is: {described}. Format: {output.format}" if output.format else f"The output is: {described}."
