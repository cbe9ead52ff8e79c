"""The settings of an execution, from the flags of `signoff run` and `signoff submit`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from signoff.cli.flags import Scope, WhenItFails
from signoff.money import to_nanos
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import plan_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The work that is asked for: what is done anew although it was done before, and what is done at all."""

    fresh: bool = False  #: everything is done anew
    fresh_tasks: tuple[str, ...] = ()  #: ids of tasks and groups
    fresh_prompts: bool = False  #: and what was made or judged with other versions of prompts
    from_tasks: tuple[str, ...] = ()  #: with all that depends on them
    until: tuple[str, ...] = ()  #: only these, and what they need; empty: all


EVERYTHING = Selection()  #: nothing is done anew that need not be


def selected(
    fresh: bool,
    fresh_tasks: Sequence[str] | None,
    fresh_prompts: bool,
    from_tasks: Sequence[str] | None,
    until: Sequence[str] | None,
    only: Sequence[str] | None,
) -> Selection:
    """Returns the selection that the flags give."""
    return Selection(
        fresh=fresh,
        fresh_tasks=tuple(fresh_tasks or ()),
        fresh_prompts=fresh_prompts,
        from_tasks=tuple(from_tasks or ()),
        until=(*(until or ()), *(only or ())),
    )


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
    selection: Selection = EVERYTHING,
) -> pb.ExecutionSettings | None:
    """Returns the settings that the flags give; None when none was given. `cost` is in the price table's currency."""
    given = (max_failures, scope, tokens, cost, canary_rate, outage_patience, on_failure, keep_prompts)
    if all(setting is None for setting in given) and selection == EVERYTHING:
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
        reuse=False if selection.fresh else None,
        fresh_task_ids=selection.fresh_tasks,
        fresh_prompts=selection.fresh_prompts,
        from_task_ids=selection.from_tasks,
        until_task_ids=selection.until,
        on_failure=whens[on_failure] if on_failure else plan_pb2.ON_FAILURE_UNSPECIFIED,
    )
    if outage_patience is not None:
        settings.outage_patience.FromTimedelta(timedelta(seconds=outage_patience))
    return settings
