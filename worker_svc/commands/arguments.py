"""Fills a plan's argv: placeholders become paths, and `python` becomes the worker's own.

    {task}  {inputs}  {candidate}  {input:NAME}     the path of task.json, of the folder of inputs, of a file
    {{task}}                                        the text {task}, and so for the others

Other braces stay: JSON and code stand in argv as they are.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence

from worker_svc.assignment import Assignment
from worker_svc.commands.folder import INPUTS, TASK, FolderContents

MAX_SHOWN = 120  # characters of a command in a message

_PYTHONS = frozenset({"python", "python3"})
_PLACEHOLDER = re.compile(
    r"\{\{(?P<literal>task|inputs|candidate|input:[^{}]+)\}\}"
    r"|\{(?:(?P<place>task|inputs|candidate)|input:(?P<input>[^{}]+))\}"
)


class BadCommand(Exception):
    """The plan's command cannot be run; the text says why."""


def arguments(argv: Sequence[str], assignment: Assignment, layout: FolderContents) -> tuple[str, ...]:
    """Returns the program and its arguments. Raises BadCommand."""
    if not argv or not argv[0]:
        raise BadCommand("expected a program and its arguments, but the plan names no program")

    def path(found: re.Match[str]) -> str:
        if (literal := found["literal"]) is not None:
            return f"{{{literal}}}"
        if found["input"] is not None:
            return _input_path(found["input"], assignment, layout)
        return _place(found["place"], layout)

    filled = [_PLACEHOLDER.sub(path, argument) for argument in argv]
    return (sys.executable if filled[0] in _PYTHONS else filled[0], *filled[1:])


def command_in_words(argv: Sequence[str]) -> str:
    """Returns the command as a person would type it, on one line, shortened."""
    typed = " ".join(shlex.join(argv).split())
    return f"`{typed if len(typed) <= MAX_SHOWN else typed[: MAX_SHOWN - 1] + '…'}`"


def _place(name: str, layout: FolderContents) -> str:
    if name == "candidate" and not layout.candidate:
        raise BadCommand("expected {candidate} in a check only: a task has none before it has run")
    return {"task": TASK, "inputs": INPUTS, "candidate": layout.candidate}[name]


def _input_path(name: str, assignment: Assignment, layout: FolderContents) -> str:
    path = layout.path_of(name)
    if path is None:
        there = ", ".join(artifact.name or artifact.task_id for artifact, _ in layout.inputs) or "nothing"
        omitted = [f" ({left.name} was left out: {left.reason})" for left in assignment.omitted if left.name == name]
        raise BadCommand(f"expected an input named {name}, but the task receives {there}{''.join(omitted)}")
    return path
