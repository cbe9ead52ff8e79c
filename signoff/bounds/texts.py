"""Texts: the forms that they may have, the depth of JSON, and how errors quote a text that is too long."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import accumulate

from signoff.v1 import bounds_pb2

ELLIPSIS = "…"  # the last character of a text that was cut
_SHOWN = 40  # characters of a value that an error shows

_LINE = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]"
#: Of each form: a pattern of its characters, how many there may be, and the rule in words.
FORMS: Mapping[int, tuple[str, str, str]] = {
    bounds_pb2.FORM_TASK_ID: ("[A-Za-z0-9_]", "{0,128}", 'letters, digits and "_", at most 128 characters'),
    bounds_pb2.FORM_PLAN_ID: ("[A-Za-z0-9_-]", "{0,128}", 'letters, digits, "_" and "-", at most 128 characters'),
    bounds_pb2.FORM_ID: ("[A-Za-z0-9_.-]", "{0,128}", 'letters, digits, "_", "-" and ".", at most 128 characters'),
    bounds_pb2.FORM_SHA256: ("[0-9a-f]", "{64}|", "a SHA-256: 64 hex digits, small letters"),
    bounds_pb2.FORM_LINE: (_LINE, "*", "one line without control characters"),
}


def pattern_of(bounds: bounds_pb2.Bounds) -> re.Pattern[str]:
    """Returns a pattern of whole texts that have the form, and the length if the bounds state one in characters."""
    letters, many, _ = FORMS[bounds.form]
    return re.compile(letters + (f"{{0,{bounds.max_chars}}}" if bounds.max_chars else many))


def quoted(text: str) -> str:
    """Returns a value as an error shows it: quoted, with control characters visible, and cut when it is long."""
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}{ELLIPSIS} ({len(text):,} characters)"


def clipped(text: str, most: int) -> str:
    """Returns the text, or its beginning and an ellipsis when it is longer than `most` characters."""
    return text if len(text) <= most else text[: most - 1] + ELLIPSIS


def bytes_beyond(text: str, most: int) -> int:
    """Returns the size of a text in UTF-8 when it is more than `most` bytes, else 0."""
    if len(text) * 4 <= most:
        return 0
    size = len(text.encode())
    return size if size > most else 0


# A string that never ends reaches to the end of the text: else each of its quotes would be looked at as a beginning.
_JSON_TEXT = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_BRACKETS = re.compile(r"[\[\]{}]")
_STEPS = {"[": 1, "{": 1, "]": -1, "}": -1}


def depth_of(text: str, most: int = 0) -> int:
    """Returns how deep arrays and objects of a JSON text are nested, in one pass without parsing.

    With `most`, a text with at most so many opening brackets is not examined any further: it cannot be deeper.
    """
    begun = text.count("[") + text.count("{")
    if begun <= most:
        return begun
    brackets = _BRACKETS.findall(_JSON_TEXT.sub("", text))
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)
