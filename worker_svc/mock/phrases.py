"""Finds phrases that criteria quote: "contains 'X'", "mentions “X” and “Y”", "does not include 'Z'", 「包含“甲”」."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

_QUOTED = r"""(?:'[^'\n]+'|"[^"\n]+"|“[^“”\n]+”|‘[^‘’\n]+’|「[^「」\n]+」|`[^`\n]+`)"""
_VERB = r"(?:\b(?:contain|include|mention|say)(?:s|ing)?\b|包含|包括|含有|提到|提及)"
_CLAIM = re.compile(
    rf"{_VERB}([^'\"“‘「`.;。；\n]{{0,40}})({_QUOTED}(?:(?:[\s,、和及或]|and|or|nor)+{_QUOTED})*)",
    re.IGNORECASE,
)
_NOTHING = re.compile(r"\b(?:no|neither|none|nothing)\b", re.IGNORECASE)
_EITHER = re.compile(rf"{_QUOTED}[^'\"“‘「`]*(?:\bor\b|或)", re.IGNORECASE)
_NEGATED = re.compile(r"(?:\bnot|n't|n’t|\bnever|\bwithout|\bno|不|未|没有)[^.;。；]{0,12}$", re.IGNORECASE)


class Phrases(NamedTuple):
    required: tuple[str, ...]
    forbidden: tuple[str, ...]


@functools.lru_cache(maxsize=1024)
def phrases_in(criterion: str) -> Phrases:
    """Returns the quoted phrases that a candidate must and must not contain.

    "Contains 'A' or 'B'" requires neither of the two, so it is passed over.
    """
    required: list[str] = []
    forbidden: list[str] = []
    for claim in _CLAIM.finditer(criterion):
        before = criterion[max(0, claim.start() - 24) : claim.start()]
        negated = _NEGATED.search(before) or _NOTHING.search(claim[1])
        found = [quoted[1:-1] for quoted in re.findall(_QUOTED, claim[2])]
        if negated or not _EITHER.search(claim[2]):
            (forbidden if negated else required).extend(found)
    return Phrases(tuple(required), tuple(forbidden))
