"""The settings of an execution, from the flags of `signoff run` and `signoff submit`."""

from __future__ import annotations

from datetime import timedelta

from signoff.cli.flag_groups import SelectionFlags, SettingFlags
from signoff.cli.flags import Scope, WhenItFails
from signoff.money import to_nanos
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import plan_pb2

_SCOPES = {Scope.DOWNSTREAM: pb.ROLLBACK_SCOPE_DOWNSTREAM, Scope.PRODUCERS: pb.ROLLBACK_SCOPE_PRODUCERS}
_WHENS = {WhenItFails.CONTINUE: plan_pb2.ON_FAILURE_CONTINUE, WhenItFails.STOP: plan_pb2.ON_FAILURE_STOP}


def execution_settings(flags: SettingFlags, selection: SelectionFlags) -> pb.ExecutionSettings | None:
    """Returns the settings that the flags give; None when none was given. Costs are in the price table's currency."""
    settings = pb.ExecutionSettings(
        max_failures=flags.max_failures,
        rollback_scope=_SCOPES[flags.rollback_scope] if flags.rollback_scope else pb.ROLLBACK_SCOPE_UNSPECIFIED,
        budget=_budget(flags),
        canary_rate=flags.canary_rate,
        keep_prompts=False if flags.no_prompts else None,
        reuse=False if selection.fresh else None,
        fresh_task_ids=selection.fresh_task or (),
        fresh_prompts=selection.fresh_prompts,
        from_task_ids=selection.from_task or (),
        until_task_ids=(*(selection.until or ()), *(selection.only or ())),
        on_failure=_WHENS[flags.on_failure] if flags.on_failure else plan_pb2.ON_FAILURE_UNSPECIFIED,
    )
    if flags.outage_patience is not None:
        settings.outage_patience.FromTimedelta(timedelta(seconds=flags.outage_patience))
    return settings if settings != pb.ExecutionSettings() else None


def _budget(flags: SettingFlags) -> plan_pb2.Budget | None:
    if flags.budget_tokens is None and flags.budget_cost is None:
        return None
    nanos = None if flags.budget_cost is None else to_nanos(flags.budget_cost)
    return plan_pb2.Budget(tokens=flags.budget_tokens, cost_nanos=nanos)
