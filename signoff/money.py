"""Amounts of money on the wire and in the journal: whole billionths ("nanos") of the price table's currency."""

from __future__ import annotations

NANOS = 1_000_000_000


def to_nanos(amount: float) -> int:
    """Returns an amount of the currency in billionths."""
    return round(amount * NANOS)


def from_nanos(nanos: float) -> float:
    """Returns billionths as an amount of the currency. Raises OverflowError for more than a float holds."""
    return nanos / NANOS
