"""Finds names that are nearly the same: `taskId` and `task_id`, `max_charss` and `max_chars`."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONG = 10  # characters of a name from which on two edits are still a slip; "executed" is no slip of "executor"
_PUNCTUATION = re.compile(r"[\W_]+")


def folded(name: str) -> str:
    """Returns a name in lower case and without punctuation: "dependsOn" and "depends-on" become the same."""
    return _PUNCTUATION.sub("", name).casefold()


def closest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Returns the known names that are nearest, when they are near; several when they are equally near."""
    found, least = list[str](), 3
    for other in known:
        edits = edits_between(name, other)
        if edits < least:
            found, least = [other], edits
        elif edits == least < 3:
            found.append(other)
    return tuple(found)


def edits_between(name: str, other: str) -> int:
    """Counts the characters that are inserted, left out, changed or swapped; 3 stands for names that are not near.

    Two edits are near only between long names.
    """
    one, two = folded(name), folded(other)
    most = 2 if min(len(one), len(two)) >= LONG else 1
    if abs(len(one) - len(two)) > most or not (one and two):
        return 3
    edits = _distance(one, two)
    return edits if edits <= most else 3


def _distance(one: str, two: str) -> int:
    """Counts the edits, a swap of neighbours as one (optimal string alignment)."""
    before, row = [0] * (len(two) + 1), list(range(len(two) + 1))
    for i, a in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, b in enumerate(two, 1):
            edits = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == two[j - 2] and one[i - 2] == b:
                edits = min(edits, earlier[j - 2] + 1)
            row.append(edits)
    return row[-1]
