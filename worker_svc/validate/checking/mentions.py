"""Finds out how a text mentions a phrase that a criterion quotes: as a word, in a name, or only inside another word.

| found   | for the phrase                 | in the text                                  | presence | absence |
|---------|--------------------------------|----------------------------------------------|----------|---------|
| WORD    | `TODO`, `city`                 | `TODO`, `TODOs`, `TODO's`, `cities`          | pass     | fail    |
| NAME    | `TODO`                         | `TODO_LIST`, `myTODOItem`, `TODO.md`         | the judge | fail   |
| INSIDE  | `art`, `Go`, `2.4`, `real-time` | `party`, `go`, `2.4.1`, `realtime`          | the judge | the judge |
| NOWHERE |                                |                                              | fail     | pass    |

In scripts without spaces, no phrase is inside another word: every place is a WORD. Every step is linear in the text.
"""

from __future__ import annotations

import html
import re
import unicodedata
from enum import IntEnum
from typing import NamedTuple

from worker_svc.validate.checking.text.folding import folded
from worker_svc.validate.checking.text.scripts import is_of_word, is_spaceless


class Mention(IntEnum):
    """The place of a phrase in a text; of several places, the largest counts."""

    NOWHERE = 0
    INSIDE = 1
    NAME = 2
    WORD = 3


_SHORT = 3  # letters of a word that may be another one in another case: Go and go, IT and it, US and us
_LEAST_STEM = 3  # letters of a word that takes an -s: "is" is no plural of "i"
_LEAST_LOOSE = 4  # letters and digits of a phrase that is looked for without the characters between them
_SIBILANTS = ("s", "x", "z", "ch", "sh")
_OTHER_WITH_S = frozenset(
    {"custom", "dan", "doe", "good", "http", "mai", "mar", "moi", "new", "sou"}
)  # news is no plural
_STOPS = ".,;:!?。，；：！？"
_BETWEEN_DIGITS = ".,:/-"

_ACCENTS = ("\u0300", "\u036f")  # combining ones, of Latin, Greek and Cyrillic
_MARK = re.compile("[*_`~]")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
_BROKEN_OFF = re.compile(r"-\s?")
_NO_WORD = re.compile(r"[\W_]+")
_NO_WORD_BUT_SPACE = re.compile(r"[^\w\s]|_")


class _Text(NamedTuple):
    """A folded text in two spellings of one length."""

    spelt: str  #: with its capitals
    small: str  #: as it is searched

    @classmethod
    def of(cls, text: str, *, case_sensitive: bool, marks: bool) -> _Text:
        spelt = folded(text, case_sensitive=True, marks=marks)
        if case_sensitive:
            return cls(spelt, spelt)
        longer = {ord(letter): small for letter in set(spelt) if len(small := letter.casefold()) != 1}
        spelt = spelt.translate(longer)
        return cls(spelt, spelt.casefold())


def found_in(text: str, phrase: str, *, case_sensitive: bool = False) -> Mention:
    """Returns how the phrase stands in the text. A case-sensitive search knows no plural."""
    best = Mention.NOWHERE
    sought = _Text.of(phrase, case_sensitive=case_sensitive, marks=True)
    for marks in (False, True) if _MARK.search(text) else (True,):
        read = _Text.of(text, case_sensitive=case_sensitive, marks=marks)
        best = max(best, _found(read, sought, inflected=not case_sensitive))
        if best is Mention.WORD or not sought.small:
            return best
    return best or _found_loosely(text, phrase, case_sensitive)


def _found(text: _Text, phrase: _Text, *, inflected: bool) -> Mention:
    best = _best_place(text, phrase, inflected=inflected)
    if best is not Mention.WORD and inflected and (plural := _plural_of_y(phrase)) is not None:
        best = max(best, _best_place(text, plural, inflected=False))
    return best


def _best_place(text: _Text, phrase: _Text, *, inflected: bool) -> Mention:
    best, at = Mention.NOWHERE, text.small.find(phrase.small) if phrase.small else -1
    while at >= 0 and best is not Mention.WORD:
        best = max(best, _place(text, phrase, at, inflected))
        at = text.small.find(phrase.small, at + 1)
    return best


