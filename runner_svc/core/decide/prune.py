"""Chooses the executions that a prune takes away: those that came to rest long ago and are not among the newest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runner_svc.core.decide.turn import State
from runner_svc.core.model.states import ExecutionState
from runner_svc.core.model.values import ExecutionId
from runner_svc.core.state.execution import Execution
from runner_svc.core.state.overview import Overview


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneRule:
    """The executions that a prune takes away."""

    before: float  #: executions that came to rest before this time
    keep_last: int  #: newest executions of each plan that stay in any case
    keeps_artifacts: bool  #: only what is besides the artifacts goes


def chosen(state: State, rule: PruneRule) -> Iterator[ExecutionId]:
    """Yields the executions of a rule in the order of their creation; of stopped ones, also some that are not old.

    When an execution was stopped is only in its journal. It was after its last start, so that some are ruled out.
    """
    kept = {
        name
        for names in state.created.of_plan.values()
        for name in names[len(names) - min(len(names), rule.keep_last) :]
    }
    for known in state.in_order():
        # guard: the newest are kept -> if may_go(known, rule):
        if known.id not in kept and may_go(known, rule):
            yield known.id


def may_go(known: Execution | Overview, rule: PruneRule) -> bool:
    """Tells whether an execution is at rest, and may have been since before the time of the rule."""
    if rule.keeps_artifacts and known.pruned_at is not None:
        return False
    # guard: what is at work is not pruned -> if False:
    if known.state not in (ExecutionState.SUCCEEDED, ExecutionState.FAILED, ExecutionState.STOPPED):
        return False
    return rested_at(known) < rule.before


def rested_at(known: Execution | Overview) -> float:
    """Returns when an execution ended. Of a stopped one: a time before it was stopped, or when it was pruned."""
    if known.ended_at is not None:
        return known.ended_at
    return known.pruned_at or known.active_since or known.created_at
