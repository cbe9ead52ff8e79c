"""Quoted phrases that may stand for other words: 'YYYY-MM-DD', 'Chapter N', '<name>', 'yes/no', '*.py'."""

from __future__ import annotations

import re

_LITERAL = frozenset({"n/a"})  # which only looks like a choice of two

_MARKS = re.compile(
    r"[<>{}\[\]…＜＞｛｝［］【】×○●□＿|^\\]|\.\.\.|__|\?\?|%[sdif]\b|\$[A-Za-z_]"  # brackets, and blanks to fill in
    r"|\*[^\s*]|[^\s*]\*|\.\+|(?<![A-Za-z0-9])[-~][A-Za-z]|[A-Za-z][-~](?![A-Za-z0-9])"  # wildcards, and parts of words
)
_LETTERS = re.compile(  # that stand for digits or words: YYYY, MM, XX, nnn; N and X by themselves, or beside digits
    r"(?<![A-Za-z])(?:([A-Za-z])\1+|[NnXxYyZz]|v[NXnx])(?![A-Za-z])"
)
_CHOICE = re.compile(r"^(?:an?|one|some|any|at least) | or |或|^[^\W\d_]+/[^\W\d_]+$|\betc\b|等等", re.IGNORECASE)
_NAMES = re.compile(
    r"\b(?:john|jane) (?:doe|smith)\b"
    r"|\byour[_-]|\byour (?:name|company|title|e-?mail|address|text|topic)\b"
    r"|\b(?:name|text|insert|date) here\b|\bfoo ?bar\b|某|张三|李四",
    re.IGNORECASE,
)


def may_stand_for_others(phrase: str) -> bool:
    """Tells whether a quoted phrase may be meant as a pattern, a choice or an example."""
    if phrase.lower() in _LITERAL or not any(map(str.isalnum, phrase)):
        return _MARKS.search(phrase) is not None and len(phrase) > 1
    return any(doubt.search(phrase) for doubt in (_MARKS, _LETTERS, _CHOICE, _NAMES))
