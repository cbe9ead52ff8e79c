"""The errors and warnings of the compiler: every code with its severity, and the collection of those found in a plan.

A code is stable and means one thing. All problems of a plan are reported, but at most `LIMIT` of one code.
"""

from __future__ import annotations

import enum
import itertools
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

LIMIT = 1_000  #: diagnostics of one code that are reported; one more says how many were left out
SHOWN_CHARS = 60  # of a value that is quoted in a message
SHOWN_TASKS = 10  # of a list of tasks in a message
MOST_TASK_IDS = 1_000  # of one diagnostic, which travels in one message
SHOWN_STEPS = 40  # of a cycle in a message

WHOLE_PLAN = sys.maxsize  # the place of a diagnostic that is about no single task: after all others


class Severity(enum.Enum):
    WARNING = "warning"  #: the plan compiles all the same
    ERROR = "error"  #: the plan does not compile


SEVERITIES: Mapping[str, Severity] = MappingProxyType(
    {
        "not-json": Severity.ERROR,
        "wrong-type": Severity.ERROR,
        "misspelt-field": Severity.ERROR,
        "repeated-key": Severity.ERROR,
        "text-too-long": Severity.ERROR,
        "task-too-large": Severity.ERROR,
        "too-many-tasks": Severity.ERROR,
        "too-many-dependencies": Severity.ERROR,
        "too-many-inputs": Severity.ERROR,
        "too-large": Severity.ERROR,
        "nested-too-deep": Severity.ERROR,
        "malformed-check": Severity.ERROR,
        "malformed-validation": Severity.ERROR,
        "malformed-output": Severity.ERROR,
        "files-by-model": Severity.ERROR,
        "malformed-executor": Severity.ERROR,
        "malformed-budget": Severity.ERROR,
        "malformed-on-failure": Severity.ERROR,
        "malformed-input": Severity.ERROR,
        "unknown-input": Severity.ERROR,
        "misplaced-input": Severity.ERROR,
        "bad-id": Severity.ERROR,
        "duplicate-id": Severity.ERROR,
        "parent-cycle": Severity.ERROR,
        "unknown-dependency": Severity.ERROR,
        "cycle": Severity.ERROR,
        "cannot-run": Severity.ERROR,
        "no-atomic-task": Severity.ERROR,
        "ambiguous-producer": Severity.ERROR,
        "unclear-format": Severity.WARNING,
        "unknown-field": Severity.WARNING,
        "missing-parent": Severity.WARNING,
        "own-ancestor": Severity.WARNING,
        "empty-dependency": Severity.WARNING,
        "never-runs": Severity.WARNING,
        "no-producer": Severity.WARNING,
        "producer-not-waited-for": Severity.WARNING,
        "data-cycle": Severity.WARNING,
        "no-criteria": Severity.WARNING,
        "unseen-files": Severity.WARNING,
        "executor-on-group": Severity.WARNING,
        "on-failure-on-group": Severity.WARNING,
        "unread-input": Severity.WARNING,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One error or warning about a plan."""

    code: str
    severity: Severity
    task_ids: tuple[str, ...]  #: in the order of the message; of very many only the first
    message: str  #: one sentence for a person
    path: str  #: place in plan.json, such as "tasks[3].input.artifacts[0]"; empty when it is about no single place


class Diagnostics:
    """Collects diagnostics while the plan is read and checked."""

    def __init__(self) -> None:
        self._found: list[tuple[int, Diagnostic]] = []
        self._counts: Counter[str] = Counter()

    def add(
        self, code: str, message: str, *, task_ids: Iterable[str] = (), path: str = "", position: int = WHOLE_PLAN
    ) -> None:
        """Adds a problem. `position` is the index in `tasks` of the task that it is about; it decides the order."""
        self._counts[code] += 1
        if self._counts[code] <= LIMIT:
            named = tuple(itertools.islice(task_ids, MOST_TASK_IDS))
            self._found.append((position, _diagnostic(code, message, named, path)))

    def left_out(self, code: str) -> bool:
        """Tells whether one more of a code is too many. It is counted then, and its message need not be made."""
        if self._counts[code] < LIMIT:
            return False
        self._counts[code] += 1
        return True

    def has(self, code: str) -> bool:
        """Tells whether something was reported under a code."""
        return self._counts[code] > 0

    @property
    def has_errors(self) -> bool:
        return any(SEVERITIES[code] is Severity.ERROR for code in self._counts)

    def in_order(self) -> tuple[Diagnostic, ...]:
        """Returns all of them in the order of the plan's tasks; those about the whole plan come last."""
        found = [diagnostic for _, diagnostic in sorted(self._found, key=lambda entry: entry[0])]
        for code, count in self._counts.items():
            if count > LIMIT:
                found.append(_diagnostic(code, f"{count - LIMIT:,} more of {code} were left out", (), ""))
        return tuple(found)


def _diagnostic(code: str, message: str, task_ids: tuple[str, ...], path: str) -> Diagnostic:
    return Diagnostic(code=code, severity=SEVERITIES[code], task_ids=task_ids, message=message, path=path)


_JSON_NAMES = {bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "an object"}


def described(value: object) -> str:
    """Describes a value of plan.json for a message: quotes a text in short, names the type of anything else."""
    if value is None:
        return "nothing"
    return quoted(value) if isinstance(value, str) else _JSON_NAMES[type(value)]


def quoted(text: str) -> str:
    """Quotes a text of the plan on one line, shortened when it is long."""
    return repr(text) if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]!r}… ({len(text):,} characters)"


def listed(task_ids: Iterable[str]) -> str:
    """Lists task ids for a sentence; of a long list the first ones, and how many more there are."""
    names = list(task_ids)
    shown, more = names[:SHOWN_TASKS], len(names) - SHOWN_TASKS
    if more > 0:
        return f"{', '.join(shown)} and {more:,} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))


def shortened(steps: Sequence[str]) -> Sequence[str]:
    """Returns the steps of a cycle for a message: of a long one the first, how many more there are, and the last."""
    if len(steps) <= SHOWN_STEPS:
        return steps
    return [*steps[: SHOWN_STEPS - 1], f"… ({len(steps) - SHOWN_STEPS:,} more)", steps[-1]]
