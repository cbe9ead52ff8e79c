"""Reads a plan a second time, with all digits of its numbers, when a schema or parameters in it need them.

The parser of plans makes floats of fractions: a `maximum` of 12345678901234567.89 would come out rounded. It is four
times as fast as one that does not, and few plans have fractions there, so the others are not read twice.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from planner_svc.diagnostics import Diagnostics
from planner_svc.read.field_names import FieldNames, is_right
from planner_svc.read.object_types import ObjectType
from planner_svc.read.vocabulary import PLAN, PLAN_INPUT, TASK
from signoff.schemas.numbers import exact_json


class ExactPlan:
    """The JSON of a plan with all digits, read when it is first needed."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def check(self, position: int, n: int) -> Any:
        """Returns check `n` of the task at `position`, both of which the plan has. Raises ValueError."""
        return _put_right(self._tasks[position], TASK)["validation"]["checks"][n]

    def parameters(self, position: int) -> Any:
        """Returns the parameters of the task at `position`, which has some. Raises ValueError."""
        return _put_right(self._tasks[position], TASK)["input"]["parameters"]

    def json_of_input(self, name: str) -> Any:
        """Returns the JSON that the plan has for one of its inputs. Raises ValueError."""
        return _put_right(self._plan["inputs"][name], PLAN_INPUT)["json"]

    @cached_property
    def _tasks(self) -> Any:
        return self._plan["tasks"]

    @cached_property
    def _plan(self) -> Any:
        return _put_right(exact_json(self._data), PLAN)


def _put_right(raw: Any, object_type: ObjectType) -> Any:
    """Returns an object with the names that the reader of the plan has read it by; it has reported the wrong ones."""
    if is_right(raw, object_type):
        return raw
    return FieldNames(Diagnostics(), lambda *_: None).put_right(raw, object_type, "")
