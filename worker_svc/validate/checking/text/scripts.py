"""Letters, and the scripts that put no space between words."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# The beginnings of their letters' names.
_SPACELESS = ("CJK ", "IDEOGRAPHIC ", "HIRAGANA ", "KATAKANA", "HALFWIDTH KATAKANA", "HENTAIGANA ", "THAI ", "LAO ",
              "KHMER ", "MYANMAR ")  # fmt: skip


@lru_cache(maxsize=4096)
def is_spaceless(character: str) -> bool:
    """Tells whether a character is a letter of a script that puts no space between words."""
    return unicodedata.category(character)[0] in "LN" and unicodedata.name(character, "").startswith(_SPACELESS)


def is_of_word(character: str) -> bool:
    """Tells whether a character is a letter, a digit, or a mark on one."""
    return character.isalnum() or (not character.isascii() and unicodedata.category(character)[0] == "M")


def has_letters(text: str) -> bool:
    """Tells whether a text has a letter or a digit of any script."""
    return any(map(str.isalnum, text))
