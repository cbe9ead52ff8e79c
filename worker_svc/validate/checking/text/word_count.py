"""Counts words, in the ways that people do."""

from __future__ import annotations

import unicodedata

from worker_svc.validate.checking.text.scripts import is_spaceless
from worker_svc.validate.invisible import without_invisible

_MARKS = "#*+>|-=_~`:"  # of Markdown: headings, lists, tables


def count_words(text: str) -> int:
    """Counts runs of letters and digits, and each letter of a script without spaces. Linear in the text."""
    return len(text.translate({ord(character): _as_word(character) for character in set(text)}).split())


def word_counts(text: str) -> tuple[int, int]:
    """Returns the least and the largest number of words that people count.

    "don't" is one or two, "real-time" too. Some programs count a dash between spaces; none counts a mark of Markdown. A
    run of Chinese has at least one word, and at most one a letter: only a reader of Chinese can tell.
    """
    pieces = [piece for piece in without_invisible(text).split() if piece.strip(_MARKS)]
    most = max(count_words(text), len(pieces))
    return sum(any(map(str.isalnum, piece)) for piece in pieces), most


def _as_word(character: str) -> str:
    """Returns a character's part in a count: a word of its own, a part of one, nothing, or a gap."""
    kind = unicodedata.category(character)
    if kind[0] == "M" or kind == "Cf":
        return ""  # vowel signs, accents and joiners belong to the letter before; unseen ones split no word
    if not character.isalnum():
        return " "
    return " x " if is_spaceless(character) and not character.isdigit() else "x"
