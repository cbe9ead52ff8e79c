"""Reads a plan a second time, with all digits of its numbers, when a schema or parameters in it need them.

The parser of plans makes floats of fractions: a `maximum` of 12345678901234567.89 would come out rounded. It is four
times as fast as one that does not, and few plans have fractions there, so the others are not read twice.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from signoff.schemas.numbers import exact_json


class ExactPlan:
    """The JSON of a plan with all digits, read when it is first needed."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def check(self, position: int, n: int) -> Any:
        """Returns check `n` of the task at `position`, both of which the plan has. Raises ValueError."""
        return self._tasks[position]["validation"]["checks"][n]

    def parameters(self, position: int) -> Any:
        """Returns the parameters of the task at `position`, which has some. Raises ValueError."""
        return self._tasks[position]["input"]["parameters"]

    @cached_property
    def _tasks(self) -> Any:
        return exact_json(self._data)["tasks"]
