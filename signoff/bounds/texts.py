"""Texts: the forms that they may have, how deep one that is JSON is nested, and how one that is too long is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import accumulate

from signoff.v1 import bounds_pb2

ELLIPSIS = "…"  # the last character of a text that was cut
_SHOWN = 40  # characters of a value that an error shows

_LINE = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]"
#: What a form is made of, how many of it, and in words.
FORMS: Mapping[int, tuple[str, str, str]] = {
    bounds_pb2.FORM_TASK_ID: ("[A-Za-z0-9_]", "{0,128}", 'letters, digits and "_", at most 128 characters'),
    bounds_pb2.FORM_PLAN_ID: ("[A-Za-z0-9_-]", "{0,128}", 'letters, digits, "_" and "-", at most 128 characters'),
    bounds_pb2.FORM_ID: ("[A-Za-z0-9_.-]", "{0,128}", 'letters, digits, "_", "-" and ".", at most 128 characters'),
    bounds_pb2.FORM_SHA256: ("[0-9a-f]", "{64}|", "a SHA-256: 64 hex digits, small letters"),
    bounds_pb2.FORM_LINE: (_LINE, "*", "one line without control characters"),
}


def pattern_of(bounds: bounds_pb2.Bounds) -> re.Pattern[str]:
    """Matches the whole of a text that has the form, and the length if the bounds name one in characters."""
    letters, many, _ = FORMS[bounds.form]
    return re.compile(letters + (f"{{0,{bounds.max_chars}}}" if bounds.max_chars else many))


def quoted(text: str) -> str:
    """A value as an error names it: quoted, with its control characters visible, and cut when it is long."""
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}{ELLIPSIS} ({len(text):,} characters)"


def clipped(text: str, most: int) -> str:
    """The text, or its beginning and an ellipsis when it is longer than `most` characters."""
    return text if len(text) <= most else text[: most - 1] + ELLIPSIS


def bytes_beyond(text: str, most: int) -> int:
    """The bytes of a text in UTF-8 when they are more than `most`, else 0."""
    if len(text) * 4 <= most:
        return 0
    size = len(text.encode())
    return size if size > most else 0


# A string that never ends reaches to the end of the text: else each of its quotes would be looked at as a beginning.
_JSON_TEXT = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_BRACKETS = re.compile(r"[\[\]{}]")
_STEPS = {"[": 1, "{": 1, "]": -1, "}": -1}


def depth_of(text: str, most: int = 0) -> int:
    """How deep arrays and objects of a JSON text are nested, by one look along it: nothing is parsed.

    With `most`, a text in which so few begin that they cannot be deeper is not looked at any further.
    """
    begun = text.count("[") + text.count("{")
    if begun <= most:
        return begun
    brackets = _BRACKETS.findall(_JSON_TEXT.sub("", text))
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)
