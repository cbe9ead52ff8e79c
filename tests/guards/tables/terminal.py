"""Guards of what reaches a person's terminal."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard("hidden characters are written out", "a plan, a model or a worker writes what steers a terminal"),
    Guard("hidden characters are escaped in JSON", "the same, and a person asks for JSON"),
    Guard("a terminal gets no raw bytes", "a person prints what a model made on their terminal"),
    Guard("logs are visible texts", "a worker is started by hand, and meets such a text"),
)
