"""The marks of sources that a criterion or an output format asks for: URLs, DOIs, numbers [1], or footnotes [^1]."""

from __future__ import annotations

import functools
import re

from planner_svc.checks.kinds import SourceMark

_URL = r"URLs?|(?:hyper|Markdown )?links?|web addresses|网址|链接"
_MARK = rf"(?:{_URL}|DOIs?|\[\^?1\])"
MARKED = (
    r"(?P<marked>,? \(?(?:(?:each )?with(?: an?| their)?|(?:given |cited |marked )?as|in the form(?: of)?"
    r"|such as|like) "
    rf"{_MARK}\)?)?"
)
MARKED_ZH = rf"(?P<marked>(?:带有?|附有?|附上|含有?|有) ?{_MARK} ?的?)?"

_SOURCES = r"(?:sources?|citations?|references?)\b|来源|参考文献|引用|出处"
_STATED = re.compile(
    rf"(?:{_SOURCES})[^.;。；]{{0,40}}?(?:\b(?:with|as|by|like)\b|以|用|附|带|为)[^.;。；]{{0,20}}?{_MARK}",
    re.IGNORECASE,
)
_DOUBT = re.compile(r"\b(?:without|optional|where|if|no|not|may|tables?)\b|不|可选|如", re.IGNORECASE)
_KINDS = (
    (SourceMark.URL, re.compile(_URL, re.IGNORECASE)),
    (SourceMark.DOI, re.compile(r"DOI", re.IGNORECASE)),
    (SourceMark.NUMBER, re.compile(r"\[1\]")),
    (SourceMark.FOOTNOTE, re.compile(r"\[\^1\]")),
)


def marks_in(criterion_part: str, output_format: str) -> tuple[SourceMark, ...]:
    """Returns the marks that a criterion or else the format asks for; none when neither does."""
    return _kinds_in(criterion_part) if criterion_part else _marks_of(output_format)


@functools.lru_cache(maxsize=1024)
def _marks_of(output_format: str) -> tuple[SourceMark, ...]:
    """Returns the marks that a format asks for. One format has many criteria, and its search takes long."""
    stated = _STATED.search(output_format)
    return _kinds_in(stated[0]) if stated is not None and not _DOUBT.search(output_format) else ()


def _kinds_in(text: str) -> tuple[SourceMark, ...]:
    return tuple(kind for kind, mark in _KINDS if mark.search(text))
