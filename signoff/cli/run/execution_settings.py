"""The settings of an execution, from the flags of `signoff run` and `signoff submit`."""

from __future__ import annotations

from datetime import timedelta

from signoff.cli.flags import Scope, WhenItFails
from signoff.money import to_nanos
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import plan_pb2


def execution_settings(
    max_failures: int | None,
    scope: Scope | None,
    tokens: int | None,
    cost: float | None,
    canary_rate: float | None,
    outage_patience: float | None,
    on_failure: WhenItFails | None,
    *,
    keep_prompts: bool | None = None,
) -> pb.ExecutionSettings | None:
    """Returns the settings that the flags give; None when none was given. `cost` is in the price table's currency."""
    given = (max_failures, scope, tokens, cost, canary_rate, outage_patience, on_failure, keep_prompts)
    if all(setting is None for setting in given):
        return None
    scopes = {Scope.DOWNSTREAM: pb.ROLLBACK_SCOPE_DOWNSTREAM, Scope.PRODUCERS: pb.ROLLBACK_SCOPE_PRODUCERS}
    chosen = scopes[scope] if scope else pb.ROLLBACK_SCOPE_UNSPECIFIED
    nanos = None if cost is None else to_nanos(cost)
    has_budget = tokens is not None or cost is not None
    budget = plan_pb2.Budget(tokens=tokens, cost_nanos=nanos) if has_budget else None
    whens = {WhenItFails.CONTINUE: plan_pb2.ON_FAILURE_CONTINUE, WhenItFails.STOP: plan_pb2.ON_FAILURE_STOP}
    settings = pb.ExecutionSettings(
        max_failures=max_failures,
        rollback_scope=chosen,
        budget=budget,
        canary_rate=canary_rate,
        keep_prompts=keep_prompts,
        on_failure=whens[on_failure] if on_failure else plan_pb2.ON_FAILURE_UNSPECIFIED,
    )
    if outage_patience is not None:
        settings.outage_patience.FromTimedelta(timedelta(seconds=outage_patience))
    return settings
