"""Rate limits of models, from a table that the user supplies.

[models."gpt-5-mini"]
requests_per_minute = 500
tokens_per_minute = 200_000     # either may be left out
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from runner_svc.core.fleet.rate_limits import Limit
from runner_svc.tables import read_table


class _Limit(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    requests_per_minute: int | None = Field(default=None, ge=1)
    tokens_per_minute: int | None = Field(default=None, ge=1)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    models: dict[str, _Limit] = Field(default_factory=dict)


def limits_in(path: Path) -> Mapping[str, Limit]:
    """Reads a table: limits by the name of the model. Raises ConfigurationError with the file and the problem."""
    table = read_table(path, _Table, "limits")
    return {
        model: Limit(requests=limit.requests_per_minute, tokens=limit.tokens_per_minute)
        for model, limit in table.models.items()
    }
