"""Reads a candidate as text, as JSON, or as prose, and refuses content that readers disagree on."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import lru_cache
from math import isinf
from typing import Any, NoReturn

from signoff.schemas.numbers import Number, number_of


class CheckFailed(Exception):
    """The candidate does not pass; the text says why."""


class CheckBroken(Exception):
    """The check itself cannot be carried out; the text says why."""


def text_of(content: bytes) -> str:
    """Returns the candidate as text. Refuses a NUL: some readers end there, and would see less than was judged."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CheckFailed(
            f"expected UTF-8 text, but byte {error.start} is 0x{content[error.start]:02x} ({error.reason})"
        ) from error
    if (at := text.find("\x00")) >= 0:
        raise CheckFailed(f"expected text, but character {at} is NUL (0x00)")
    return text


def json_of(content: bytes) -> Any:
    """Returns the candidate as strict JSON: no byte order mark, no NaN, and no key twice in one object."""
    text = text_of(content)
    try:
        return _value_of(content)
    except json.JSONDecodeError as error:
        near = text[max(0, error.pos - 20) : error.pos + 20]
        raise CheckFailed(
            f"expected JSON, but at line {error.lineno}, column {error.colno}: {error.msg} (near {near!r})"
        ) from error
    except ValueError as error:
        raise CheckFailed(f"expected JSON, but {error}") from error


def json_lines_of(content: bytes) -> list[Any]:
    """Returns the values of JSON Lines, one for each line; only the last line may be empty."""
    values = list[Any]()
    for number, line in enumerate(text_of(content).removesuffix("\n").split("\n"), 1):
        try:
            values.append(strict_json(line))
        except json.JSONDecodeError as error:
            got = f"column {error.colno}: {error.msg} (near {line[max(0, error.pos - 20) : error.pos + 20]!r})"
            raise CheckFailed(f"expected JSON in each line, but at line {number}, {got}") from error
        except ValueError as error:
            raise CheckFailed(f"expected JSON in each line, but at line {number}, {error}") from error
    return values


def strict_json(text: str) -> Any:
    """Reads JSON with all digits of its numbers, and refuses what readers disagree on.

    That includes numbers that no double can hold: readers make infinity of them. Raises ValueError; JSONDecodeError
    when the grammar is broken.
    """
    try:
        return json.loads(
            text,
            # guard: decimals are exact -> (removed)
            parse_float=_finite,
            parse_int=_whole,
            parse_constant=refuse_constant,
            object_pairs_hook=object_of,
        )
    except RecursionError as error:
        raise ValueError("it is nested too deeply to be read") from error
    except ValueError as error:
        if "Exceeds the limit" not in str(error) or isinstance(error, json.JSONDecodeError):
            raise
        most = sys.get_int_max_str_digits()
        raise ValueError(f"it holds a number of more than {most} digits, which readers do not read") from error


def _finite(text: str) -> Number:
    # guard: numbers fit in a double -> if False:
    if isinf(float(text)):
        raise ValueError(f"it holds the number {text[:40]}, which is larger than readers of JSON can hold")
    return number_of(text)


def _whole(text: str) -> int:
    number = int(text)
    if len(text) > SURELY_FINITE_DIGITS and isinf(float(text)):
        raise ValueError(f"it holds a number of {len(text)} digits, which is larger than readers of JSON can hold")
    return number


SURELY_FINITE_DIGITS = 300  # the largest double has 309


@lru_cache(maxsize=1)
def _value_of(content: bytes) -> Any:
    """Returns the candidate's JSON, which all of its checks read, and none changes."""
    return strict_json(content.decode("utf-8"))


def forget() -> None:
    """Drops the candidate that was read last."""
    _value_of.cache_clear()


def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Makes a JSON object. Refuses a key that comes twice: some readers take the first, some the last."""
    made = dict(pairs)
    # guard: no key twice -> if False:
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice!r} comes twice in one object, and readers disagree on which one counts")
    return made


def refuse_constant(name: str) -> NoReturn:
    """Refuses NaN and Infinity, which Python reads but JSON does not have."""
    raise ValueError(f"it holds {name}, which is not JSON")


def prose_of(content: bytes, *, keys: bool = False) -> str:
    """Returns a candidate's prose: its text, or the strings of a JSON object or array, a line each.

    The syntax of JSON is no prose: an escape such as \\u0041 or an array [1] does not mean what it looks like.
    """
    return "\n".join(strings_of(content, keys=keys))


def strings_of(content: bytes, *, keys: bool = False) -> list[str]:
    """Returns the strings of a candidate that is a JSON object or array; of any other, its text."""
    text = text_of(content)
    if not text.lstrip().startswith(("{", "[")):
        return [text]
    try:
        value = _value_of(content)
    except ValueError:
        return [text]
    return list(_strings(value, keys))


def _strings(value: Any, keys: bool) -> Iterator[str]:
    """Yields all strings below a value, in order. Uses its own stack: JSON may be nested deeper than Python calls."""
    stack = [value]
    while stack:
        match stack.pop():
            case str() as text:
                yield text
            case list() as items:
                stack += reversed(items)
            case dict() as entries:
                stack += reversed(
                    [part for key, item in entries.items() for part in ((key, item) if keys else (item,))]
                )


def type_in_words(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
