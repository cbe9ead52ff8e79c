"""Turns of a machine as the engine makes them: step by step, with time for others between two."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runner_svc.core.decide.turn import Decision
from runner_svc.core.machine import Machine
from runner_svc.core.model.signals import Signal


def events_in(decision: Decision) -> int:
    return len(decision.entries)


def turn_by_steps(
    machine: Machine, incoming: Sequence[Signal], count: Callable[[Decision], int] = events_in
) -> tuple[Decision, list[int]]:
    """Returns the decision of a turn, and how much each of its steps added to it, by `count`."""
    decision, added, before = Decision(), list[int](), 0
    for _ in machine.steps(incoming, decision):
        added.append(count(decision) - before)
        before = count(decision)
    return decision, [*added, count(decision) - before]