def _place(text: _Text, phrase: _Text, at: int, inflected: bool) -> Mention:
    """Judges the phrase at one place: by the worse of its two ends, and by its case."""
    left, end = _left(text.spelt, at), at + len(phrase.small)
    if left is Mention.INSIDE or _is_another_word(phrase.spelt, text.spelt[at:end]):
        return Mention.INSIDE
    return min(left, _right(text.spelt, _inflected_end(text, phrase, at, inflected)))


def _left(spelt: str, at: int) -> Mention:
    """Judges a place by the text before it."""
    if at == 0 or not _is_cut(spelt, at):
        return _beyond(spelt, at - 1, at - 2, at)
    return Mention.NAME if spelt[at - 1].islower() and spelt[at].isupper() else Mention.INSIDE


def _right(spelt: str, end: int) -> Mention:
    """Judges a place by the text behind it."""
    if not _is_cut(spelt, end):
        joined = _of_word(spelt, end - 1) and spelt[end : end + 1] in ("+", "#")
        return Mention.INSIDE if joined else _beyond(spelt, end, end + 1, end - 1)
    last, after, next_one = spelt[end - 1], spelt[end], spelt[end + 1 : end + 2]
    in_capitals = spelt[max(0, end - 2) : end].isupper() and end > 1
    is_edge = (after.isupper() and (last.islower() or next_one.islower())) or (in_capitals and after.islower())
    return Mention.NAME if is_edge and last.isalpha() else Mention.INSIDE


def _beyond(spelt: str, near: int, far: int, own: int) -> Mention:
    """Judges a place by the character beside it, which is no letter, and by the one beyond that."""
    if near < 0 or near >= len(spelt) or not _of_word(spelt, own):
        return Mention.WORD
    mark = spelt[near]
    if mark in "_@":
        # guard: a name with a forbidden word has it -> return Mention.INSIDE
        return Mention.NAME
    if not _of_word(spelt, far) or is_spaceless(spelt[far]):
        return Mention.WORD
    if mark in "'&" or (mark in _BETWEEN_DIGITS and spelt[far].isdigit() and spelt[own].isdigit()):
        return Mention.INSIDE
    if mark == ".":
        return Mention.INSIDE if spelt[own].isdigit() else Mention.NAME
    return Mention.WORD


def _is_cut(spelt: str, at: int) -> bool:
    """Tells whether a place lies within a word."""
    return _of_word(spelt, at - 1) and _of_word(spelt, at) and not _is_edge_of_script(spelt, at)


def _is_edge_of_script(spelt: str, at: int) -> bool:
    return is_spaceless(spelt[at - 1]) or is_spaceless(spelt[at])


def _of_word(spelt: str, at: int) -> bool:
    return 0 <= at < len(spelt) and is_of_word(spelt[at])


# ---------------------------------------------------------------- inflections, of English


def _inflected_end(text: _Text, phrase: _Text, at: int, inflected: bool) -> int:
    """Returns where the phrase ends with its plural or possessive ending, if it has one here."""
    end, stem = at + len(phrase.small), _last_word(phrase.spelt)
    if not stem or is_spaceless(stem[-1]):
        return end
    if inflected and stem[-1].isalpha():
        end += _plural_ending(stem, text.spelt[end - len(stem) : end], text.spelt[end : end + 3])
    rest = text.small[end : end + 3]
    if rest.startswith("'s") and not is_of_word(rest[2:] or " "):
        return end + 2
    return end + 1 if rest[:1] == "'" and text.small[end - 1] == "s" and not is_of_word(rest[1:2] or " ") else end


def _plural_ending(stem: str, written: str, rest: str) -> int:
    """Returns the length of the plural ending at the beginning of the rest; 0 when it has none that is sure."""
    small, is_acronym = stem.lower(), len(stem) > 1 and stem.isupper()
    if small in _OTHER_WITH_S or _is_name(stem, written) or not (len(stem) >= _LEAST_STEM or is_acronym):
        return 0
    if is_acronym and len(stem) < _LEAST_STEM and not (written.isupper() and rest[:1] == "s"):
        return 0
    endings = ("es", "s") if small.endswith("o") else ("es",) if small.endswith(_SIBILANTS) else ("s",)
    for ending in () if small.endswith("ic") else endings:
        is_there = rest[: len(ending)].lower() == ending and not is_of_word(rest[len(ending) :][:1] or " ")
        if is_there and (rest[0].islower() or written.isupper()):
            return len(ending)
    return 0


