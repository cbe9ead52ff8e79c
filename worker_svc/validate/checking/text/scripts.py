"""Letters, and the scripts that put no space between words."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# As the names of their letters begin.
_SPACELESS = ("CJK ", "IDEOGRAPHIC ", "HIRAGANA ", "KATAKANA", "HALFWIDTH KATAKANA", "HENTAIGANA ", "THAI ", "LAO ",
              "KHMER ", "MYANMAR ")  # fmt: skip


@lru_cache(maxsize=4096)
def is_spaceless(character: str) -> bool:
    """Tells whether it is a letter of a script that puts no space between words."""
    return unicodedata.category(character)[0] in "LN" and unicodedata.name(character, "").startswith(_SPACELESS)


def is_of_word(character: str) -> bool:
    """Tells whether it is a letter, a digit, or a mark on one."""
    return character.isalnum() or (not character.isascii() and unicodedata.category(character)[0] == "M")
