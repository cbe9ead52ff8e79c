"""Hashable keys for JSON values, to find equal values in one step: 1 and 1.0 are equal, 1 and true are not."""

from __future__ import annotations

from typing import Any


def key_of(value: Any) -> Any:
    """Returns a hashable key that is equal for equal JSON values, and only for them."""
    match value:
        case bool():
            return ("boolean", value)
        case dict():
            return ("object", frozenset((name, key_of(entry)) for name, entry in value.items()))
        case list():
            return ("array", tuple(map(key_of, value)))
        case _:
            return value
