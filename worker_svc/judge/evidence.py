"""Whether what a judge quotes stands in the candidate: a pass may not rest on words that are not there.

Judges quote with small changes, and are not punished for them: case, white space, quotation marks, Markdown's marks,
escapes of JSON and closing punctuation do not count, and "…" or "..." joins pieces, each of which must be there. When
a judge puts words of its own around what it quotes, the words between quotation marks must be there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from worker_svc.checking.folding import folded

NOTHING = frozenset({"", "none", "null", "n/a", "na", "nothing", "empty", "无", "無", "没有"})  # as judges say it

_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
_ESCAPED_SPACE = re.compile(r"\\[nrt]")
_MARK = re.compile(r"⟨U\+[^⟩]{1,40}⟩")  # as the judge is shown unseen characters
_LOOSE = re.compile(r"[\s\\*_`#~\"'“”„‟«»‹›‘’‚‛「」『』〝〞＂＇]+")
_JOINT = re.compile(r"\[\s*(?:…|\.{3,})\s*\]|\(\s*(?:…|\.{3,})\s*\)|…|\.{3,}|[\n;；|]")
_QUOTED = re.compile(
    r"\"([^\"]+)\"|“([^”]+)”|«([^»]+)»|「([^」]+)」|『([^』]+)』|(?<!\w)['‘]([^'’]+)['’](?!\w)|`([^`]+)`"
)
_EDGES = ".,;:!?()[]{}<>。，、；：！？（）…- "


class Quotable:
    """A text that was shown to judges, and what can be quoted from it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._plain: str | None = None  # made when first needed: most verdicts quote nothing, or fail

    def has(self, evidence: str) -> bool:
        """Whether the evidence is a quotation of the text. No evidence at all is none that is missing."""
        if _is_nothing(evidence) or self.holds(evidence):
            return True
        pieces = [piece for piece in _JOINT.split(evidence) if _plain(piece)]
        if pieces and all(map(self.holds, pieces)):
            return True
        quoted = [piece for quotation in _quotations(evidence) for piece in _JOINT.split(quotation) if _plain(piece)]
        return bool(quoted) and all(map(self.holds, quoted))

    def holds(self, piece: str) -> bool:
        """Whether the words stand in the text, one after the other."""
        if self._plain is None:
            self._plain = _plain(self._text)
        wanted = _plain(piece)
        return wanted in self._plain or (bool(trimmed := wanted.strip(_EDGES)) and trimmed in self._plain)


def _is_nothing(evidence: str) -> bool:
    return evidence.strip(_EDGES + "\n\t\"'").casefold() in NOTHING


def _quotations(evidence: str) -> Iterator[str]:
    return (next(filter(None, match.groups())) for match in _QUOTED.finditer(evidence))


def _plain(text: str) -> str:
    """The text without what quoting changes; the same for a text and for a true quotation of it.

    The marks of emphasis go last, all of them: a quotation may end in the middle of one.
    """
    text = _ESCAPED_SPACE.sub(" ", _MARK.sub("", _unescaped(text)))
    return _LOOSE.sub("", folded(text, marks=True))


def _unescaped(text: str) -> str:
    if "\\u" not in text:
        return text
    halves = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
