"""Places in plan.json as paths, such as "tasks[3].input.artifacts[0]"."""

from __future__ import annotations

import re

from planner_svc.diagnostics import WHOLE_PLAN

_MAX_STEP = 64  # characters of a key that may stand in a path
_MAX_PATH = 500  # a longer path is cut: it travels in every diagnostic
_TASK = re.compile(r"tasks\[(\d+)\]")


def field_of(place: str, name: str) -> str:
    """Returns the path of a field; the path of its object when the name cannot be a step of a path."""
    if not name or len(name) > _MAX_STEP or not name.isprintable() or any(mark in name for mark in ".[]"):
        return place
    if len(place) > _MAX_PATH:
        return place
    return f"{place}.{name}" if place else name


def entry_of(place: str, number: int) -> str:
    """Returns the path of an entry of a list."""
    return place if len(place) > _MAX_PATH else f"{place}[{number}]"


def position_of(place: str) -> int:
    """Returns the index of the task that a path leads into."""
    task = _TASK.match(place)
    return int(task[1]) if task is not None else WHOLE_PLAN
