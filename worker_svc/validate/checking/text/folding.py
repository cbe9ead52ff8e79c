"""Folds texts, so that two that look the same to a reader are the same.

Presence, absence and quotations are all decided on folded texts. Folding unifies width, ligatures and accents (NFKC),
case, dashes and hyphens, quotation marks and apostrophes, and runs of white space with line ends. It drops invisible
characters and Markdown's marks of emphasis.
"""

from __future__ import annotations

import re
import unicodedata

from worker_svc.validate.invisible import without_invisible

_DASHES = "‐‑‒–—―−⁃﹘﹣－"
_SINGLE, _DOUBLE = "‘’‚‛′ʼ＇`´", "“”„‟″«»＂"
# guard: a dash is a dash -> _SHAPES: dict[int, str] = {}
_SHAPES = {ord(character): "-" for character in _DASHES}
_SHAPES |= dict.fromkeys(map(ord, _SINGLE), "'") | dict.fromkeys(map(ord, _DOUBLE), '"')

_LONGEST_MARK = 4  # characters that mark emphasis together, as in **_this_**
_EMPHASIS = re.compile("[*_]+|`+|~~")


def folded(text: str, *, case_sensitive: bool = False, marks: bool = False) -> str:
    """Returns a text for comparison. `marks`: marks of emphasis stay, for phrases that have some themselves."""
    if not marks:
        text = without_emphasis(text)
    if text.isascii():
        shaped = text.replace("`", "'")
    else:
        shaped = unicodedata.normalize("NFKC", without_invisible(text).translate(_SHAPES)).translate(_SHAPES)
    spaced = " ".join(shaped.split())
    return spaced if case_sensitive else unicodedata.normalize("NFKC", spaced.casefold())


def without_emphasis(text: str) -> str:
    """Returns the text without the marks of emphasis, of code within a line, and of struck-out text."""
    return _EMPHASIS.sub(lambda run: "" if _marks_emphasis(run) else run[0], text)


def _marks_emphasis(run: re.Match[str]) -> bool:
    """Tells whether a mark is emphasis: 2 * 3 is a product, snake_case a name, and it`s has an apostrophe."""
    text, mark = run.string, run[0]
    before, after = text[run.start() - 1 : run.start()], text[run.end() : run.end() + 1]
    if len(mark) > _LONGEST_MARK:
        return False
    if mark[0] == "`":
        return not (before.isalnum() and after.isalnum())
    if mark == "~~":
        return True
    if "*" not in mark:
        return before.isalnum() != after.isalnum()
    return any(side and not side.isspace() and not side.isdigit() for side in (before, after))
