"""Chooses the canary that a validator is given, and records the verdict on it."""

from __future__ import annotations

from runner_svc.core.decide.turn import Turn
from runner_svc.core.fleet.leases import LiveLease
from runner_svc.core.model import events
from runner_svc.core.model.values import Outcome, Role
from runner_svc.core.state.execution import Execution


def due_canary(execution: Execution, task: int) -> int:
    """Returns the number, from 1, of the canary that goes before a task's candidate; 0: none does."""
    canaries = execution.map.canaries.get(task, ())
    # guard: one canary before a candidate -> if not canaries:
    if not canaries or execution.records[task].canary_given:
        return 0
    if not execution.canaries.is_one_due(execution.settings.canary_rate):
        return 0
    return execution.canaries.given % len(canaries) + 1


def judge_canary(turn: Turn, lease: LiveLease, at: float, outcome: Outcome, reason: str) -> None:
    """Records that a connected validator has judged a canary, or failed to. The lease has ended."""
    session = turn.state.roster.current[lease.worker]
    requirement = lease.execution.requirement(lease.task, Role.VALIDATOR)
    canary = lease.execution.map.canary(lease.task, lease.canary)
    if canary is None:
        outcome, reason = Outcome.ERROR, "an earlier version has not kept the canary: whether it is good is not known"
    event = events.CanaryJudged(
        at=at,
        task=lease.task,
        lease=lease.id,
        canary=lease.canary,
        good=canary is not None and canary.good,
        outcome=outcome,
        reason=reason,
        worker=lease.worker,
        model=session.model_for(requirement) or "",
        labels=session.abilities.labels,
    )
    turn.emit(lease.execution, event)
