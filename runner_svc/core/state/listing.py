"""The facts by which lists of executions are filtered."""

from __future__ import annotations

from enum import IntFlag
from typing import NamedTuple

from runner_svc.core.model.states import EXECUTION_FAILED, VALIDATION_FAILED, ExecutionState
from runner_svc.core.spending.commitments import OF_A_BUDGET
from runner_svc.core.state.execution import Execution
from runner_svc.core.state.overview import Overview


class Needs(IntFlag):
    """The things that an execution waits for and only a person can give. A bit for each ExecutionNeed."""

    NONE = 0
    PERSON = 1 << 1  #: a verdict on a candidate
    BUDGET = 1 << 2  #: it is paused for one
    RETRY = 1 << 3  #: of a task that failed for good


class ListingFacts(NamedTuple):
    """An execution, as far as lists are filtered by it."""

    plan_id: str
    state: ExecutionState
    needs: Needs
    created_at: float  #: Unix time in seconds


def facts_of(known: Execution | Overview) -> ListingFacts:
    plan_id = known.map.plan_id if isinstance(known, Execution) else known.plan_id
    return ListingFacts(plan_id, known.state, _needs(known), known.created_at)


def _needs(known: Execution | Overview) -> Needs:
    asked = len(known.awaiting) if isinstance(known, Execution) else known.awaiting_person
    needs = Needs.PERSON if asked else Needs.NONE
    if known.state is ExecutionState.PAUSED and known.reason.startswith(OF_A_BUDGET):
        needs |= Needs.BUDGET
    if known.counts[EXECUTION_FAILED] or known.counts[VALIDATION_FAILED]:
        needs |= Needs.RETRY
    return needs
