"""A command that takes a group of flags has the flags of the group, at its place, and gets them as one value."""

from __future__ import annotations

import inspect
import itertools

import pytest

from signoff.cli import flag_groups
from signoff.cli.app import COMMANDS
from signoff.cli.flag_groups import PlanFlags, RunnerFlags, takes_groups
from signoff.cli.flags import New


def compiled(plan: str, *, reading: PlanFlags, new: New = False, at: RunnerFlags) -> None:
    raise Told(plan, reading, new, at.location.runner)


class Told(Exception):
    """Carries the values that the command was given."""


def test_the_flags_of_a_group_stand_at_its_place_with_their_own_defaults() -> None:
    flags = inspect.signature(takes_groups(compiled)).parameters
    assert [*flags] == ["plan", "plan_id", "no_infer", "input_", "set_", "new", "runner", "data_dir"]
    assert [flags[name].default for name in ("plan", "plan_id", "no_infer")] == [inspect.Parameter.empty, "", False]


def test_a_command_gets_each_group_as_one_value() -> None:
    plan_flags = {"plan_id": "x", "no_infer": True, "input_": ["a=b"], "set_": None}
    with pytest.raises(Told) as told:
        takes_groups(compiled)(plan="p", **plan_flags, new=True, runner="here:1", data_dir="db")
    assert told.value.args == ("p", PlanFlags(plan_id="x", no_infer=True, input_=["a=b"]), True, "here:1")


@pytest.mark.parametrize("name", COMMANDS)
def test_no_two_flags_of_a_command_have_one_name(name: str) -> None:
    """Two groups with one name for different flags would leave one of them out."""
    parameters = inspect.signature(COMMANDS[name], eval_str=True).parameters.values()
    names = [_flags_of(parameter.annotation) or (parameter.name,) for parameter in parameters]
    together = [*itertools.chain(*names)]
    assert len(together) == len(set(together))


def _flags_of(annotation: object) -> tuple[str, ...]:
    is_group = isinstance(annotation, type) and annotation.__module__ == flag_groups.__name__
    return tuple(getattr(annotation, "__dataclass_fields__", ())) if is_group else ()
