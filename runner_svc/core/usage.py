"""What attempts have cost: amounts that add up, by phase and model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runner_svc.core.values import LeaseId, Phase

MOST_OPEN = 16  # leases of a task of which more may still be said; the oldest are forgotten
MOST = 2**62  # where amounts stop growing: two of them still fit in the 64 bits that carry a sum
MOST_TOTALS = 100  # amounts that are kept apart, by phase and model; further models are counted together
OTHER = "other"  # the name of those further models


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """An amount. A price that is not known is no price of zero: such tokens are counted apart."""

    input_tokens: int = 0
    output_tokens: int = 0
    requests: int = 0
    cost_nanos: int = 0  #: billionths of the price table's currency
    unpriced_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input_tokens=min(MOST, self.input_tokens + other.input_tokens),
            output_tokens=min(MOST, self.output_tokens + other.output_tokens),
            requests=min(MOST, self.requests + other.requests),
            cost_nanos=min(MOST, self.cost_nanos + other.cost_nanos),
            unpriced_tokens=min(MOST, self.unpriced_tokens + other.unpriced_tokens),
        )

    def since(self, before: Usage) -> Usage:
        """What was added since; a total that has fallen, as no honest worker reports, has added nothing."""
        return Usage(
            input_tokens=max(0, self.input_tokens - before.input_tokens),
            output_tokens=max(0, self.output_tokens - before.output_tokens),
            requests=max(0, self.requests - before.requests),
            cost_nanos=max(0, self.cost_nanos - before.cost_nanos),
            unpriced_tokens=max(0, self.unpriced_tokens - before.unpriced_tokens),
        )

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


NOTHING = Usage()

Totals = dict[tuple[Phase, str], Usage]  # by phase and model
OpenUsage = dict[LeaseId, dict[str, Usage]]  # by lease and model


def add(totals: Totals, phase: Phase, model: str, usage: Usage) -> None:
    """Adds an amount. Models beyond a number are counted as one: a list of models always fits a message."""
    key = (phase, model)
    if key not in totals and len(totals) >= MOST_TOTALS:
        key = (phase, OTHER)
    totals[key] = totals.get(key, NOTHING) + usage


def add_open(open_usage: OpenUsage, lease: LeaseId, model: str, usage: Usage) -> None:
    """Keeps in mind what was said of a lease that is not settled, so that a later total adds only what is new."""
    of_lease = open_usage.setdefault(lease, {})
    of_lease[model] = of_lease.get(model, NOTHING) + usage
    if len(open_usage) > MOST_OPEN:
        del open_usage[next(iter(open_usage))]


def in_order(totals: Mapping[tuple[Phase, str], Usage]) -> tuple[tuple[Phase, str, Usage], ...]:
    return tuple((phase, model, totals[phase, model]) for phase, model in sorted(totals))
