"""Searches for patterns: in linear time when the result is the same, else with Python's own engine.

Plans are promised Python's `re`, which can take hours for a pattern such as `(a+)+$`. RE2 never does, but its dialect
differs. So a pattern goes to RE2 only when each of its parts means the same there: Python's parser reads it, and it is
written anew for RE2, with every set of characters spelled out. When the engines differ for some texts only, those texts
go to Python's engine. tests/worker_svc/validate/checking/test_patterns.py compares them.

RE2 is optional (the package google-re2): without it, every pattern goes to Python's engine.
"""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from re import _constants as ops  # type: ignore[attr-defined,unused-ignore]  # there is no public parser
from re import _parser  # type: ignore[attr-defined,unused-ignore]
from typing import Any, NamedTuple

try:
    import re2
except ImportError:  # there are no wheels for some processors
    re2 = None

_MEMORY = 8 * 1024**2  # bytes of one compiled pattern and its automaton
_MOST_REPEATS = 1_000  # RE2 takes no more
_MOST_CHARS = 20_000  # of a pattern written for RE2; compiling a longer one takes more time than it saves
_LAST = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)

# Python's classes for ASCII; beyond it, the engines follow different versions of Unicode.
_DIGITS = [(0x30, 0x39)]
_WORD = [(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)]
_SPACE = [(0x09, 0x0D), (0x20, 0x20)]
_SPACE_UNICODE = [(0x09, 0x0D), (0x1C, 0x1F), (0x20, 0x20)]  # for `re`, four separators are white space too

Ranges = list[tuple[int, int]]


class PatternMatch(NamedTuple):
    """The place of a match, and its text."""

    start: int
    text: str


class Linear(NamedTuple):
    """A pattern for RE2, and the texts for which it means the same as in Python."""

    engine: Any
    ascii_only: bool  #: the pattern has classes of characters, or ignores case
    no_last_newline: bool  #: the pattern has a `$`, which in Python also matches before a newline at the end


class _Different(Exception):
    """A part of a pattern that RE2 lacks, or reads in another way."""


def search(pattern: str, text: str) -> PatternMatch | None:
    """Returns the first match, or None. Raises re.error, or another error of `re`, for a broken pattern."""
    linear = linear_for(pattern, text)
    match = linear.engine.search(text) if linear is not None else re.search(pattern, text)
    return None if match is None else PatternMatch(start=match.start(), text=match[0])


def steps(pattern: str, text: str) -> int | None:
    """Returns the largest number of steps that a search takes, or None when there is no bound."""
    linear = linear_for(pattern, text)
    return None if linear is None else linear.engine.programsize * (len(text.encode()) + 1)


def linear_for(pattern: str, text: str) -> Linear | None:
    """Returns the pattern for RE2, or None when it would not mean the same for this text."""
    linear = _linear(pattern)
    if linear is None or (linear.ascii_only and not text.isascii()):
        return None
    if linear.no_last_newline and text.endswith("\n"):
        return None
    return linear if text.isascii() or _is_utf8(text) else None


