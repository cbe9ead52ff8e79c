"""Makes texts that match a regular expression, from Python's own parse of it."""

from __future__ import annotations

import importlib
from typing import Any

# Private to `re`, but the only parser of its dialect, and the same from Python 3.11 on.
parser: Any = importlib.import_module("re._parser")
codes: Any = importlib.import_module("re._constants")

_MAX_REPEATS = 10_000


def matching_text(pattern: str) -> str:
    """Returns a short text that matches a pattern of literals, classes, repeats and alternatives.

    Ignores look-around and back-references; returns "" for a pattern that does not compile.
    """
    try:
        return "".join(_matching(code, argument) for code, argument in parser.parse(pattern))
    except (ValueError, OverflowError, RecursionError, codes.error):
        return ""


def _matching(code: Any, argument: Any) -> str:
    if code is codes.LITERAL:
        return chr(argument)
    if code is codes.NOT_LITERAL:
        return "a" if argument != ord("a") else "b"
    if code is codes.ANY:
        return "x"
    if code is codes.IN:
        return _member(argument)
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
        least, _, inner = argument
        return _sequence(inner) * int(min(least, _MAX_REPEATS))
    if code is codes.SUBPATTERN:
        return _sequence(argument[-1])
    if code is codes.ATOMIC_GROUP:
        return _sequence(argument)
    if code is codes.BRANCH:
        return _sequence(argument[1][0])
    return ""


def _sequence(inner: Any) -> str:
    return "".join(_matching(code, argument) for code, argument in inner)


_OF_CATEGORY = {
    codes.CATEGORY_DIGIT: "1",
    codes.CATEGORY_SPACE: " ",
    codes.CATEGORY_WORD: "a",
    codes.CATEGORY_NOT_DIGIT: "a",
    codes.CATEGORY_NOT_SPACE: "a",
    codes.CATEGORY_NOT_WORD: " ",
}


def _member(members: list[tuple[Any, Any]]) -> str:
    """Returns a character of a class such as [a-z_\\d] or [^"]."""
    if members[0][0] is codes.NEGATE:
        return next((c for c in "ab1 .-_Z\n" if not any(_holds(member, c) for member in members[1:])), "é")
    code, argument = members[0]
    if code is codes.LITERAL:
        return chr(argument)
    return chr(argument[0]) if code is codes.RANGE else _OF_CATEGORY.get(argument, "a")


def _holds(member: tuple[Any, Any], character: str) -> bool:
    code, argument = member
    if code is codes.LITERAL:
        return bool(argument == ord(character))
    if code is codes.RANGE:
        return bool(argument[0] <= ord(character) <= argument[1])
    is_in = {
        codes.CATEGORY_DIGIT: character.isdigit(),
        codes.CATEGORY_SPACE: character.isspace(),
        codes.CATEGORY_WORD: character.isalnum() or character == "_",
    }
    return bool(is_in.get(argument, True))
