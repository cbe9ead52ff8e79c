"""Groups of flags that several commands share, and how a command takes a group as one value."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, get_type_hints

from typer.models import ArgumentInfo, OptionInfo

from signoff.cli.flags import (
    DB,
    IS_PATH,
    AllowCommands,
    Apps,
    BudgetCost,
    BudgetTokens,
    CanaryRate,
    DataDir,
    Fresh,
    FreshPrompts,
    FreshTasks,
    FromTasks,
    Inputs,
    Limits,
    MaxFailures,
    Models,
    NoInfer,
    NoPrompts,
    OnFailure,
    OnlyTasks,
    OutagePatience,
    PlanId,
    Prices,
    RollbackScope,
    Runner,
    SetInputs,
    Ui,
    UiAddress,
    UntilTasks,
)
from signoff.errors import ConfigurationError

if TYPE_CHECKING:
    from signoff.cli.remote.find_runner import RunnerLocation


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFlags:
    """The id of a plan, how it is compiled, and its inputs."""

    plan_id: PlanId = ""
    no_infer: NoInfer = False
    input_: Inputs = None
    set_: SetInputs = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingFlags:
    """The settings of an execution. One that is not given is as the plan says, or the usual one."""

    max_failures: MaxFailures = None
    rollback_scope: RollbackScope = None
    budget_tokens: BudgetTokens = None
    budget_cost: BudgetCost = None
    canary_rate: CanaryRate = None
    outage_patience: OutagePatience = None
    on_failure: OnFailure = None
    no_prompts: NoPrompts = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionFlags:
    """The work that is asked for: what is done anew although it was done before, and what is done at all."""

    fresh: Fresh = False
    fresh_task: FreshTasks = None
    from_task: FromTasks = None
    until: UntilTasks = None
    only: OnlyTasks = None
    fresh_prompts: FreshPrompts = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFlags:
    """The files about models, and what workers may run besides them: functions and programs."""

    models: Models = None
    prices: Prices = None
    limits: Limits = None
    app: Apps = None
    allow_commands: AllowCommands = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFlags:
    """The page that a command offers beside its services."""

    wanted: Ui = False
    address: UiAddress = ""  #: empty: the usual one, or any when another process has that


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerFlags:
    """The place to look for a runner."""

    runner: Runner = ""
    data_dir: DataDir = DB

    @property
    def location(self) -> RunnerLocation:
        from signoff.cli.remote.find_runner import RunnerLocation

        return RunnerLocation(runner=self.runner, data_dir=self.data_dir)


def takes_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Returns the command with the flags of a group in the place of each parameter whose type is a group."""
    parameters = inspect.signature(command, eval_str=True).parameters.values()
    groups: dict[str, Any] = {each.name: each.annotation for each in parameters if is_dataclass(each.annotation)}

    flags = [flag for parameter in parameters for flag in _flags_of(parameter)]

    @functools.wraps(command)
    def with_flags(**given: Any) -> None:
        for flag in flags:
            # guard: what is no UTF-8 is refused -> pass
            _check_is_utf8(flag, given[flag.name])
        for name, group in groups.items():
            given[name] = group(**{flag.name: given.pop(flag.name) for flag in fields(group)})
        command(**given)

    with_flags.__signature__ = inspect.Signature(flags)  # type: ignore[attr-defined]
    return with_flags


def _flags_of(parameter: inspect.Parameter) -> Iterator[inspect.Parameter]:
    """Yields the flags of a group, or the parameter itself. Flags are given by name."""
    if not is_dataclass(parameter.annotation):
        yield parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        return
    types = get_type_hints(parameter.annotation, include_extras=True)
    for flag in fields(parameter.annotation):
        yield inspect.Parameter(
            flag.name, inspect.Parameter.KEYWORD_ONLY, default=flag.default, annotation=types[flag.name]
        )


def _check_is_utf8(flag: inspect.Parameter, value: object) -> None:
    """Raises ConfigurationError for a text with bytes that are no UTF-8. Paths may have any."""
    if IS_PATH in _told(flag):
        return
    for text in value if isinstance(value, list | tuple) else [value]:
        if isinstance(text, str) and any("\ud800" <= char <= "\udfff" for char in text):
            got = repr(os.fsencode(text)).removeprefix("b")
            raise ConfigurationError(f"expected UTF-8 in {_typed_name(flag)}, but got {got}")


def _typed_name(flag: inspect.Parameter) -> str:
    """Returns the name of a flag as a person types it, or that of an argument as help shows it."""
    for told in _told(flag):
        if isinstance(told, ArgumentInfo):
            return str(told.metavar or flag.name.upper())
        if isinstance(told, OptionInfo) and str(told.default).startswith("--"):  # the first name, where one is given
            return str(told.default)
    return "--" + flag.name.replace("_", "-")


def _told(flag: inspect.Parameter) -> tuple[Any, ...]:
    return getattr(flag.annotation, "__metadata__", ())
