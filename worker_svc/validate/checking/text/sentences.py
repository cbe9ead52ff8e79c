"""Splits a text into sentences, by the rules of docs/reference/checks.md.

A sentence ends at its mark (. ! ? … and those of other scripts), and at the end of a paragraph or of a list's item. In
scripts with spaces, the mark must stand before white space, and not before a small letter, unless the whole text has no
capital letter. A full stop behind an abbreviation or an initial, or between digits, ends no sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from worker_svc.validate.checking.text.scripts import has_letters, is_spaceless

_CLOSING = "\"'”’»›)\\]}）】」』》*_"
_ALWAYS = "。！？｡｡।॥"  # they need no space behind them, or have no other use
_MARKS = re.compile(rf"[.!?…؟۔։።။៕{_ALWAYS}]+[{_CLOSING}]*")
_LONGEST = 20  # characters of an abbreviation, with those before it
_DOTTED = re.compile(r"(?:[^\W\d_]{1,2}\.)+[^\W\d_]{1,2}", re.ASCII)
_NEXT = re.compile(r"\s*[\"'“‘«(\[*_]*(\w{0,12}|\S)")

_TITLES = frozenset(
    {"mr", "mrs", "ms", "mx", "dr", "prof", "st", "mt", "ft", "rev", "gen", "sen", "rep", "gov", "capt",
     "lt", "col", "sgt", "hon", "messrs", "mme", "mlle"}
)  # fmt: skip
_NEVER_LAST = frozenset(
    {"e.g", "i.e", "eg", "ie", "cf", "vs", "viz", "resp", "approx", "ca", "incl", "esp", "z.b", "d.h", "bzw"}
)  # fmt: skip
_BEFORE_NUMBER = frozenset(
    {"no", "nos", "nr", "vol", "p", "pp", "fig", "figs", "eq", "eqs", "sec", "ch", "art", "par"}
)  # fmt: skip
_MAY_BE_LAST = frozenset(
    {"a.m", "p.m", "ph.d", "etc"}
)  # fmt: skip
_STARTERS = frozenset(  # after an initial such as "Plan B." they begin a sentence, for they are no names
    {"A", "An", "And", "But", "He", "However", "I", "If", "In", "It", "She", "So", "That", "The", "Then", "There",
     "These", "They", "This", "We", "When", "You"}
)  # fmt: skip


def sentences_in(block: str, *, has_capitals: bool) -> Iterator[str]:
    """Yields the sentences of one paragraph or item; a piece without a letter or digit belongs to the one before."""
    begun = bare = 0  # from `begun` to `bare`, there is no letter
    for mark in _MARKS.finditer(block):
        if not _ends(block, mark, has_capitals):
            continue
        if has_letters(block[bare : mark.end()]):
            yield block[begun : mark.end()].strip()
            begun = mark.end()
        # guard: letters are looked for once -> bare = begun
        bare = mark.end()
    if has_letters(block[bare:]):
        yield block[begun:].strip()


def _ends(block: str, mark: re.Match[str], has_capitals: bool) -> bool:
    if any(character in _ALWAYS for character in mark[0]):
        return True
    if mark.end() == len(block):
        return True
    if not block[mark.end()].isspace():
        return is_spaceless(block[mark.end()])
    found = _NEXT.match(block, mark.end())
    following = found[1] if found else ""
    if has_capitals and following[:1].islower():
        return False
    return not (mark[0] == "." and _is_abbreviation(block, mark.start(), following))


def _is_abbreviation(block: str, dot: int, following: str) -> bool:
    """Tells whether the full stop at `dot` is part of the word before it."""
    before = block[max(0, dot - _LONGEST) : dot]
    written = before.split()[-1].lstrip("([\"'“‘«*_") if before and not before[-1].isspace() else ""
    word = written.lower()
    if word in _MAY_BE_LAST:
        return False
    if word in _BEFORE_NUMBER:
        return following[:1].isdigit()
    if word in _TITLES or word in _NEVER_LAST:
        return True
    is_initial = len(word) == 1 and written.isupper() and written != "I"
    return (is_initial or _DOTTED.fullmatch(word) is not None) and following not in _STARTERS
