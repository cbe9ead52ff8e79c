"""Readers of single values of plan.json, with their bounds, and `Fields`, which reads an object with them.

A reader returns the value, or raises ValueError with what it expected and what it got.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from planner_svc.diagnostics import described, quoted
from planner_svc.model import Labels
from signoff.plan.limits import (
    MAX_ARGUMENT_BYTES,
    MAX_ARGUMENTS,
    MAX_ARGUMENTS_BYTES,
    MAX_LABELS,
    MAX_PATH_CHARS,
    MAX_PATH_PARTS,
)

MAX_NAME_CHARS = 128
MAX_NUMBER = 2**53  # the largest whole number every JSON reader agrees on

T = TypeVar("T")
Blame = Callable[[str, str], None]  # reports a problem: its place, and a sentence

_NAME = re.compile(rf"[A-Za-z0-9_.:/-]{{1,{MAX_NAME_CHARS}}}")


def name(value: object) -> str:
    """Reads the name of a handler, a model or a function."""
    if isinstance(value, str) and _NAME.fullmatch(value):
        return value
    rule = f'letters, digits, "_", "-", ".", ":" and "/", 1 to {MAX_NAME_CHARS} characters'
    raise ValueError(f"expected a name of {rule}, but got {described(value)}")


def names(most: int) -> Callable[[object], tuple[str, ...]]:
    """Reads a list of at most so many names."""

    def read(value: object) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise ValueError(f"expected a list of names, but got {described(value)}")
        if len(value) > most:
            raise ValueError(f"expected at most {most:,} names, but got {len(value):,}")
        return tuple(map(name, value))

    return read


def dotted_path(value: object) -> str:
    """Reads the path of a value in a JSON document, such as "a.b.c"."""
    if not isinstance(value, str):
        raise ValueError(f"expected a text, but got {described(value)}")
    if len(value) > MAX_PATH_CHARS:
        raise ValueError(f"expected at most {MAX_PATH_CHARS:,} characters, but got {len(value):,}")
    if (parts := value.count(".") + 1) > MAX_PATH_PARTS:
        raise ValueError(f"expected at most {MAX_PATH_PARTS} names with dots between them, but got {parts:,}")
    return value


def flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, but got {described(value)}")
    return value


def whole(least: int, most: int = MAX_NUMBER) -> Callable[[object], int]:
    def read(value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        bounds = f"from {least:,} to {most:,}" if most < MAX_NUMBER else f"of {least:,} or more"
        raise ValueError(f"expected a whole number {bounds}, but got {_number_or_type(value)}")

    return read


def number(least: float, most: float) -> Callable[[object], float]:
    def read(value: object) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most:
            return float(value)
        raise ValueError(f"expected a number from {least:,} to {most:,}, but got {_number_or_type(value)}")

    return read


def seconds(most: timedelta) -> Callable[[object], timedelta]:
    longest = int(most.total_seconds())

    def read(value: object) -> timedelta:
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= longest:
            return max(timedelta(seconds=value), timedelta.resolution)
        got = _number_or_type(value)
        raise ValueError(f"expected a number of seconds, more than 0 and at most {longest:,}, but got {got}")

    return read


def seconds_to_json(value: timedelta | None) -> float | None:
    """Returns seconds as plan.json has them: without a fraction when there is none."""
    if value is None:
        return None
    count = value.total_seconds()
    return int(count) if count.is_integer() else count


def argv(value: object) -> tuple[str, ...]:
    """Reads a program and its arguments."""
    if not isinstance(value, list) or not value:
        raise ValueError(f"expected a list with a program and its arguments, but got {described(value)}")
    for part in value:
        if not isinstance(part, str) or "\0" in part:
            raise ValueError(f"expected texts without null characters, but got {described(part)}")
    if not value[0]:
        raise ValueError("expected the name of a program first, but got an empty text")
    _check_sizes(value)
    return tuple(value)


def _check_sizes(arguments: list[str]) -> None:
    """Raises ValueError for more than an operating system gives to a program."""
    if len(arguments) > MAX_ARGUMENTS:
        raise ValueError(f"expected at most {MAX_ARGUMENTS:,} arguments, but got {len(arguments):,}")
    sizes = [len(argument.encode()) for argument in arguments]
    if max(sizes) > MAX_ARGUMENT_BYTES:
        raise ValueError(f"expected arguments of at most {MAX_ARGUMENT_BYTES:,} bytes, but got {max(sizes):,}")
    if sum(sizes) > MAX_ARGUMENTS_BYTES:
        raise ValueError(f"expected at most {MAX_ARGUMENTS_BYTES:,} bytes of arguments, but got {sum(sizes):,}")


def labels(value: object) -> Labels:
    if not isinstance(value, dict):
        raise ValueError(f"expected an object of texts, but got {described(value)}")
    if len(value) > MAX_LABELS:
        raise ValueError(f"expected at most {MAX_LABELS} labels, but got {len(value):,}")
    for label, wanted in value.items():
        if not label or len(label) > MAX_NAME_CHARS:
            raise ValueError(f"expected labels of 1 to {MAX_NAME_CHARS} characters, but got {quoted(label)}")
        if not isinstance(wanted, str) or len(wanted) > MAX_NAME_CHARS:
            rule = f"a text of at most {MAX_NAME_CHARS} characters"
            raise ValueError(f"expected {rule} under {quoted(label)}, but got {described(wanted)}")
    return tuple(sorted(value.items()))


def _number_or_type(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_NUMBER:
        return f"{value:,}"
    return described(value)


class Fields:
    """The fields of the object at `place`. A field that is wrong is reported, and counts as absent from then on."""

    def __init__(self, raw: object, place: str, blame: Blame, expected: str = "an object") -> None:
        self._place, self._blame = place, blame
        self._raw: Mapping[str, Any] = raw if isinstance(raw, dict) else {}
        if not isinstance(raw, dict):
            blame(place, f"expected {expected}, but got {described(raw)}")

    def only(self, known: Collection[str]) -> None:
        """Reports every other field, for a limit with a typo in its name would silently be no limit."""
        for field in self._raw:
            if field not in known:
                self._blame(self._place, f"expected fields out of {', '.join(known)}, but got {quoted(field)}")

    def has(self, field: str) -> bool:
        return self._raw.get(field) is not None

    def read(self, field: str, read: Callable[[object], T], default: T) -> T:
        value = self._raw.get(field)
        if value is None:
            return default
        try:
            return read(value)
        except ValueError as error:
            self._blame(f"{self._place}.{field}", str(error))
            return default

    def raw(self, field: str) -> Any:
        return self._raw.get(field)

    def wrong(self, field: str, message: str) -> None:
        self._blame(f"{self._place}.{field}", message)
