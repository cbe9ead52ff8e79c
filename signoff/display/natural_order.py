"""The order in which people count."""

from __future__ import annotations

from collections.abc import Iterable


def natural(ids: Iterable[str]) -> list[str]:
    """Returns ids in the order people count: 1_2 before 1_10."""
    return sorted(ids, key=lambda text: [(not p.isdigit(), int(p) if p.isdigit() else 0, p) for p in text.split("_")])
