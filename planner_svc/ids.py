"""Ids: the parent of a task by the shape of its id, and the natural order.

Natural order reads digits as numbers: 1 < 1_1 < 1_2 < 1_10 < 2, and digits come before letters.
"""

from __future__ import annotations

import re
from functools import lru_cache

ROOT = "0"  # the parent of every id without "_"; a plan need not contain it

_NUMERIC = re.compile(r"[0-9]+(_[0-9]+)*")
_LETTERS_FIRST = 200  # above the mark of the longest number, which has 128 digits


def is_numeric(task_id: str) -> bool:
    """Tells whether the id is a path of numbers such as "1_2_3": only such a shape surely means a place in the tree."""
    return _NUMERIC.fullmatch(task_id) is not None


def parent_by_shape(task_id: str) -> str:
    """Returns the parent's id: "1_2" of "1_2_3", "0" of "1"; the empty string of "0", which has no parent."""
    head = task_id.rpartition("_")[0]
    if head:
        return head
    return "" if task_id == ROOT else ROOT


def natural_key(task_id: str) -> str:
    """Returns a key that sorts ids in natural order; distinct ids have distinct keys."""
    return "".join(map(_part_key, task_id.split("_"))) + "\x00" + task_id


@lru_cache(maxsize=1 << 16)
def _part_key(part: str) -> str:
    """Puts its length before a number, so that 2 comes before 10, and the least character behind a word."""
    if part.isdigit():
        digits = part.lstrip("0")
        return chr(1 + len(digits)) + digits
    return chr(_LETTERS_FIRST) + part + "\x00"
