"""Amounts of tests: a part in the ordinary run, all of them with --long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

_is_long = False


def try_all() -> None:
    """Chooses the long amounts. Call it before tests are collected."""
    global _is_long
    _is_long = True


def so_many(ordinary: int, *, long: int) -> int:
    """Returns the ordinary number, or the long one with --long: of examples of a property, or of their size."""
    return long if _is_long else ordinary


def each_once(ones: Sequence[Any], others: Sequence[Any], ids: Sequence[str]) -> list[Any]:
    """Returns parameters that pair each of `ones` with one of `others`, in turn; with --long, with each of them.

    `ids`: the names of `ones`.
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
    """Returns the names as parameters; all but the ordinary ones run only with --long."""
    assert set(ordinary) <= set(names)
    return [name if name in ordinary else pytest.param(name, marks=pytest.mark.long) for name in names]