def _is_utf8(text: str) -> bool:
    """Tells whether a text has no half characters: JSON may hold them, as \\ud800."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=128)
def _linear(pattern: str) -> Linear | None:
    if re2 is None:
        return None
    writer = _Writer()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = _parser.parse(pattern)
        written = writer.sequence(parsed, parsed.state.flags)
        if len(written) > _MOST_CHARS:
            return None
        options = re2.Options()
        options.max_mem, options.log_errors = _MEMORY, False
        engine = re2.compile(written, options)
    except (_Different, re.error, re2.error, ValueError, OverflowError, RecursionError):
        return None
    return Linear(engine=engine, ascii_only=writer.ascii_only, no_last_newline=writer.no_last_newline)


class _Writer:
    """Writes a parsed pattern in RE2's syntax. Raises _Different for a part that has no equal there."""

    def __init__(self) -> None:
        self.ascii_only = self.no_last_newline = False

    def sequence(self, parsed: Any, flags: int) -> str:
        return "".join(self._part(operation, argument, flags) for operation, argument in parsed)

    def _part(self, operation: Any, argument: Any, flags: int) -> str:
        if operation is ops.LITERAL:
            return self._set([(argument, argument)], flags)
        if operation is ops.NOT_LITERAL:
            return self._set([(argument, argument)], flags, negated=True)
        if operation is ops.IN:
            negated = argument[0][0] is ops.NEGATE
            return self._set(self._members(argument[negated:], flags), flags, negated=negated)
        if operation is ops.ANY:
            return r"[\x{0}-\x{10FFFF}]" if flags & re.DOTALL else r"[^\n]"
        if operation is ops.AT:
            return self._place(argument, flags)
        if operation is ops.BRANCH:
            return f"(?:{'|'.join(self.sequence(branch, flags) for branch in argument[1])})"
        if operation is ops.SUBPATTERN:
            _, added, removed, inner = argument
            if added & (re.ASCII | re.UNICODE):
                raise _Different  # Python ignores the group's flags when it searches for the first character
            return f"(?:{self.sequence(inner, (flags | added) & ~removed)})"
        if operation in (ops.MAX_REPEAT, ops.MIN_REPEAT):
            return self._repeat(argument, flags, lazy=operation is ops.MIN_REPEAT)
        raise _Different

    def _repeat(self, argument: Any, flags: int, *, lazy: bool) -> str:
        least, most, inner = argument
        if inner.getwidth()[0] == 0:
            raise _Different  # the engines repeat an empty part in their own ways
        if least > _MOST_REPEATS or (most is not ops.MAXREPEAT and most > _MOST_REPEATS):
            raise _Different
        upper = "" if most is ops.MAXREPEAT else str(most)
        return f"(?:{self.sequence(inner, flags)}){{{least},{upper}}}{'?' if lazy else ''}"

    def _place(self, place: Any, flags: int) -> str:
        if place is ops.AT_NON_BOUNDARY:
            raise _Different  # on an empty text, Python 3.14 differs from earlier ones
        if place is ops.AT_BOUNDARY:
            self.ascii_only |= not flags & re.ASCII
            return r"\b"
        if place is ops.AT_BEGINNING and flags & re.MULTILINE:
            return "(?m:^)"
        if place is ops.AT_END and flags & re.MULTILINE:
            return "(?m:$)"
        if place is ops.AT_END:
            self.no_last_newline = True
            return r"\z"
        return r"\A" if place in (ops.AT_BEGINNING, ops.AT_BEGINNING_STRING) else r"\z"

    def _members(self, members: Any, flags: int) -> Ranges:
        ranges: Ranges = []
        for operation, argument in members:
            if operation is ops.LITERAL:
                ranges.append((argument, argument))
            elif operation is ops.RANGE:
                ranges.append(argument)
            elif operation is ops.CATEGORY:
                ranges += self._category(argument, flags)
            else:
                raise _Different
        return ranges

    def _category(self, category: Any, flags: int) -> Ranges:
        self.ascii_only |= not flags & re.ASCII
        space = _SPACE if flags & re.ASCII else _SPACE_UNICODE
        positive = {ops.CATEGORY_DIGIT: _DIGITS, ops.CATEGORY_WORD: _WORD, ops.CATEGORY_SPACE: space}
        negative = {ops.CATEGORY_NOT_DIGIT: _DIGITS, ops.CATEGORY_NOT_WORD: _WORD, ops.CATEGORY_NOT_SPACE: space}
        return positive[category] if category in positive else _others(negative[category])

    def _set(self, ranges: Ranges, flags: int, *, negated: bool = False) -> str:
        if any(last in _SURROGATES or first in _SURROGATES for first, last in ranges):
            raise _Different
        if flags & re.IGNORECASE:
            self.ascii_only = True
            if any(last > 0x7F for _, last in ranges):
                raise _Different  # ſ and K (Kelvin) are s and k for Python
            ranges = [*ranges, *_in_other_case(ranges)]
        if not negated and len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
            return f"\\x{{{ranges[0][0]:X}}}"
        inner = "".join(f"\\x{{{first:X}}}-\\x{{{last:X}}}" for first, last in ranges)
        return f"[{'^' if negated else ''}{inner}]"


def _others(ranges: Ranges) -> Ranges:
    """Returns the ranges between some ranges, which are in order."""
    begun, others = 0, []
    for first, last in ranges:
        if first > begun:
            others.append((begun, first - 1))
        begun = last + 1
    return [*others, (begun, _LAST)]


def _in_other_case(ranges: Ranges) -> Ranges:
    """Returns the ASCII letters of the ranges in their other case."""
    letters = {chr(code) for first, last in ranges for code in range(first, last + 1) if chr(code).isalpha()}
    return [(ord(letter.swapcase()), ord(letter.swapcase())) for letter in sorted(letters)]
