"""Counts the sources that a text names, by their form: code cannot tell whether a source exists."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from urllib.parse import unquote

from signoff.v1 import plan_pb2
from worker_svc.validate.checking.reading import CheckBroken, CheckFailed, prose_of
from worker_svc.validate.checking.text.markdown import LineKind, lines_of, without_code_spans
from worker_svc.validate.invisible import without_invisible

MAX_NAMED = 10  # of the sources that were found, in a reason
MAX_NAME = 100  # characters of each

_OUTSIDE = '\\s<>"“”„«»「」『』【】{}|\\\\^`，。；、！？）'  # these end a URL or a DOI
_URL = re.compile(rf"(?:https?://|\bwww\.)[^{_OUTSIDE}]+", re.IGNORECASE)
_DOI = re.compile(rf"(?<![\d.])10\.\d{{4,9}}/[^{_OUTSIDE}?#&]+")
_MARK = re.compile(r"[\[［【]\^?(\d{1,3}(?:\s{0,2}[,，;、–-]\s{0,2}\d{1,3}){0,50})[\]］】]")
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_FOOTNOTE = re.compile(r"\[\^[^\]\s]{1,100}\]")
_IDENTIFIER = re.compile(r"(?<![^\W_])([A-Za-z_][A-Za-z0-9_]*)\Z")
_OF_IDENTIFIERS = f"{string.ascii_letters}{string.digits}_"
_CODE_NAME = re.compile(r"[0-9_]|[a-z][A-Z]")
_OPERATOR = re.compile(r"\s{0,3}[=+*/%<>&|^]|\.[A-Za-z]|[(\[]")
_OPERATED = re.compile(r"[=+*/%<>&|^!]\s{0,3}[A-Za-z_][A-Za-z0-9_]*\Z")
_CODE_MARKS = re.compile("`{1,200}|~~~")
_BARE_HOST = re.compile(
    r"(?<![\w/@.-])(?:[a-z0-9-]{1,60}\.){1,5}(?:com|org|net|edu|gov|io|info|eu|uk|de|fr|cn|jp)\b", re.IGNORECASE
)
_DOI_NAME = "doi:"
_TRAILING = ".,;:!?'*_~/"
_CLOSES = {")": "(", "]": "["}


def check_citations(check: plan_pb2.Check, content: bytes) -> None:
    text, least, marks = prose_of(content, keys=True), check.citations.min_citations, tuple(check.citations.marks)
    found = sources_in(text, marks, sure=check.criterion > 0)
    if len(found) >= least:
        return
    if check.criterion and _most(text, marks) >= least:
        raise CheckBroken(f"cannot tell: {len(found)} sources are certain, and other places may be sources as well")
    named = f": {_few(found)}" if found else f" ({_in_words(marks)} count, each once)"
    raise CheckFailed(f"expected at least {least} sources, but found {len(found)}{named}")


def sources_in(text: str, marks: Sequence[int] = (), *, sure: bool = False) -> list[str]:
    """Returns the sources outside code, each once.

    A DOI in a URL is that DOI; a mark before a URL or DOI is only its name. `marks` are the kinds that count; none: all
    do. `sure`: a mark right behind a word does not count, for it may be an index.
    """
    links: dict[str, None] = {}
    numbers: dict[str, None] = {}
    names: set[str] = set()
    seen = Numbers()
    lines = _outside_code(without_invisible(text))
    for line in lines:
        before, *rest = _MARK.split(without_code_spans(line))
        links |= dict.fromkeys(_links(line))
        for mark, after in _marks_of(before, rest, sure=sure):
            numbers |= dict.fromkeys(map(str, seen.new_in(mark)))
            if any(_links(after)) and (single := mark.strip().lstrip("0")).isdecimal():
                names.add(single)
    if not marks:
        return [*links, *(f"[{mark}]" for mark in numbers if mark not in names)]
    return list(_chosen(links, numbers, lines, frozenset(marks)))


def _chosen(links: Iterable[str], numbers: Iterable[str], lines: Iterable[str], marks: frozenset[int]) -> Iterator[str]:
    """Yields the sources with one of the marks."""
    for link in links:
        if (plan_pb2.SOURCE_MARK_DOI if link.startswith(_DOI_NAME) else plan_pb2.SOURCE_MARK_URL) in marks:
            yield link
    if plan_pb2.SOURCE_MARK_NUMBER in marks:
        yield from (f"[{mark}]" for mark in numbers)
    if plan_pb2.SOURCE_MARK_FOOTNOTE in marks:
        yield from dict.fromkeys(note for line in lines for note in _FOOTNOTE.findall(without_code_spans(line)))


def _marks_of(before: str, rest: Sequence[str], *, sure: bool) -> Iterator[tuple[str, str]]:
    """Yields each mark of a line that is no index, with the text behind it, up to the next mark."""
    is_index = False
    for mark, after in zip(rest[::2], rest[1::2], strict=True):
        is_index = _is_index(before, after, sure=sure) if before else is_index  # in m[1][2], both are
        if not is_index:
            yield mark, after
        before = after


def _is_index(before: str, after: str, *, sure: bool) -> bool:
    """Tells whether brackets behind a word are an index, as in x[1] = a[2], and no mark, as in Smith[1]."""
    # Only what ends the text is looked at: a search from its beginning takes the square of a run of "_".
    word = _IDENTIFIER.search(before, len(before.rstrip(_OF_IDENTIFIERS)))
    if word is None:
        return before.endswith(")") and (sure or _OPERATOR.match(after) is not None)
    name = word[1]
    is_name_of_code = len(name) == 1 or _CODE_NAME.search(name) is not None
    return sure or is_name_of_code or _OPERATOR.match(after) is not None or _OPERATED.search(before) is not None


def _outside_code(text: str) -> list[str]:
    """Returns the lines that are neither blank nor code between fences. Most texts have no code."""
    if "```" not in text and "~~~" not in text:
        return list(filter(str.strip, text.splitlines()))
    return [line.text for line in lines_of(text) if line.kind not in (LineKind.BLANK, LineKind.CODE)]


def _most(text: str, marks: Sequence[int]) -> int:
    """Counts everything that may be a source: also in code, behind words, and addresses without their scheme."""
    plain = _CODE_MARKS.sub(" ", text)
    hosts = {match[0].lower() for match in _BARE_HOST.finditer(plain)}
    return len(sources_in(plain, marks)) + (len(hosts) if plan_pb2.SOURCE_MARK_URL in marks else 0)


def _in_words(marks: Sequence[int]) -> str:
    names = ("URLs", "DOIs", "marks such as [1]", "footnotes such as [^1]")
    chosen = [names[mark - 1] for mark in marks if 0 < mark <= len(names)]
    return " and ".join(chosen) if chosen else "URLs, DOIs and marks such as [1]"


def _links(text: str) -> Iterator[str]:
    """Yields URLs, then DOIs outside of them, in one spelling, so that the same source is the same text."""
    for match in _URL.finditer(text):
        doi = _DOI.search(unquote(match[0]))
        if source := _doi(doi[0]) if doi else _url(match[0]):
            yield source
    for match in _DOI.finditer(_URL.sub(" ", text)):
        yield _doi(match[0])


def _url(url: str) -> str:
    """Returns the URL without scheme, "www.", fragment and closing punctuation. Empty: its host cannot exist."""
    address = _ended(url).partition("#")[0].rstrip(_TRAILING)
    address = re.sub(r"\A(?:https?://)?(?:www\.)?", "", address, flags=re.IGNORECASE)
    host, slash, path = address.partition("/")
    return f"{host.lower()}{slash}{path}" if _HOST.match(host) else ""


def _doi(doi: str) -> str:
    return f"{_DOI_NAME}{_ended(doi).rstrip(_TRAILING).lower()}"


def _ended(link: str) -> str:
    """Returns the link up to a closing bracket that the link does not open."""
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
    """The numbers of marks, each returned once. A range costs no more than a number: [1–999] may occur often."""

    def __init__(self) -> None:
        self._seen = 0  # a bit each

    def new_in(self, mark: str) -> list[int]:
        """Returns the new numbers of a mark such as "1", "1, 3" or "1–3": the ends of ranges first, then the rest."""
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
