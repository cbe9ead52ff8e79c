"""Demands of a pass: a passed result for each criterion and each check of the task, known by their numbers.

A validator's word alone signs nothing off: a pass that leaves one of them out is a judge error.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

NAMED = 5  # numbers that a message names


class Passed(NamedTuple):
    """Holds what a verdict has passed results for, by number from 1."""

    criteria: frozenset[int] = frozenset()
    checks: frozenset[int] = frozenset()


NOTHING_PASSED = Passed()


@dataclass(frozen=True, slots=True)
class Demands:
    """States what a task asks of a pass."""

    criteria: int = 1  #: numbered from 1; a task that states none has one, its output as it is described
    checks: tuple[int, ...] = ()  #: numbers of those that no criterion stands for
    judged: int = 1  #: criteria that no check decides: a model is asked about them
    votes: int = 1  #: how often it is asked

    def missing_in(self, passed: Passed) -> str:
        """Names what a verdict has no passed result for; empty when there is one for each."""
        criteria = [number for number in range(1, self.criteria + 1) if number not in passed.criteria]
        checks = [number for number in self.checks if number not in passed.checks]
        return " and ".join(filter(None, (_in_words("criterion", criteria), _in_words("check", checks))))


USUAL_DEMANDS = Demands()


def _in_words(noun: str, numbers: list[int]) -> str:
    if not numbers:
        return ""
    more = f" and {len(numbers) - NAMED:,} more" if len(numbers) > NAMED else ""
    return f"{noun} {_listed(numbers[:NAMED])}{more}"


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))
