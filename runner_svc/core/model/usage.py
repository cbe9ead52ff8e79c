"""The costs of attempts: amounts that add up, by phase and model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runner_svc.core.model.values import LeaseId, Phase

MOST = 2**62  # where amounts stop growing: two of them still fit in the 64 bits that carry a sum
MOST_TOTALS = 100  # amounts that are kept apart, by phase and model; further models are counted together
OTHER = "other"  # the name of those further models


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """An amount, or a change of one. An unknown price is not a price of zero: such tokens are counted apart.

    Estimates stand beside what providers have counted. They are taken back when the provider counts, so they may be
    negative in a change. All else only grows.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    requests: int = 0
    cost_nanos: int = 0  #: billionths of the price table's currency
    unpriced_tokens: int = 0  #: estimated ones included
    cached_input_tokens: int = 0  #: of `input_tokens`
    reasoning_tokens: int = 0  #: of `output_tokens`
    estimated_input_tokens: int = 0
    estimated_output_tokens: int = 0
    estimated_cost_nanos: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input_tokens=min(MOST, self.input_tokens + other.input_tokens),
            output_tokens=min(MOST, self.output_tokens + other.output_tokens),
            requests=min(MOST, self.requests + other.requests),
            cost_nanos=min(MOST, self.cost_nanos + other.cost_nanos),
            unpriced_tokens=min(MOST, self.unpriced_tokens + other.unpriced_tokens),
            cached_input_tokens=min(MOST, self.cached_input_tokens + other.cached_input_tokens),
            reasoning_tokens=min(MOST, self.reasoning_tokens + other.reasoning_tokens),
            estimated_input_tokens=min(MOST, self.estimated_input_tokens + other.estimated_input_tokens),
            estimated_output_tokens=min(MOST, self.estimated_output_tokens + other.estimated_output_tokens),
            estimated_cost_nanos=min(MOST, self.estimated_cost_nanos + other.estimated_cost_nanos),
        )

    def since(self, before: Usage) -> Usage:
        """Returns the change since an earlier total. A count that has fallen adds 0: no honest worker reports one."""
        counted = max(0, self.input_tokens - before.input_tokens) + max(0, self.output_tokens - before.output_tokens)
        estimated = self.estimated_tokens - before.estimated_tokens
        is_unpriced = self.unpriced_tokens or (before._is_unpriced and not self.tokens)
        return Usage(
            input_tokens=max(0, self.input_tokens - before.input_tokens),
            output_tokens=max(0, self.output_tokens - before.output_tokens),
            requests=max(0, self.requests - before.requests),
            cost_nanos=max(0, self.cost_nanos - before.cost_nanos),
            unpriced_tokens=counted + estimated if is_unpriced else 0,
            cached_input_tokens=max(0, self.cached_input_tokens - before.cached_input_tokens),
            reasoning_tokens=max(0, self.reasoning_tokens - before.reasoning_tokens),
            # guard: corrections are taken ->
            #     estimated_input_tokens=max(0, self.estimated_input_tokens - before.estimated_input_tokens),
            estimated_input_tokens=self.estimated_input_tokens - before.estimated_input_tokens,
            estimated_output_tokens=self.estimated_output_tokens - before.estimated_output_tokens,
            estimated_cost_nanos=self.estimated_cost_nanos - before.estimated_cost_nanos,
        )

    def changes_to(self, total: Usage) -> Iterator[Usage]:
        """Yields the changes, fit to be recorded, that lead from this total to another one.

        There are one or none. There are two when the estimate had no price and now has one, or the other way round:
        then the estimate is taken back first, with the price it had. There are none for an older total that is
        reported again: it has fewer counted tokens and more estimated ones.
        """
        before = self
        # guard: reports of the past -> if False:
        if total._counted < before._counted and total.estimated_tokens > before.estimated_tokens:
            return
        if before.estimated_tokens and total.tokens and before._is_unpriced != bool(total.unpriced_tokens):
            yield (back := before.taken_back)
            before += back
        if (more := total.since(before)) != NOTHING:
            yield more

    @property
    def taken_back(self) -> Usage:
        """Returns the change that takes back what is estimated."""
        return Usage(
            estimated_input_tokens=-self.estimated_input_tokens,
            estimated_output_tokens=-self.estimated_output_tokens,
            estimated_cost_nanos=-self.estimated_cost_nanos,
            unpriced_tokens=-self.estimated_tokens if self._is_unpriced else 0,
        )

    @property
    def _is_unpriced(self) -> bool:
        """Tells whether the estimate has no price."""
        return self.unpriced_tokens > 0 and not self.estimated_cost_nanos

    @property
    def _counted(self) -> int:
        return self.input_tokens + self.output_tokens

    @property
    def is_counted(self) -> bool:
        """Tells whether nothing in it is an estimate."""
        return not (self.estimated_input_tokens or self.estimated_output_tokens)

    @property
    def estimated_tokens(self) -> int:
        return self.estimated_input_tokens + self.estimated_output_tokens

    @property
    def tokens(self) -> int:
        """Returns all tokens, estimated ones included."""
        return self.input_tokens + self.output_tokens + self.estimated_tokens

    @property
    def cost(self) -> int:
        """Returns the whole cost in billionths, estimates included."""
        return self.cost_nanos + self.estimated_cost_nanos


NOTHING = Usage()

Totals = dict[tuple[Phase, str], Usage]  # by phase and model
OpenUsage = dict[LeaseId, dict[str, Usage]]  # by lease and model


def add(totals: Totals, phase: Phase, model: str, usage: Usage) -> None:
    """Adds an amount. Models beyond MOST_TOTALS are counted as one, so that the list always fits a message."""
    key = (phase, model)
    if key not in totals and len(totals) >= MOST_TOTALS:
        key = (phase, OTHER)
    totals[key] = totals.get(key, NOTHING) + usage


def add_open(open_usage: OpenUsage, lease: LeaseId, model: str, usage: Usage) -> None:
    """Adds to the costs of a lease that is not settled, so that a later total adds only what is new.

    They are forgotten together with the lease: then no further total is taken in.
    """
    of_lease = open_usage.setdefault(lease, {})
    of_lease[model] = of_lease.get(model, NOTHING) + usage


def in_order(totals: Mapping[tuple[Phase, str], Usage]) -> tuple[tuple[Phase, str, Usage], ...]:
    return tuple((phase, model, totals[phase, model]) for phase, model in sorted(totals))
