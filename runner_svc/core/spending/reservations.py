"""Keeps back the expected cost of each attempt under way, less what it has spent.

Recorded costs are spent, estimates included. When a provider counts less than was estimated, more is kept back again.
When an attempt ends, nothing is kept back. After a restart, or after a budget was set, all of it is computed anew.
"""

from __future__ import annotations

from collections.abc import Iterable

from runner_svc.core.fleet.leases import LiveLease
from runner_svc.core.fleet.matching import Matching
from runner_svc.core.model.usage import MOST
from runner_svc.core.spending.budgets import Ledger
from runner_svc.core.spending.commitments import NOTHING_KEPT, Reservation
from runner_svc.core.spending.expectations import AttemptSize, Expected, Pricing, expected
from runner_svc.core.state.execution import Execution


class ExpectedCosts:
    """A function that returns the expected cost of attempts of one execution, by what is known now."""

    def __init__(self, ledger: Ledger, matching: Matching, pricing: Pricing) -> None:
        self._ledger = ledger
        self._matching = matching
        self._pricing = pricing if ledger.bounds_cost else None

    def __call__(self, size: AttemptSize, asked: str | None = None) -> Expected:
        """`asked`: the model, when it is known already."""
        kind = size.kind
        known = self._ledger.largest.get(kind.key)
        models = (
            () if self._pricing is None else self._matching.models_of(kind.requirement) if asked is None else (asked,)
        )
        return expected(size, known, tuple(models), self._pricing)


def size_of_lease(lease: LiveLease) -> AttemptSize:
    """Returns the size of the attempt under a lease."""
    if lease.size is None:
        lease.size = lease.execution.size_of_attempt(lease.task, lease.phase, lease.canary)
    return lease.size


def reserve(lease: LiveLease, matching: Matching, pricing: Pricing) -> None:
    """Keeps back the expected cost of an attempt, if a budget applies to it."""
    commitments = lease.execution.agenda.commitments
    if commitments is None or next(commitments.ledger.scopes(lease.task), None) is None:
        return
    held = lease.execution.records[lease.task].lease
    asked = held.model if held is not None else None
    lease.expected = ExpectedCosts(commitments.ledger, matching, pricing)(size_of_lease(lease), asked)
    if lease.expected.is_guess:
        commitments.tries(size_of_lease(lease).kind.key, lease.id)
    keep_back(lease)


def keep_back(lease: LiveLease) -> None:
    """Updates the amount kept back. Call it whenever a cost was recorded under the lease."""
    commitments, expected_cost = lease.execution.agenda.commitments, lease.expected
    if commitments is None or expected_cost is None:
        return
    spent = lease.execution.records[lease.task].cost_of(lease.id)
    # The sums over leases are exact, or what is released would not be what was kept back.
    now = Reservation(_amount(expected_cost.tokens - spent.tokens), _amount(expected_cost.cost_nanos - spent.cost))
    commitments.keep(lease.task, lease.kept, now)
    lease.kept = now


def _amount(left: int) -> int:
    return min(max(0, left), MOST)


def release(lease: LiveLease) -> None:
    """Frees the amount kept back for an attempt that has ended."""
    commitments = lease.execution.agenda.commitments
    if commitments is None or lease.expected is None:
        return
    commitments.keep(lease.task, lease.kept, NOTHING_KEPT)
    lease.kept, lease.expected = NOTHING_KEPT, None
    commitments.has_tried(size_of_lease(lease).kind.key, lease.id)


def reserve_anew(execution: Execution, leases: Iterable[LiveLease], matching: Matching, pricing: Pricing) -> None:
    """Reserves for all attempts under way again, after the budgets of an execution have changed."""
    commitments = execution.agenda.commitments
    if commitments is None:
        return
    commitments.kept.clear()
    commitments.trying.clear()
    for lease in leases:
        lease.kept, lease.expected = NOTHING_KEPT, None
        reserve(lease, matching, pricing)
