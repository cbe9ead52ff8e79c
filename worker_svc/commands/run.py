"""Runs one command in its own folder: the same for commands that make candidates and those that check them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from worker_svc.assignment import Assignment
from worker_svc.commands.arguments import arguments
from worker_svc.commands.folder import INPUTS, OUTPUTS, TASK, attempt_folder, layout_of
from worker_svc.commands.process import Ended, Process, Program, Sink

DEFAULT_MEMORY = 2 * 1024**3


async def run(
    argv: Sequence[str],
    assignment: Assignment,
    out: Sink,
    err: Sink | None = None,
    *,
    base: Path | None = None,
    memory_bytes: int = DEFAULT_MEMORY,
) -> Ended:
    """Runs a command to its end, and removes its folder in any case. Raises as `ran` does."""
    async with ran(argv, assignment, out, err, base=base, memory_bytes=memory_bytes) as (ended, _):
        return ended


@asynccontextmanager
async def ran(
    argv: Sequence[str],
    assignment: Assignment,
    out: Sink,
    err: Sink | None = None,
    *,
    base: Path | None = None,
    memory_bytes: int = DEFAULT_MEMORY,
) -> AsyncIterator[tuple[Ended, Path]]:
    """Runs a command to its end. Yields how it ended, and its folder, which is removed at the end of the block.

    Raises BadCommand when the plan's command makes no sense, and OSError when this machine cannot run it now.
    """
    layout = layout_of(assignment)
    filled = arguments(argv, assignment, layout)
    async with attempt_folder(layout, base) as folder:
        program = Program(
            argv=filled,
            folder=folder,
            stdin=folder / layout.stdin if layout.stdin else None,
            environment=environment(assignment, folder, os.environ),
            memory_bytes=memory_bytes,
        )
        yield await Process(program, out, err).ended(), folder


def environment(assignment: Assignment, folder: Path, own: Mapping[str, str]) -> Mapping[str, str]:
    """Returns a program's whole environment. Only PATH comes from the worker's own."""
    outputs = {"SIGNOFF_OUTPUTS": str(folder / OUTPUTS)} if assignment.task.output.files else {}
    return {
        "PATH": own.get("PATH", os.defpath),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",  # the same order and the same encoding everywhere
        "SIGNOFF_PLAN_ID": assignment.plan_id,
        "SIGNOFF_TASK_ID": assignment.task.task_id,
        "SIGNOFF_ATTEMPT": str(assignment.attempt),
        "SIGNOFF_INPUTS": str(folder / INPUTS),
        "SIGNOFF_TASK": str(folder / TASK),
        **(outputs if assignment.candidate is None else {}),
    }
