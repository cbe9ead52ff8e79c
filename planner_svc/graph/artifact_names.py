"""Suggestions for a task that names an artifact that no task makes: which artifact it may mean.

People and models name loosely: "the paper list" or "paper_list.json" for paper_list, "output of 1_2" for what it makes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from planner_svc.model import Task
from planner_svc.read.spelling import folded

MAX_WORDS = 30  # of a name; the rest of a longer one is ignored
MAX_COMPARED = 5_000  # names that are compared letter by letter
MAX_CHARS = 64  # of a name that is compared so
MAX_SUGGESTED = 1_000  # names in one plan that get a suggestion: no more are reported
_LEAST_CHARS = 3  # of a part of a name that is compared with other names
_WORD = re.compile(r"[^\W_]+")
_ID = re.compile(r"[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*")
_DOTTED = re.compile(r"(?<=[0-9])\.(?=[0-9])")  # 1.2 for 1_2


class ArtifactNames:
    """The names of a plan's artifacts, indexed by what people may call them. Made when the first name is missing."""

    def __init__(self, tasks: Sequence[Task], makers: Mapping[str, Sequence[int]]) -> None:
        names = list(makers)
        self._by_slip = {slip: name for name in reversed(names[:MAX_COMPARED]) for slip in _slips(name)}
        self._by_words = {"".join(_words(name)): name for name in reversed(names)}
        self._of_task = {
            task.task_id: task.output.artifact for task in tasks if task.output is not None and task.output.artifact
        }
        self._left = MAX_SUGGESTED

    def suggestion(self, name: str) -> str:
        """Returns the name that was probably meant; empty when none is near."""
        self._left -= 1
        if self._left < 0:
            return ""
        return self._within(name) or self._of_named_task(name) or self._nearly(name)

    def _within(self, name: str) -> str:
        """Finds the longest run of words that is a name: "paper list" in "the paper list of 1_2"."""
        runs = ("".join(run) for run in _runs(_words(name)))
        return next((self._by_words[run] for run in runs if len(run) >= _LEAST_CHARS and run in self._by_words), "")

    def _of_named_task(self, name: str) -> str:
        ids = _ID.findall(_DOTTED.sub("_", name))
        return next((self._of_task[task_id] for task_id in ids if task_id in self._of_task), "")

    def _nearly(self, name: str) -> str:
        return next((self._by_slip[slip] for slip in _slips(name) if slip in self._by_slip), "")


def _slips(name: str) -> Iterator[str]:
    """Yields a name with each of its characters left out: names one edit apart have one of these in common."""
    whole = folded(name)
    if _LEAST_CHARS < len(whole) <= MAX_CHARS:
        yield whole
        yield from (whole[:n] + whole[n + 1 :] for n in range(len(whole)))


def _words(name: str) -> list[str]:
    return _WORD.findall(name.casefold())[:MAX_WORDS]


def _runs(words: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yields all runs of words, the longest first."""
    for length in range(len(words), 0, -1):
        yield from (words[start : start + length] for start in range(len(words) - length + 1))
