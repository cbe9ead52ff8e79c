"""Counting words."""

from __future__ import annotations

import unicodedata

from signoff.v1 import plan_pb2
from worker_svc.validate.checking.form import within, within_each
from worker_svc.validate.checking.reading import prose_of
from worker_svc.validate.checking.text.scripts import is_spaceless
from worker_svc.validate.invisible import without_invisible

_MARKS = "#*+>|-=_~`:"  # of Markdown: headings, lists, tables


def check_words(check: plan_pb2.Check, content: bytes) -> None:
    bounds = check.words
    maximum = bounds.max_words if bounds.HasField("max_words") else None
    text = prose_of(content)
    # guard: words are counted only where people agree -> if False:
    if check.criterion:
        within_each(word_counts(text), bounds.min_words, maximum, "words")
    else:
        within(count_words(text), bounds.min_words, maximum, "words")


def count_words(text: str) -> int:
    """Runs of letters and digits, and each letter of a script without spaces. Linear, whatever the text."""
    return len(text.translate({ord(character): _as_word(character) for character in set(text)}).split())


def word_counts(text: str) -> tuple[int, int]:
    """Returns the least and the largest number of words that people count.

    "don't" is one or two, "real-time" too; a dash between spaces is counted by some programs, a mark of Markdown by
    none; and how many words a run of Chinese has takes a reader of Chinese: at least one, at most one a letter.
    """
    pieces = [piece for piece in without_invisible(text).split() if piece.strip(_MARKS)]
    most = max(count_words(text), len(pieces))
    return sum(any(map(str.isalnum, piece)) for piece in pieces), most


def _as_word(character: str) -> str:
    """What a character is to a count: a word of its own, a part of one, nothing at all, or a gap."""
    kind = unicodedata.category(character)
    if kind[0] == "M" or kind == "Cf":
        return ""  # vowel signs, accents and joiners belong to the letter before; unseen ones split no word
    if not character.isalnum():
        return " "
    return " x " if is_spaceless(character) and not character.isdigit() else "x"