def _plural_of_y(phrase: _Text) -> _Text | None:
    """Returns the phrase with -ies for -y; None when it takes none."""
    stem = _last_word(phrase.small)
    if len(stem) <= _LEAST_STEM or not stem.endswith("y") or stem[-2] in "aeiou":
        return None
    if not _last_word(phrase.spelt).islower():  # Kennedy is a name
        return None
    return _Text(f"{phrase.spelt[:-1]}ies", f"{phrase.small[:-1]}ies")


def _is_name(stem: str, written: str) -> bool:
    """Tells whether an -s may make another name of it: Williams is no plural of William."""
    return stem.istitle() and written[:1].isupper()


def _is_another_word(phrase: str, written: str) -> bool:
    """Tells whether a short word in another case may be another word: "it" for IT, "Us" for US."""
    if len(phrase) > _SHORT or not phrase.isalpha() or phrase == written or phrase.lower() == phrase.upper():
        return False
    begins_sentence = phrase.islower() and written == phrase.capitalize()
    in_capitals = len(phrase) > 1 and phrase.istitle() and written.isupper()
    return not (begins_sentence or in_capitals)


def _last_word(phrase: str) -> str:
    start = len(phrase)
    while start and is_of_word(phrase[start - 1]):
        start -= 1
    return phrase[start:]


# ---------------------------------------------------------------- nearly there


def _found_loosely(text: str, phrase: str, case_sensitive: bool) -> Mention:
    """Looks for something close to the phrase: a judge can tell whether it is meant."""
    read, sought = (_bare(part, case_sensitive) for part in (html.unescape(_TAG.sub("", text)), phrase))
    is_near = sought and (_has_another_ending(read, sought) or _has_no_spaces(read, sought) or _is_joined(read, sought))
    return Mention.INSIDE if is_near else Mention.NOWHERE


def _bare(text: str, case_sensitive: bool) -> str:
    """Returns a folded text without accents: naive is nearly naïve."""
    bare = folded(text, case_sensitive=case_sensitive)
    if bare.isascii():
        return bare
    letters = unicodedata.normalize("NFD", bare)
    return unicodedata.normalize("NFC", "".join(c for c in letters if not _ACCENTS[0] <= c <= _ACCENTS[1]))


def _has_another_ending(read: str, sought: str) -> bool:
    """Tells whether the phrase stands there when its last -e, -y or stop is left out: analysing, "the end"."""
    stem, before_stop = sought.rstrip("ey"), sought.rstrip(_STOPS)
    pieces = (sought, stem if len(stem) >= _LEAST_LOOSE else "", before_stop if len(before_stop) > 1 else "")
    return any(piece in read for piece in pieces if piece)


def _has_no_spaces(read: str, sought: str) -> bool:
    """Tells whether something with a sign or a digit stands there with other spaces: 50 % and 50%."""
    unspaced = sought.replace(" ", "")
    return not unspaced.isalpha() and unspaced in read.replace(" ", "")


def _is_joined(read: str, sought: str) -> bool:
    """Tells whether the letters stand there in order: realtime, New-York, respon-sive; US for U.S., as a word."""
    letters = _NO_WORD.sub("", sought)
    has_no_spaces = any(map(is_spaceless, letters))
    if len(letters) < (2 if has_no_spaces else _LEAST_LOOSE):
        return len(letters) > 1 and re.search(rf"(?<!\w){re.escape(letters)}(?!\w)", read) is not None
    is_one_word = _NO_WORD.sub(" ", sought).strip() == letters and not has_no_spaces
    return letters in (_NO_WORD_BUT_SPACE.sub("", _BROKEN_OFF.sub("", read)) if is_one_word else _NO_WORD.sub("", read))
