"""Counting the sources that a text names: by their form, for whether anything is behind them, code cannot tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import unquote

from signoff.v1 import plan_pb2
from worker_svc.checking.reading import CheckFailed, prose_of
from worker_svc.invisible import without_invisible

MAX_NAMED = 10  # of the sources that were found, in a reason
MAX_NAME = 100  # characters of each

_OUTSIDE = '\\s<>"“”„«»「」『』【】{}|\\\\^`，。；、！？）'  # what ends a URL or a DOI
_URL = re.compile(rf"(?:https?://|\bwww\.)[^{_OUTSIDE}]+", re.IGNORECASE)
_DOI = re.compile(rf"(?<![\d.])10\.\d{{4,9}}/[^{_OUTSIDE}?#&]+")
_MARK = re.compile(r"[\[［【]\^?(\d{1,3}(?:\s{0,2}[,，;、–-]\s{0,2}\d{1,3}){0,50})[\]］】]")
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_TRAILING = ".,;:!?'*_~/"
_CLOSES = {")": "(", "]": "["}


def check_citations(check: plan_pb2.Check, content: bytes) -> None:
    found, least = sources_in(prose_of(content, keys=True)), check.citations.min_citations
    if len(found) < least:
        named = f": {_few(found)}" if found else " (URLs, DOIs and marks such as [1] count, each once)"
        raise CheckFailed(f"expected at least {least} sources, but found {len(found)}{named}")


def sources_in(text: str) -> list[str]:
    """The sources, each once. A DOI in a URL is that DOI, and a mark before a URL or DOI is only the name of it."""
    links: dict[str, None] = {}
    marks: dict[str, None] = {}
    names: set[str] = set()
    seen = Numbers()
    for line in without_invisible(text).splitlines():
        before, *rest = _MARK.split(line)
        links |= dict.fromkeys(_links(before))
        for mark, after in zip(rest[::2], rest[1::2], strict=True):
            found = dict.fromkeys(_links(after))
            links |= found
            new = seen.new_in(mark)
            marks |= dict.fromkeys(map(str, new))
            if found and (single := mark.strip().lstrip("0")).isdecimal():
                names.add(single)
    return [*links, *(f"[{mark}]" for mark in marks if mark not in names)]


def _links(text: str) -> Iterator[str]:
    """URLs, then DOIs outside of them, so written that the same one is the same text."""
    for match in _URL.finditer(text):
        doi = _DOI.search(unquote(match[0]))
        if source := _doi(doi[0]) if doi else _url(match[0]):
            yield source
    for match in _DOI.finditer(_URL.sub(" ", text)):
        yield _doi(match[0])


def _url(url: str) -> str:
    """Without what makes no other source of it: scheme, "www.", fragment, closing punctuation. Empty: no such host."""
    address = _ended(url).partition("#")[0].rstrip(_TRAILING)
    address = re.sub(r"\A(?:https?://)?(?:www\.)?", "", address, flags=re.IGNORECASE)
    host, slash, path = address.partition("/")
    return f"{host.lower()}{slash}{path}" if _HOST.match(host) else ""


def _doi(doi: str) -> str:
    return f"doi:{_ended(doi).rstrip(_TRAILING).lower()}"


def _ended(link: str) -> str:
    """Up to the bracket that closes one opened before it."""
    depth = dict.fromkeys(_CLOSES.values(), 0)
    for at, character in enumerate(link):
        if character in depth:
            depth[character] += 1
        elif (opened := _CLOSES.get(character)) is not None:
            depth[opened] -= 1
            if depth[opened] < 0:
                return link[:at]
    return link


class Numbers:
    """The numbers of marks, each told once. A range costs no more than a number: [1–999] may stand there a lot."""

    def __init__(self) -> None:
        self._seen = 0  # a bit each

    def new_in(self, mark: str) -> list[int]:
        """Those of "1", "1, 3" and "1–3" that are new: the ends of ranges, and then what is between."""
        parts = re.findall(r"\d+|[–-]", mark)
        new = [number for part in parts if part.isdigit() and (number := int(part)) and self._is_new(1 << number)]
        for (low, dash), high in zip(pairwise(parts), parts[2:], strict=False):
            if dash in "–-" and low.isdigit() and high.isdigit() and int(low) < int(high):
                between = (1 << int(high)) - (1 << int(low) + 1) & ~self._seen
                self._seen |= between
                new += [number for number in range(int(low) + 1, int(high)) if between >> number & 1] if between else []
        return new

    def _is_new(self, bit: int) -> bool:
        is_new = not self._seen & bit
        self._seen |= bit
        return is_new


def _few(sources: list[str]) -> str:
    named = [source if len(source) <= MAX_NAME else f"{source[:MAX_NAME]}…" for source in sources[:MAX_NAMED]]
    return "; ".join([*named, "…"] if len(sources) > MAX_NAMED else named)
