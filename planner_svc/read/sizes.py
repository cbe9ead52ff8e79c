"""The size of a task on the wire, estimated without writing it, and never too low."""

from __future__ import annotations

from collections.abc import Iterator

from planner_svc.model import ExecutorSpec, Task, Validation

MAX_TEXT_BYTES = 1 << 20  # of one text; two of them still fit in a task
MAX_TASK_BYTES = 2 << 20  # of all texts of a task: with what it waits for it must fit in one frame of 4 MiB

BYTES_AN_ENTRY = 8  # of an entry of a list besides its text, at most
BYTES_A_CHECK = (
    48  # of a check, a column or a canary besides its texts, at most: its numbers, and the messages around them
)
MOST_BYTES_A_CHARACTER = 4  # in UTF-8

SURELY_SHORT = MAX_TEXT_BYTES // MOST_BYTES_A_CHARACTER  # characters: a text of so many is short enough in any script
SURELY_FEW = (MAX_TASK_BYTES - MAX_TEXT_BYTES) // BYTES_AN_ENTRY  # texts: so many short ones fit in a task


def size_beyond(task: Task, most: int) -> int:
    """Returns the bytes of a task when they are more than `most`, else 0."""
    texts = list(_texts_of(task))
    validation = task.validation or Validation()
    parts = sum(check.parts for check in validation.checks) + len(validation.canaries)
    around = len(texts) * BYTES_AN_ENTRY + parts * BYTES_A_CHECK
    if sum(map(len, texts)) * MOST_BYTES_A_CHARACTER + around <= most:
        return 0
    size = sum(len(text.encode()) for text in texts) + around
    return size if size > most else 0


def _texts_of(task: Task) -> Iterator[str]:
    """Yields every text that goes on the wire with the task."""
    yield task.description
    if task.input is not None:
        yield task.input.description
        yield task.input.parameters_json
        yield from task.input.artifacts
    if task.output is not None:
        yield task.output.description
        yield task.output.artifact
        yield task.output.format
        yield from task.output.files
    if task.validation is not None:
        yield from _texts_of_validation(task.validation)
    if task.executor is not None:
        yield from _texts_of_executor(task.executor)


def _texts_of_validation(validation: Validation) -> Iterator[str]:
    yield validation.description
    yield from validation.criteria
    for check in validation.checks:
        yield check.file
        yield from check.texts
    for canary in validation.canaries:
        yield canary.candidate
    if validation.judge is not None:
        yield validation.judge.model
        for label in validation.judge.labels:
            yield from label


def _texts_of_executor(executor: ExecutorSpec) -> Iterator[str]:
    yield executor.name
    yield executor.model
    yield from executor.escalation
    for label in executor.labels:
        yield from label
    if executor.command is not None:
        yield from executor.command.argv
