"""Tasks that settings name: however many names lead to a group, it is looked into once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from runner_svc.core.model.map import Map
from runner_svc.core.model.selection import MOST_NAMES_BYTES, check_names, fresh_tasks, wanted_tasks
from runner_svc.core.model.values import Settings
from signoff.errors import InvalidField
from tests.support.values.maps import map_of


class Counting(Sequence[Any]):
    """A sequence that counts how often it is looked into."""

    def __init__(self, inner: Sequence[Any]) -> None:
        self.inner, self.looks = inner, 0

    def __len__(self) -> int:
        return len(self.inner)

    def __getitem__(self, place: Any) -> Any:
        self.looks += 1
        return self.inner[place]


def counted(plan: Map) -> Counting:
    """Returns the members of the groups of a plan, which count from now on."""
    members = Counting(plan.members)
    plan.__dict__["members"] = members
    return members


@pytest.mark.guard(name="a group is looked into once")
def test_a_group_is_looked_into_once_however_often_it_and_those_around_it_are_named() -> None:
    plan = map_of("; ".join(["/".join(f"g{level}" for level in range(30)) + "/a", "b"]))
    names = tuple(plan.group_ids) * 1_000
    members = counted(plan)
    assert wanted_tasks(plan, Settings(until_tasks=names)) == frozenset([plan.numbers["a"]])
    assert members.looks == 30
    assert fresh_tasks(plan, Settings(fresh_tasks=names, from_tasks=names)) == {plan.numbers["a"]}
    assert members.looks == 90


def test_a_group_that_many_tasks_need_is_looked_into_once() -> None:
    plan = map_of(
        "; ".join([*(f"g/a{number}" for number in range(50)), *(f"h/b{number} <- g" for number in range(50))])
    )
    members = counted(plan)
    assert wanted_tasks(plan, Settings(until_tasks=("h",))) == frozenset(range(100))
    assert members.looks == 2


def test_names_of_groups_are_looked_up_and_not_searched_for() -> None:
    plan = map_of("; ".join(f"g{number}/a{number}" for number in range(20)))
    names, groups = [*plan.group_ids], Counting(plan.group_ids)
    object.__setattr__(plan, "group_ids", groups)
    assert [plan.node(name) for name in names * 10] == [*range(plan.task_count, plan.task_count + 20)] * 10
    assert groups.looks <= 21


@pytest.mark.guard(name="the names of a request are bounded")
def test_a_request_with_more_bytes_of_names_than_an_event_may_hold_is_refused_with_the_field_and_the_bound() -> None:
    names = tuple(f"{number:0128}" for number in range(MOST_NAMES_BYTES // 128))
    plan = map_of("; ".join([*names, "a"]))
    settings = Settings(fresh_tasks=names[:100], until_tasks=names[100:])
    check_names(plan, settings)
    expected = (
        "settings.until_task_ids: expected at most 1,048,576 bytes of names in fresh_task_ids, from_task_ids, until"
    )
    with pytest.raises(InvalidField, match=expected):
        check_names(plan, replace(settings, from_tasks=("a",)))
