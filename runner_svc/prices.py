"""What models cost: a table that the user supplies. A model that is not in it has no known price, which is not zero.

currency = "USD"
[models."gpt-5-mini"]
input = 0.25        # for a million tokens
output = 2.0
request = 0.0       # for each request; may be left out
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from runner_svc.core.usage import MOST
from runner_svc.tables import read_table

NANOS = 1_000_000_000
MILLION = 1_000_000


class Price(BaseModel):
    """Of one model, in the table's currency."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float = Field(ge=0, allow_inf_nan=False)  #: for a million tokens
    output: float = Field(ge=0, allow_inf_nan=False)
    request: float = Field(default=0.0, ge=0, allow_inf_nan=False)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    currency: str = Field("", max_length=16)
    models: dict[str, Price] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prices:
    """The table; empty by default: then nothing has a known price."""

    currency: str = ""
    models: Mapping[str, Price] = field(default_factory=dict)

    def cost_nanos(self, model: str, input_tokens: int, output_tokens: int, requests: int) -> int | None:
        """In billionths of the currency; None when the model's price is not known."""
        price = self.models.get(model)
        if price is None:
            return None
        tokens = (input_tokens * price.input + output_tokens * price.output) / MILLION
        return round(min((tokens + requests * price.request) * NANOS, float(MOST)))


def prices_in(path: Path) -> Prices:
    """Reads a table. Raises ConfigurationError, with the file and what is wrong with it."""
    table = read_table(path, _Table, "prices")
    return Prices(table.currency, table.models)
