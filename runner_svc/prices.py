"""Prices of models, from a table that the user supplies. A model that it lacks has an unknown price, not a price of 0.

currency = "USD"
[models."gpt-5-mini"]
input = 0.25        # for a million tokens
output = 2.0
request = 0.0       # for each request; may be left out, like the next two
cached_input = 0.025  # for a million tokens that the provider read from a cache; left out: as `input`
reasoning = 2.0     # for a million reasoning tokens; left out: as `output`
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from runner_svc.core.model.usage import MOST, Usage
from runner_svc.tables import read_table
from signoff.money import NANOS

MILLION = 1_000_000


class Price(BaseModel):
    """The prices of one model, in the table's currency."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float = Field(ge=0, allow_inf_nan=False)  #: for a million tokens
    output: float = Field(ge=0, allow_inf_nan=False)
    request: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    cached_input: float | None = Field(default=None, ge=0, allow_inf_nan=False)  #: None: as `input`
    reasoning: float | None = Field(default=None, ge=0, allow_inf_nan=False)  #: None: as `output`

    def nanos(self, usage: Usage) -> int:
        """Returns the cost of the counted tokens and the requests, in billionths of the currency."""
        cached, thought = usage.cached_input_tokens, usage.reasoning_tokens
        tokens = (usage.input_tokens - cached) * self.input + (usage.output_tokens - thought) * self.output
        tokens += cached * (self.input if self.cached_input is None else self.cached_input)
        tokens += thought * (self.output if self.reasoning is None else self.reasoning)
        return _nanos(tokens / MILLION + usage.requests * self.request)

    def nanos_of_estimate(self, usage: Usage) -> int:
        """Returns the cost of the estimated tokens, as above, at the dearest price of their kind."""
        dearest_input = max(self.input, self.cached_input or 0.0)
        dearest_output = max(self.output, self.reasoning or 0.0)
        tokens = usage.estimated_input_tokens * dearest_input + usage.estimated_output_tokens * dearest_output
        return _nanos(tokens / MILLION)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    currency: str = Field("", max_length=16)
    models: dict[str, Price] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prices:
    """The table of prices; empty by default."""

    currency: str = ""
    models: Mapping[str, Price] = field(default_factory=dict)

    def priced(self, model: str, usage: Usage) -> Usage:
        """Returns an amount with its cost. Without a price its tokens count as unpriced."""
        price = self.models.get(model)
        if price is None:
            return replace(usage, cost_nanos=0, estimated_cost_nanos=0, unpriced_tokens=usage.tokens)
        return replace(
            usage,
            cost_nanos=price.nanos(usage),
            estimated_cost_nanos=price.nanos_of_estimate(usage),
            unpriced_tokens=0,
        )

    def dearest(self, usage: Usage) -> Usage:
        """Returns an amount with its cost at the dearest model. With an empty table its tokens count as unpriced."""
        if not self.models:
            return self.priced("", usage)
        return max((self.priced(model, usage) for model in self.models), key=lambda priced: priced.cost)


def _nanos(amount: float) -> int:
    return round(min(amount * NANOS, float(MOST)))


def prices_in(path: Path) -> Prices:
    """Reads a table. Raises ConfigurationError with the file and the problem."""
    table = read_table(path, _Table, "prices")
    return Prices(table.currency, table.models)
