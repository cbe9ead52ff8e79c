"""What ids of plans and tasks are made of. They name folders, so whoever takes one in looks at it."""

from __future__ import annotations

import re

ID_RULE = 'letters, digits and "_", at most 128 characters'
PLAN_ID_RULE = 'letters, digits, "_" and "-", at most 128 characters'

_TASK_ID = re.compile(r"[A-Za-z0-9_]{1,128}")
_PLAN_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


def is_task_id(text: str) -> bool:
    """Tells whether a text can be the id of a task."""
    return _TASK_ID.fullmatch(text) is not None


def is_plan_id(text: str) -> bool:
    """Tells whether a text can be the id of a plan: no separators, no dots, not too long."""
    return _PLAN_ID.fullmatch(text) is not None
