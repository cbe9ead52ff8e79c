"""Readers for the fields of a structured check, whose errors begin with the name of the field."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeVar

from planner_svc.checks.kinds import Check
from planner_svc.diagnostics import described, quoted
from planner_svc.read.fields import flag, whole

T = TypeVar("T")

Reader = Callable[[dict[str, Any]], Check]

_count_of = whole(0)


def required(raw: dict[str, Any], field: str, read: Callable[[object], T]) -> T:
    """Reads a field. Raises ValueError, which begins with its name."""
    return blaming(field, read, raw.get(field))


def optional(raw: dict[str, Any], field: str, read: Callable[[object], T], default: T) -> T:
    """Reads a field, or returns the default when it is absent."""
    return default if raw.get(field) is None else required(raw, field, read)


def flag_of(raw: dict[str, Any], field: str) -> bool:
    """Tells whether a field is true; an absent one counts as false."""
    return optional(raw, field, flag, False)


def blaming(field: str, read: Callable[[object], T], value: object) -> T:
    """Reads a value, and puts the field's name before what is wrong with it."""
    try:
        return read(value)
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from error


def bounds(raw: dict[str, Any], what: str) -> tuple[int, int | None]:
    """Reads min_… and max_…, of which one may be missing."""
    least, most = bounds_if_any(raw, what, _count_of)
    if least is None and most is None:
        raise ValueError(f"expected min_{what} or max_{what}, but got neither")
    return least or 0, most


def bounds_if_any(raw: dict[str, Any], what: str, read: Callable[[object], int]) -> tuple[int | None, int | None]:
    """Reads min_… and max_…, both of which may be missing."""
    least, most = (optional(raw, f"{side}_{what}", read, None) for side in ("min", "max"))
    if most is not None and (least or 0) > most:
        raise ValueError(f"expected min_{what} to be at most max_{what}, but got {least:,} and {most:,}")
    return least, most


def line(most: int) -> Callable[[object], str]:
    """Reads a text of one line that is not empty and has no control characters."""

    def read(value: object) -> str:
        text = phrase(most)(value)
        if not text.isprintable():
            raise ValueError(f"expected one line without control characters, but got {quoted(text)}")
        return text

    return read


def phrase(most: int) -> Callable[[object], str]:
    """Reads a text that can be searched for: it has a visible character."""

    def read(value: object) -> str:
        if not isinstance(value, str) or not any(map(is_visible, value)):
            raise ValueError(f"expected a text that is not empty, but got {described(value)}")
        if len(value) > most:
            raise ValueError(f"expected at most {most:,} characters, but got {len(value):,}")
        return value

    return read


def is_visible(character: str) -> bool:
    """Tells whether a character can be seen: white space and control characters cannot."""
    return character.isprintable() and not character.isspace()


def phrases(most: int, most_chars: int) -> Callable[[object], tuple[str, ...]]:
    """Reads a list of texts that can be searched for."""
    read_one = phrase(most_chars)

    def read(value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not value:
            raise ValueError(f"expected a list of texts that is not empty, but got {described(value)}")
        if len(value) > most:
            raise ValueError(f"expected at most {most:,} texts, but got {len(value):,}")
        return tuple(map(read_one, value))

    return read


def one_of(choices: Collection[str]) -> Callable[[object], str]:
    """Reads a text that must be one of a few."""

    def read(value: object) -> str:
        if isinstance(value, str) and value in choices:
            return value
        raise ValueError(f"expected one of {', '.join(choices)}, but got {described(value)}")

    return read


def closed(known: Collection[str], read: Reader) -> Reader:
    """Makes a reader refuse unknown fields: with a typo in max_occurrences, a forbidden phrase would be required."""

    def read_known(raw: dict[str, Any]) -> Check:
        only(known, raw)
        return read(raw)

    return read_known


def only(known: Collection[str], raw: dict[str, Any]) -> None:
    """Raises ValueError for a field that is not known."""
    for field in raw:
        if field not in known:
            raise ValueError(f"expected fields out of {', '.join(known)}, but got {quoted(field)}")
