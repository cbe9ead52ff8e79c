"""The demands on a passing verdict: a passed result for each criterion and each check of the task, by their numbers.

A validator's outcome alone signs nothing off: a passing verdict without one of these results is a judge error.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from runner_svc.core.model.value import value

NAMED = 5  # the most numbers that a message names


class Passed(NamedTuple):
    """The criteria and checks for which a verdict has a passed result, by number from 1."""

    criteria: frozenset[int] = frozenset()
    checks: frozenset[int] = frozenset()


NOTHING_PASSED = Passed()


@value(frozen=True, slots=True)
class Demands:
    """The results that a task demands of a passing verdict."""

    criteria: int = 1  #: how many; a task that states none has one, its output as described
    checks: tuple[int, ...] = ()  #: numbers of the checks that no criterion stands for
    judged: int = 1  #: how many criteria are judged by a model, because no check decides them
    votes: int = 1  #: how often the model is asked

    def missing_in(self, passed: Passed) -> str:
        """Names the demanded results that a verdict lacks; empty when it has all of them."""
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
