"""Draws the table of transitions in runner_svc/core/model/states.py as a diagram in Mermaid's language."""

from __future__ import annotations

import re
from collections import defaultdict

from runner_svc.core.model.states import TRANSITIONS, TaskStatus

_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def diagram() -> str:
    """Returns the diagram: one arrow for each pair of statuses, with the events that move a task along it."""
    arrows = defaultdict(list)
    for before, moves in TRANSITIONS.items():
        for event, after in moves.items():
            if after != before:
                arrows[TaskStatus(before), after].append(_words(event.__name__))
    drawn = [f"    {_node(a)} --> {_node(b)}: {', '.join(events)}" for (a, b), events in arrows.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", "    [*] --> undone", *drawn, "```"])


def _node(status: TaskStatus) -> str:
    return status.name.lower()


def _words(name: str) -> str:
    """Returns "task rolled back" for "TaskRolledBack"."""
    return _WORDS.sub(" ", name).lower()
