"""How much is tried: a part in the ordinary run, all of it with --long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

_is_long = False


def try_all() -> None:
    """To be called before tests are collected: with --long."""
    global _is_long
    _is_long = True


def so_many(ordinary: int, *, long: int) -> int:
    """How many examples a property is tried on, and how long what it is tried on is."""
    return long if _is_long else ordinary


def each_once(ones: Sequence[Any], others: Sequence[Any], ids: Sequence[str]) -> list[Any]:
    """Parameters: each of the ones with one of the others, which take turns; with --long each with each.

    `ids`: the names of the ones.
    """
    return [
        pytest.param(
            one,
            other,
            id=f"{name}-{number}",
            marks=() if number == place % len(others) else pytest.mark.long,
        )
        for place, (one, name) in enumerate(zip(ones, ids, strict=True))
        for number, other in enumerate(others)
    ]


def long_but(ordinary: Sequence[str], names: Sequence[str]) -> list[Any]:
    """Parameters: the names, of which all but the ordinary ones take --long."""
    assert set(ordinary) <= set(names)
    return [name if name in ordinary else pytest.param(name, marks=pytest.mark.long) for name in names]
