"""Takes off the code fence that models like to put around a whole document, and the words around it.

The outermost fence goes when it holds the whole document; fences inside stay, with every character between them. Of
several blocks, or when a fence may be the document's own, nothing is taken off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from signoff.plan.formats import Format, OutputKind

MOST_LEAD_CHARS = 200  # of a sentence that announces a document; a longer one may be part of it

_FENCE = re.compile(r" {0,3}(?P<mark>`{3,}+|~{3,}+)(?P<info>[^`\r\n]*)\r?\n?")
_MARKS = ("```", "~~~")
_BARE = frozenset({"", "text", "txt", "plain", "plaintext"})
#: Formats whose documents are written in paragraphs: words around a block may belong to it.
_OF_PROSE = frozenset({OutputKind.MARKDOWN, OutputKind.TEXT})
_PARAGRAPH = re.compile(r"[^#>*|`\s-].*(?:\n(?!\s*\n).*)*")


@dataclass(frozen=True, slots=True)
class _Fence:
    line: int
    mark: str
    language: str  #: in small letters; empty for one without

    def is_closed_by(self, other: _Fence) -> bool:
        return not other.language and other.mark[0] == self.mark[0] and len(other.mark) >= len(self.mark)


def unfenced(text: str, form: Format) -> tuple[str, str]:
    """Returns the document without the fence around it, and the words around the fence.

    A short sentence that announces the document does not count as words. Empty lines before the document go, too.
    """
    if not any(mark in text for mark in _MARKS):
        return _ended(text.lstrip("\r\n"), form), ""  # most documents, however large, in no time
    lines = text.splitlines(keepends=True)
    fences = [_Fence(number, found["mark"], _language(found["info"])) for number, found in _fence_lines(lines)]
    block = _block_of(fences, form)
    if block is None:
        return _ended(text.lstrip("\r\n"), form), ""
    opening, closing = block
    before, after = "".join(lines[:opening]).strip(), "".join(lines[closing + 1 :]).strip()
    if not _may_stand_around(before, after, fences, form):
        return _ended(text.lstrip("\r\n"), form), ""
    announces = not after and len(before) <= MOST_LEAD_CHARS and "\n" not in before
    remark = "" if announces else "\n…\n".join(filter(None, (before, after)))
    return _ended("".join(lines[opening + 1 : closing]), form), remark


def _fence_lines(lines: Sequence[str]) -> Iterator[tuple[int, re.Match[str]]]:
    for number, line in enumerate(lines):
        found = _FENCE.fullmatch(line)
        if found is not None:
            yield number, found


def _language(info: str) -> str:
    return info.split()[0].lower().strip("{}.") if info.strip() else ""


def _ended(document: str, form: Format) -> str:
    """Ends the last line of a diff, which needs it; leaves other documents as they are."""
    return document + "\n" if form.kind is OutputKind.DIFF and document and not document.endswith("\n") else document


def _block_of(fences: Sequence[_Fence], form: Format) -> tuple[int, int] | None:
    """Returns the lines of the fences around the document; None: there are none, or several are possible.

    A block that was never closed ends with the text.
    """
    if not fences:
        return None
    first, last = fences[0], fences[-1]
    if _may_hold(first, fences, form):
        if len(fences) == 1:
            return first.line, _NO_LINE
        if first.is_closed_by(last) and _are_pairs([fence for fence in fences[1:-1] if _counts(fence, first)]):
            return first.line, last.line
    return None if form.kind in _OF_PROSE else _only_block(fences, form)


_NO_LINE = 1 << 62  # behind all lines


def _may_hold(first: _Fence, fences: Sequence[_Fence], form: Format) -> bool:
    """Tells whether a document may stand in a fence of this language.

    A bare fence around Markdown may be a block of code, unless others in it state their language.
    """
    if first.language in form.fences:
        return True
    if form.kind is OutputKind.MARKDOWN:
        # guard: a document keeps its own fences -> return not first.language
        return not first.language and any(fence.language for fence in fences[1:])
    return first.language in _BARE


def _counts(fence: _Fence, outer: _Fence) -> bool:
    """Tells whether a fence could end the outer one; shorter ones, or those of the other sign, are text in it."""
    return fence.mark[0] == outer.mark[0] and len(fence.mark) >= len(outer.mark)


def _are_pairs(fences: Sequence[_Fence]) -> bool:
    """Tells whether fences open and close blocks in turns."""
    pairs = zip(fences[::2], fences[1::2], strict=False)
    return len(fences) % 2 == 0 and all(opening.is_closed_by(closing) for opening, closing in pairs)


def _only_block(fences: Sequence[_Fence], form: Format) -> tuple[int, int] | None:
    """Returns the one block in the format's language among others, such as a script before the command that runs it."""
    blocks, opening = list[tuple[_Fence, _Fence]](), None
    for fence in fences:
        if opening is None:
            opening = fence
        elif opening.is_closed_by(fence):
            blocks.append((opening, fence))
            opening = None
    own = [block for block in blocks if block[0].language in form.fences]
    are_told_apart = all(block[0].language for block in blocks) and opening is None
    return (own[0][0].line, own[0][1].line) if len(own) == 1 and are_told_apart else None


def _may_stand_around(before: str, after: str, fences: Sequence[_Fence], form: Format) -> bool:
    """Tells whether words around a block are no part of the document. Of prose, only a sentence is not."""
    if form.kind not in _OF_PROSE or not (before or after):
        return True
    is_told = bool(fences[0].language) or form.kind is OutputKind.TEXT
    return is_told and all(
        len(words) <= MOST_LEAD_CHARS and (not words or bool(_PARAGRAPH.fullmatch(words))) for words in (before, after)
    )
