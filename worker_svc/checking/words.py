"""Counting words."""

from __future__ import annotations

import unicodedata

from signoff.v1 import plan_pb2
from worker_svc.checking.form import within
from worker_svc.checking.reading import prose_of

# Scripts that put no space between words, as the names of their letters begin.
_SPACELESS = ("CJK ", "IDEOGRAPHIC ", "HIRAGANA ", "KATAKANA", "HALFWIDTH KATAKANA", "HENTAIGANA ", "THAI ", "LAO ",
              "KHMER ", "MYANMAR ")  # fmt: skip


def check_words(check: plan_pb2.Check, content: bytes) -> None:
    bounds = check.words
    maximum = bounds.max_words if bounds.HasField("max_words") else None
    within(count_words(prose_of(content)), bounds.min_words, maximum, "words")


def count_words(text: str) -> int:
    """Runs of letters and digits, and each letter of a script without spaces. Linear, whatever the text."""
    return len(text.translate({ord(character): _as_word(character) for character in set(text)}).split())


def is_spaceless(character: str) -> bool:
    """Whether it is a letter of a script that puts no space between words."""
    return unicodedata.category(character)[0] in "LN" and unicodedata.name(character, "").startswith(_SPACELESS)


def _as_word(character: str) -> str:
    """What a character is to a count: a word of its own, a part of one, nothing at all, or a gap."""
    kind = unicodedata.category(character)
    if kind[0] == "M" or kind == "Cf":
        return ""  # vowel signs, accents and joiners belong to the letter before; unseen ones split no word
    if not character.isalnum():
        return " "
    return " x " if is_spaceless(character) and not character.isdigit() else "x"
