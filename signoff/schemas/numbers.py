"""Numbers of JSON with the digits they were written with.

A float keeps about 17 digits and no decimal fraction: 19.99 would be no multiple of 0.01. Nothing here writes a number
out in full, because eleven bytes such as 1e999999999 would become a billion.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from math import isinf
from typing import Any, NoReturn


class Number(Decimal):
    """A number with a fraction or an exponent. In messages it looks as it does in JSON."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def number_of(text: str) -> Number:
    """Returns a number as it is written, for `parse_float` of json.loads. Raises ValueError when none can hold it."""
    try:
        return Number(text)
    except InvalidOperation as error:
        raise ValueError(f"it holds the number {text[:40]}, whose exponent is too large to be read") from error


def exact_json(text: str | bytes) -> Any:
    """Returns json.loads of a text, its numbers exact. Raises ValueError, also for NaN and Infinity."""
    return json.loads(text, parse_float=number_of, parse_constant=_refuse)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}, which is not JSON")


def json_text(value: Any) -> str:
    """Returns compact JSON of a value whose numbers may be exact. Raises ValueError for NaN and infinities."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except TypeError:  # json.dumps knows no Decimal
        return _exact_text(value)


def _exact_text(value: Any) -> str:
    match value:
        case Decimal():
            if isinf(float(value)):
                raise ValueError(f"expected numbers that a double can hold, but got {str(value)[:40]}")
            return str(value)
        case dict():
            members = (f"{json.dumps(key, ensure_ascii=False)}:{_exact_text(entry)}" for key, entry in value.items())
            return "{" + ",".join(members) + "}"
        case list():
            return "[" + ",".join(map(_exact_text, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False, allow_nan=False)


def has_fractions(value: Any) -> bool:
    """Tells whether a value read by another parser holds floats, which cannot hold decimal fractions exactly."""
    return any(True for _ in _floats(value))


def may_lack_digits(value: Any) -> bool:
    """Tells whether a value read by another parser holds floats with so many digits that some may have been lost."""
    return any(sum(map(str.isdigit, repr(number).partition("e")[0])) > SURE_DIGITS for number in _floats(value))


SURE_DIGITS = 15  # that a float keeps of any decimal number


def _floats(value: Any) -> Iterator[float]:
    pending = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, float):
            yield part
        elif isinstance(part, dict | list):
            pending.extend(part.values() if isinstance(part, dict) else part)


def is_whole(value: Decimal) -> bool:
    """Tells whether a number has no fraction: 1.0 and 1e400 have none."""
    digits, exponent = _parts(value)
    return exponent >= 0 or digits == 0 or (-exponent <= _length(value) and digits % 10**-exponent == 0)


def is_multiple(value: int | Decimal, step: int | Decimal) -> bool:
    """Tells exactly whether a number is a multiple of another, in a time that does not grow with their exponents."""
    (digits, exponent), (step_digits, step_exponent) = _parts(value), _parts(step)
    shift = exponent - step_exponent
    if digits == 0:
        return True
    if shift >= 0:
        return digits * pow(10, shift, step_digits) % step_digits == 0
    return -shift <= _length(value) and digits % (step_digits * 10**-shift) == 0


def _parts(value: int | Decimal) -> tuple[int, int]:
    """Returns the digits of a number as a whole one, without its sign, and the power of ten to multiply them by."""
    if isinstance(value, int):
        return abs(value), 0
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    return int(Decimal((0, digits, 0))), exponent


def _length(value: int | Decimal) -> int:
    """Returns how many digits a number may have, at most: a larger power of ten does not divide them."""
    return len(value.as_tuple().digits) if isinstance(value, Decimal) else value.bit_length() // 3 + 1
