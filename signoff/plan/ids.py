"""The rules for ids of plans and tasks. They name folders, so every service checks the ids it receives."""

from __future__ import annotations

import re

from signoff.bounds import FORMS
from signoff.v1 import bounds_pb2

_LETTERS, _MANY, ID_RULE = FORMS[bounds_pb2.FORM_TASK_ID]
_TASK_ID = re.compile(_LETTERS + _MANY)
_LETTERS, _MANY, PLAN_ID_RULE = FORMS[bounds_pb2.FORM_PLAN_ID]
_PLAN_ID = re.compile(_LETTERS + _MANY)


def is_task_id(text: str) -> bool:
    """Tells whether a text can be the id of a task."""
    return bool(text) and _TASK_ID.fullmatch(text) is not None


def is_plan_id(text: str) -> bool:
    """Tells whether a text can be the id of a plan: no separators, no dots, not too long."""
    return bool(text) and _PLAN_ID.fullmatch(text) is not None
