"""ExecutionSettings and budgets as messages and back. Incoming numbers are within the bounds of the contract."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from runner_svc.codec.times import duration, seconds_of
from runner_svc.core.model.values import Budget, OnFailure, RollbackScope, Settings
from signoff.errors import InvalidField
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import plan_pb2

_COUNTS = ("max_failures", "max_losses", "max_judge_errors", "max_rollbacks")
_ON_FAILURE = frozenset(OnFailure)
_TIMES = ("retry_base", "retry_cap", "run_timeout", "idle_timeout", "outage_patience")


def settings_from_proto(message: pb.ExecutionSettings, defaults: Settings | None = None) -> Settings:
    """Returns the settings, with defaults for unset fields. Raises InvalidField for an unknown scope or on_failure."""
    base = defaults or Settings()
    counts: dict[str, Any] = {name: _count(message, name, getattr(base, name)) for name in _COUNTS}
    times: dict[str, Any] = {name: _time(message, name, getattr(base, name)) for name in _TIMES}
    if message.rollback_scope not in (0, *RollbackScope):
        raise InvalidField("settings.rollback_scope", "a RollbackScope", str(message.rollback_scope))
    if message.on_failure not in (0, *_ON_FAILURE):
        raise InvalidField("settings.on_failure", "an OnFailure", str(message.on_failure))
    scope = RollbackScope(message.rollback_scope) if message.rollback_scope else base.rollback_scope
    return replace(
        base,
        rollback_scope=scope,
        on_failure=on_failure_from_proto(message.on_failure) or base.on_failure,
        priority=message.priority,
        budget=budget_from_proto(message.budget) if message.HasField("budget") else base.budget,
        canary_rate=message.canary_rate if message.HasField("canary_rate") else base.canary_rate,
        keep_prompts=message.keep_prompts if message.HasField("keep_prompts") else base.keep_prompts,
        reuse=message.reuse if message.HasField("reuse") else base.reuse,
        fresh_tasks=_once(message.fresh_task_ids),
        fresh_prompts=message.fresh_prompts,
        from_tasks=_once(message.from_task_ids),
        until_tasks=_once(message.until_task_ids),
        **counts,
        **times,
    )


def _once(names: Iterable[str]) -> tuple[str, ...]:
    """Returns the names without repeats: a client may name a task as often as a message holds."""
    return tuple(dict.fromkeys(names))


def on_failure_from_proto(number: int) -> OnFailure | None:
    """Returns the value; None for an unspecified one and for a number of a later version."""
    return OnFailure(number) if number in _ON_FAILURE else None


def budget_from_proto(message: plan_pb2.Budget) -> Budget:
    return Budget(
        tokens=message.tokens if message.HasField("tokens") else None,
        cost_nanos=message.cost_nanos if message.HasField("cost_nanos") else None,
    )


def budget_to_proto(budget: Budget | None) -> plan_pb2.Budget | None:
    return None if budget is None else plan_pb2.Budget(tokens=budget.tokens, cost_nanos=budget.cost_nanos)


def _count(message: pb.ExecutionSettings, name: str, default: int) -> int:
    return getattr(message, name) if message.HasField(name) else default  # type: ignore[arg-type]


def _time(message: pb.ExecutionSettings, name: str, default: float) -> float:
    return seconds_of(getattr(message, name)) if message.HasField(name) else default  # type: ignore[arg-type]


def settings_to_proto(settings: Settings) -> pb.ExecutionSettings:
    return pb.ExecutionSettings(
        rollback_scope=pb.RollbackScope.ValueType(settings.rollback_scope),
        on_failure=plan_pb2.OnFailure.ValueType(settings.on_failure or 0),
        priority=settings.priority,
        budget=budget_to_proto(settings.budget),
        canary_rate=settings.canary_rate,
        keep_prompts=settings.keep_prompts,
        reuse=settings.reuse,
        fresh_task_ids=settings.fresh_tasks,
        fresh_prompts=settings.fresh_prompts,
        from_task_ids=settings.from_tasks,
        until_task_ids=settings.until_tasks,
        max_failures=settings.max_failures,
        max_losses=settings.max_losses,
        max_judge_errors=settings.max_judge_errors,
        max_rollbacks=settings.max_rollbacks,
        retry_base=duration(settings.retry_base),
        retry_cap=duration(settings.retry_cap),
        run_timeout=duration(settings.run_timeout),
        idle_timeout=duration(settings.idle_timeout),
        outage_patience=duration(settings.outage_patience),
    )
