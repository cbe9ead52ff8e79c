"""Counts that judges claim, counted again by code where it knows the unit.

A unit may be counted in several ways: an item of a list may have a bullet or a number, a title may be a heading or not.
A claim is right when it is one of these counts; of words, which models cannot count, when it is near one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from worker_svc.validate.checking import parts
from worker_svc.validate.checking.text.folding import folded
from worker_svc.validate.checking.text.markdown import LineKind, lines_of
from worker_svc.validate.judge.evidence import words_in

NEAR = 0.1  # of a count of words
_ANY = 10**9

_NUMBERS = {
    word: number
    for number, words in enumerate(
        (
            ("zero", "no", "零"), ("one", "a", "an", "一"), ("two", "二", "两"), ("three", "三"), ("four", "四"),
            ("five", "五"), ("six", "六"), ("seven", "七"), ("eight", "八"), ("nine", "九"), ("ten", "十"),
            ("eleven", "十一"), ("twelve", "十二"),
        )
    )
    for word in words
}  # fmt: skip
_N = (
    r"((?<!\d)(?<!\d,)\d[\d,]{0,19}(?!,?\d)|"  # a longer number counts nothing, and Python reads no endless ones
    + "|".join(sorted((word for word in _NUMBERS if word not in ("a", "an", "no")), key=len, reverse=True))
    + ")"
)
_LEAST = re.compile(
    rf"(?:\bat least|\bno (?:fewer|less) than|\bnot (?:fewer|less) than|\bmin(?:imum)?(?: of)?|至少|最少|不少于"
    rf"|不低于) ?{_N}|\b{_N} or more\b"
)
_MOST = re.compile(
    rf"(?:\bat most|\b(?:no|not) more than|\bup to|\bmax(?:imum)?(?: of)?|最多|至多|不超过|不多于) ?{_N}"
    rf"|\b{_N} or (?:fewer|less)\b"
)
_EXACT = re.compile(rf"(?:\bexactly|\bprecisely|恰好|正好) ?{_N}")
_BETWEEN = re.compile(rf"\bbetween {_N} and {_N}|\b{_N} (?:to|-) {_N} [a-z]|{_N} ?[到至] ?{_N}")
_CLAIM = re.compile(rf"(?<![a-z\d.]){_N}(?![a-z]|\.?\d) ?(?:个|条)?([^\n.;:,，。；：]*)")


@dataclass(frozen=True, slots=True)
class _Unit:
    """Something that code can count, and the words for it."""

    words: re.Pattern[str]
    count: Callable[[str], Iterator[int]]
    is_rough: bool = False


def _bullets(text: str) -> Iterator[int]:
    lines = lines_of(text)
    marked = [line for line in lines if line.kind is LineKind.BULLET]
    numbered = [line for line in lines if line.kind is LineKind.NUMBERED]
    yield from (len(marked), len(numbered), len(marked) + len(numbered))
    indents = [len(line.text) - len(line.text.lstrip()) for line in (*marked, *numbered)]
    if indents:
        yield indents.count(min(indents))  # the nested ones are details of the others


def _headings(text: str) -> Iterator[int]:
    found = len(list(parts.headings(text)))
    yield from (found, found - 1)  # the title may be none


def _sections(text: str) -> Iterator[int]:
    yield len(list(parts.sections(text)))
    yield from _headings(text)


def _paragraphs(text: str) -> Iterator[int]:
    yield len(list(parts.paragraphs(text)))


def _sentences(text: str) -> Iterator[int]:
    yield len(list(parts.sentences(text)))


def _words(text: str) -> Iterator[int]:
    yield from (len(text.split()), words_in(text))


def _lines(text: str) -> Iterator[int]:
    yield sum(bool(line.strip()) for line in text.splitlines())


def _unit(words: str, count: Callable[[str], Iterator[int]], *, is_rough: bool = False) -> _Unit:
    return _Unit(re.compile(words), count, is_rough)


_UNITS = (
    _unit(r"(?:bullet(?: ?point)?s?|list items?|bulleted items?)|(?:项目符号|要点|列表项)", _bullets),
    _unit(r"sentences?|句(?:话|子)?|句", _sentences),
    _unit(r"paragraphs?|段落?", _paragraphs),
    _unit(r"headings?|headers?|标题", _headings),
    _unit(r"sections?|chapters?|章节?|节", _sections),
    _unit(r"words?", _words, is_rough=True),
    _unit(r"(?:non-empty )?lines?|行", _lines),
)
_AROUND_UNIT = re.compile(
    r"^(?:the |of |number of |total )*|(?: in total| in all| in the (?:text|candidate|list|output))?$"
)


def claim_in(text: str) -> tuple[int, str] | None:
    """Returns the number and the thing counted of words such as "3 bullets" or "共三个要点"; None: there are none."""
    found = _CLAIM.search(folded(text))
    return (_number(found[1]), found[2].strip()) if found is not None else None


def counts_of(text: str, subject: str, criterion: str) -> tuple[frozenset[int], bool]:
    """Returns the counts of a subject that the criterion names, and whether near is enough. Empty: it is unknown."""
    unit = _unit_of(subject)
    if unit is None or not unit.words.search(folded(criterion)):
        return frozenset(), False
    counts = frozenset(count for count in unit.count(text) if count >= 0)
    return (counts if any(counts) else frozenset()), unit.is_rough  # none: the text may mark them in another way


def subject_of(criterion: str) -> str:
    """Returns the unit that a criterion counts, when code knows it and it stands right behind the number."""
    found = [_CLAIM.search(folded(criterion))]
    return next((match[2].strip() for match in found if match is not None and _unit_of(match[2]) is not None), "")


def is_one_of(claimed: int, counts: frozenset[int], *, is_rough: bool) -> bool:
    """Tells whether a claim is one of the counts, or near one."""
    return any(abs(claimed - count) <= (NEAR * count if is_rough else 0) for count in counts)


def allows(criterion: str, count: int) -> bool | None:
    """Tells whether a criterion's amount allows a count. None: it states no amount, or more than one."""
    text = folded(criterion)
    bounds = [
        *((_first(match), _ANY) for match in _LEAST.finditer(text)),
        *((0, _first(match)) for match in _MOST.finditer(text)),
        *((_first(match), _first(match)) for match in _EXACT.finditer(text)),
        *(_both(match) for match in _BETWEEN.finditer(text)),
    ]
    return bounds[0][0] <= count <= bounds[0][1] if len(bounds) == 1 else None


def _both(match: re.Match[str]) -> tuple[int, int]:
    low, high = (_number(group) for group in match.groups() if group)
    return low, high


def _first(match: re.Match[str]) -> int:
    return next(_number(group) for group in match.groups() if group)


def _number(text: str) -> int:
    return _NUMBERS[text] if text in _NUMBERS else int(text.replace(",", ""))


def _unit_of(subject: str) -> _Unit | None:
    name = _AROUND_UNIT.sub("", folded(subject).rstrip(" .。"))
    return next((unit for unit in _UNITS if unit.words.fullmatch(name)), None)
