"""Counts characters, in the ways that people do."""

from __future__ import annotations

import unicodedata

from worker_svc.validate.checking.text.scripts import is_of_word, is_spaceless
from worker_svc.validate.invisible import without_invisible


def lengths_of(text: str, *, visible: bool) -> tuple[int, int]:
    """Returns the least and the largest number of characters that people count.

    Accents and emoji are one or several, and white space at the ends may count. `visible` counts in the way of 字:
    without white space, with or without punctuation, and a word of another script as one or by its letters.
    """
    seen = unicodedata.normalize("NFC", without_invisible(text)).strip()
    return (_letters(seen), len(without_white_space(seen))) if visible else (len(seen), len(text))


def without_white_space(text: str) -> str:
    """Returns the text without spaces and ends of lines."""
    return "".join(text.split())


def _letters(text: str) -> int:
    """Counts letters of scripts without spaces, and runs of letters and digits of the others."""
    kinds = {letter: _kind(letter) for letter in set(text)}
    return len("".join(kinds[letter] for letter in text).split())


def _kind(character: str) -> str:
    if is_spaceless(character):
        return " x "
    if character in "'’-":
        return ""  # "don't" is one word, and a dash by itself none
    return "x" if is_of_word(character) else " "
