"""Two texts that a reader takes for the same compare as the same: width, ligatures, dashes, quotation marks, spaces."""

from __future__ import annotations

import re
import unicodedata

from worker_svc.invisible import without_invisible

_DASHES = "‐‑‒–—―−﹘﹣－"
_SINGLE, _DOUBLE = "‘’‚‛′`´", "“”„‟″«»"
_SHAPES = {ord(character): "-" for character in _DASHES}
_SHAPES |= dict.fromkeys(map(ord, _SINGLE), "'") | dict.fromkeys(map(ord, _DOUBLE), '"')

_LONGEST_MARK = 4  # characters that mark emphasis together, as in **_this_**
_EMPHASIS = re.compile("[*_]+")


def folded(text: str, *, case_sensitive: bool = False) -> str:
    """Returns a text as it is compared: NFKC, one shape of dashes and quotation marks, single spaces, small letters."""
    if text.isascii():
        shaped = text.replace("`", "'")
    else:
        shaped = unicodedata.normalize("NFKC", without_invisible(text).translate(_SHAPES)).translate(_SHAPES)
    spaced = " ".join(shaped.split())
    return spaced if case_sensitive else unicodedata.normalize("NFKC", spaced.casefold())


def without_emphasis(text: str) -> str:
    """Returns the text without the asterisks and underscores that mark emphasis in Markdown."""
    return _EMPHASIS.sub(lambda run: "" if _marks_emphasis(run) else run[0], text)


def _marks_emphasis(run: re.Match[str]) -> bool:
    """Tells whether a reader does not see it: 2 * 3 is a product, and snake_case a name."""
    text, mark = run.string, run[0]
    before, after = text[run.start() - 1 : run.start()], text[run.end() : run.end() + 1]
    if len(mark) > _LONGEST_MARK:
        return False
    if "*" not in mark:
        return before.isalnum() != after.isalnum()
    return any(side and not side.isspace() and not side.isdigit() for side in (before, after))
