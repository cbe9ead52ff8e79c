"""Suggests the artifact that a task may mean when it names one that no task makes.

People and models name loosely: "the paper list" or "paper_list.json" for paper_list, "output of 1_2" for what it makes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from planner_svc.model import Task
from planner_svc.spelling import closest

MAX_WORDS = 30  # of a name that is looked at
MAX_COMPARED = 1_000  # names that are compared letter by letter
MAX_SUGGESTED = 1_000  # names in one plan that something is suggested for: no more are reported
_LEAST_CHARS = 3  # of a part of a name that may be another name
_WORD = re.compile(r"[^\W_]+")
_ID = re.compile(r"[A-Za-z0-9]+(?:[_.][A-Za-z0-9]+)*")


class ArtifactNames:
    """The names of a plan's artifacts, by what they may be called. Made when the first name is missing."""

    def __init__(self, tasks: Sequence[Task], makers: Mapping[str, Sequence[int]]) -> None:
        self._names = list(makers)
        self._compared = self._names[:MAX_COMPARED]
        self._by_words = {"".join(_words(name)): name for name in reversed(self._names)}
        self._of_task = {
            task.task_id: task.output.artifact for task in tasks if task.output is not None and task.output.artifact
        }
        self._left = MAX_SUGGESTED

    def suggestion(self, name: str) -> str:
        """Returns the name that was meant, or nothing."""
        self._left -= 1
        if self._left < 0:
            return ""
        return self._within(name) or self._of_named_task(name) or next(iter(closest(name, self._compared)), "")

    def _within(self, name: str) -> str:
        """The longest run of words that is a name: of "the paper list of 1_2" it is "paper list"."""
        runs = ("".join(run) for run in _runs(_words(name)))
        return next((self._by_words[run] for run in runs if len(run) >= _LEAST_CHARS and run in self._by_words), "")

    def _of_named_task(self, name: str) -> str:
        ids = (found.replace(".", "_") for found in _ID.findall(name))
        return next((self._of_task[task_id] for task_id in ids if task_id in self._of_task), "")


def _words(name: str) -> list[str]:
    return _WORD.findall(name.casefold())[:MAX_WORDS]


def _runs(words: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yields all runs of words, the longest first."""
    for length in range(len(words), 0, -1):
        yield from (words[start : start + length] for start in range(len(words) - length + 1))
