"""Finds a judge's quotations in the candidate: a pass may not rest on words that are not there.

Judges may quote with small changes: case, white space, quotation marks, Markdown's marks, escapes of JSON and closing
punctuation do not count. "…" or "..." joins pieces, each of which must be there; so do "and" between two quotations and
the lines and cells of a table. When a judge puts its own words around a quotation, only the words between quotation
marks must be there.

A quotation has at least three words, or is a whole field: a line, a sentence, a cell, a value. Anything shorter stands
in most texts by chance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from worker_svc.validate.checking.text.folding import folded
from worker_svc.validate.checking.text.scripts import is_spaceless
from worker_svc.validate.judge.fields import bare, fields_of

LEAST_WORDS = 3  # of a quotation that is no whole field
NOTHING = frozenset({"", "none", "null", "n/a", "na", "nothing", "empty", "无", "無", "没有"})  # as judges say it

_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
_ESCAPED_SPACE = re.compile(r"\\[nrt]")
_MARK = re.compile(r"⟨U\+[^⟩]{1,40}⟩")  # as the judge is shown unseen characters
_LOOSE = re.compile(r"[\s\\*_`#~\"'“”„‟«»‹›‘’‚‛「」『』〝〞＂＇]+")
_JOINT = re.compile(r"\[\s*(?:…|\.{3,})\s*\]|\(\s*(?:…|\.{3,})\s*\)|…|\.{3,}|[\n;；|]")
_SPACES = re.compile(r"\s+")
#: Between quotations with single spaces, for to look for runs takes the square of their length.
_AND = re.compile(r",? (?:and|und|et|y) | ?(?:以及|和|与|及|、) ?|, | & | / ", re.IGNORECASE)
#: The inside has no opening mark: else many marks without an end take the square of their number.
_QUOTED = re.compile(
    r"\"([^\"]+)\"|“([^“”]+)”|«([^«»]+)»|「([^「」]+)」|『([^『』]+)』|(?<!\w)['‘]([^'‘’]+)['’](?!\w)|`([^`]+)`"
)
_EDGES = ".,;:!?()[]{}<>。，、；：！？（）…- "
_WORD = re.compile(r"\w+")


class Quotable:
    """A text that was shown to judges, and what can be quoted from it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._plain: str | None = None  # made when first needed: most verdicts quote nothing, or fail
        self._fields: frozenset[str] | None = None

    def has(self, quotation: str) -> bool:
        """Tells whether the text has the quotation, whole or in pieces, however short."""
        return any(all(map(self.holds, pieces)) for pieces in _ways_to_read(quotation)) or self.is_field(quotation)

    def shows(self, quotation: str) -> bool:
        """Tells whether the text has the quotation, and it is long enough to show something."""
        return self.is_field(quotation) or any(
            all(map(self.holds, pieces)) and any(map(self._is_enough, pieces)) for pieces in _ways_to_read(quotation)
        )

    def holds(self, piece: str) -> bool:
        """Tells whether the words stand in the text, one after the other."""
        if self._plain is None:
            self._plain = _plain(self.text)
        wanted = _plain(piece)
        if not wanted:
            return False
        return wanted in self._plain or (bool(trimmed := wanted.strip(_EDGES)) and trimmed in self._plain)

    def is_field(self, quotation: str) -> bool:
        """Tells whether the quotation is a whole line, sentence, cell or value of the text."""
        if self._fields is None:
            self._fields = fields_of(self.text)
        return bare(quotation) in self._fields

    def _is_enough(self, piece: str) -> bool:
        return words_in(piece) >= LEAST_WORDS or self.is_field(piece)


def words_in(text: str) -> int:
    """Counts the words of a quotation. In scripts without spaces, four letters count as three words."""
    text = folded(text)
    letters = sum(map(is_spaceless, text))
    spaced = "".join(" " if is_spaceless(character) else character for character in text) if letters else text
    return len(_WORD.findall(spaced)) + letters * 3 // 4


def is_nothing(evidence: str) -> bool:
    """Tells whether these are words for no evidence at all."""
    return evidence.strip(_EDGES + "\n\t\"'“”‘’「」").casefold() in NOTHING


def quoted_in(evidence: str) -> tuple[str, ...]:
    """Returns the texts between quotation marks."""
    return tuple(next(filter(None, match.groups())) for match in _QUOTED.finditer(evidence))


def _ways_to_read(quotation: str) -> Iterator[Sequence[str]]:
    """Yields the pieces that must all be there, for each way to read a quotation."""
    if not any(map(str.isalnum, quotation)):
        return
    yield (quotation,)
    if pieces := _pieces([quotation]):
        yield pieces
    quoted = _pieces(quoted_in(quotation))
    if quoted:
        yield quoted
    else:
        apart = [piece for joined in pieces for piece in _AND.split(_SPACES.sub(" ", joined)) if _plain(piece)]
        if len(apart) > 1 and all(words_in(piece) >= LEAST_WORDS for piece in apart):
            yield apart


def _pieces(texts: Sequence[str]) -> list[str]:
    return [piece for text in texts for piece in _JOINT.split(text) if _plain(piece).strip(_EDGES)]


def _plain(text: str) -> str:
    """Returns the text without what quoting changes: a text and a true quotation of it become the same.

    All marks of emphasis go last: a quotation may end in the middle of one.
    """
    text = _ESCAPED_SPACE.sub(" ", _MARK.sub("", _unescaped(text)))
    return _LOOSE.sub("", folded(text, marks=True))


def _unescaped(text: str) -> str:
    if "\\u" not in text:
        return text
    halves = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
