r"""Turns a pattern of ECMA-262 into one of Python's `re` that means the same, or says why it cannot.

JSON Schema's patterns are those of ECMA-262 with its `u` flag. Python reads many of them otherwise: `$` also matches
before a last newline, `\d` takes digits of every script, `.` takes U+2028. Each construct is therefore written anew in
Python's terms. A pattern that Python cannot express is refused.

Three things that `u` forbids are accepted, because they have only one meaning and real schemas have them: a punctuation
mark escaped without need (`\-`, `\@`), a lone `{`, `}` or `]`, and a set beside a hyphen (`[\w-.]`).
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from functools import lru_cache

from signoff.plan.limits import MAX_LARGE_SETS, MAX_PATTERN_DEPTH
from signoff.schemas import sets
from signoff.schemas.backrefs import Box, Groups, Path, Reference
from signoff.schemas.sets import Ranges

_CONTROLS = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}
_SHORTHANDS: dict[str, Ranges] = {
    "d": sets.DIGITS,
    "D": sets.complement(sets.DIGITS),
    "w": sets.WORD,
    "W": sets.complement(sets.WORD),
    "s": sets.SPACE,
    "S": sets.complement(sets.SPACE),
}
_MANY_RANGES = 50  # of a shorthand: those of \p take a millisecond to unite with others, those of \s nothing
_ANY = sets.complement(sets.LINE_ENDS)
# `(?a:…)`: word boundaries are those of ASCII. Python's own `\B` does not match in the empty text.
# guard: patterns are those of ECMA-262 -> _EDGES = {"^": r"\A", "$": "$", r"\b": r"(?a:\b)", r"\B": r"(?!(?a:\b))"}
_EDGES = {"^": r"\A", "$": r"\Z", r"\b": r"(?a:\b)", r"\B": r"(?!(?a:\b))"}
_LOOKS = ("(?=", "(?!", "(?<=", "(?<!")

_REPEAT = re.compile(r"[*+?]|\{(?P<least>[0-9]+)(?:,(?P<most>[0-9]*))?\}")
_MOST_DIGITS = 9  # of a number of repetitions; Python's own patterns take no more than 10
_SURROGATES = re.compile(r"u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE)
_CODE_POINT = re.compile(r"x([0-9a-f]{2})|u([0-9a-f]{4})|u\{([0-9a-f]+)\}", re.IGNORECASE)
_PROPERTY = re.compile(r"([pP])\{([A-Za-z0-9_]+(?:=[A-Za-z0-9_]+)?)\}")
_GROUP_NAME = re.compile(r"<([^>]*)>")
_MISTAKES = (re.error, ValueError, OverflowError, RecursionError)


class Unsupported(ValueError):
    """A pattern that is valid in ECMA-262 but cannot be carried out here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """A pattern of ECMA-262, translated to Python."""

    pattern: str
    sets: float  #: the cost of compiling its sets, counted in large ones such as [一-龥]


@lru_cache(maxsize=16)
def translated(pattern: str) -> Translated:
    """Returns the pattern for Python's `re.search`. Raises ValueError, saying what is wrong and at which character."""
    return _Reader(pattern).read()


@lru_cache(maxsize=512)  # as many as `re` keeps
def compiled(pattern: str) -> re.Pattern[str]:
    """Returns the pattern, ready to search with. Raises ValueError, saying what is wrong with it."""
    written = translated(pattern)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a set that may mean something else one day would be a mistake of ours
            return re.compile(written.pattern)
    except _MISTAKES as error:
        reason = "a look-behind of one length" if "look-behind" in str(error) else "what Python's re can carry out"
        raise Unsupported(f"expected {reason}, but {_shown(pattern)}: {error}") from error


class _Reader:
    """Reads a pattern from left to right, and translates it to Python."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self._groups = Groups()
        self._path: Path = ()
        self._sets = 0.0

    def read(self) -> Translated:
        self._names()
        written = "|".join(self._alternatives())
        if self._at < len(self._text):
            raise self._mistake("a ( for every )")
        self._check_references()
        return Translated(pattern=written, sets=self._sets)

    # ------------------------------------------------------------ structure

    def _alternatives(self) -> list[str]:
        if len(self._path) > 2 * MAX_PATTERN_DEPTH:  # a group and an alternative of it a level
            raise ValueError(
                f"expected a regular expression with groups nested at most {MAX_PATTERN_DEPTH} deep, "
                f"but got {_shown(self._text)}"
            )
        outer, boxes, parts = self._path, list[Box](), list[str]()
        while True:
            boxes.append(Box())
            self._path = (*outer, boxes[-1])
            parts.append(self._sequence())
            if not self._took("|"):
                break
        for box in boxes:
            box.unsure = len(boxes) > 1
        self._path = outer
        return parts

    def _sequence(self) -> str:
        parts = list[str]()
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            parts.append(self._term())
        return "".join(parts)

    def _term(self) -> str:
        edge = next((edge for edge in _EDGES if self._text.startswith(edge, self._at)), "")
        look = next((look for look in _LOOKS if self._text.startswith(look, self._at)), "")
        box = Box(negative=look.endswith("!"), behind="<" in look)
        if edge:
            self._at += len(edge)
            atom = _EDGES[edge]
        else:
            atom = self._group(box, look) if self._text[self._at] == "(" else self._atom()
        if not (repeat := _REPEAT.match(self._text, self._at)):
            return atom
        if edge or look:
            raise self._mistake("repetitions of something other than an assertion")
        return atom + self._repeated(repeat, box)

    def _repeated(self, repeat: re.Match[str], box: Box) -> str:
        least, most = repeat["least"], repeat["most"]
        if max(len(least or ""), len(most or "")) > _MOST_DIGITS:
            raise self._mistake(f"repetitions of at most {10**_MOST_DIGITS - 1:,} times")
        if most and int(most) < int(least):
            raise self._mistake("a repetition whose numbers are in order")
        box.loops = repeat[0] not in ("?", "{0}", "{1}", "{0,1}", "{1,1}")
        box.unsure = repeat[0] in ("?", "*") or (least is not None and int(least) == 0)
        self._at = repeat.end()
        lazy = "?" if self._took("?") else ""
        if _REPEAT.match(self._text, self._at):
            raise self._mistake("repetitions of something other than a repetition")
        return repeat[0] + lazy

    def _group(self, box: Box, look: str) -> str:
        begun, number, opening = self._at, 0, look
        outer, self._path = self._path, (*self._path, box)
        if look or self._text.startswith("(?:", self._at):
            opening = look or "(?:"
            self._at += len(opening)
        elif self._text.startswith("(?<", self._at):
            number, opening = self._groups.open(self._path), "("
            self._at += 2
            self._name()
        elif self._text.startswith("(?", self._at):
            raise self._mistake("a group of ECMA-262: (…), (?:…), (?<name>…), (?=…), (?!…), (?<=…) or (?<!…)")
        else:
            number, opening = self._groups.open(self._path), "("
            self._at += 1
        inside = self._alternatives()
        if not self._took(")"):
            self._at = begun
            raise self._mistake("a ) for every (")
        self._path = outer
        self._groups.closed.add(number)
        return _behind(look, inside) if "<" in look else f"{opening}{'|'.join(inside)})"

    # ------------------------------------------------------------ characters

    def _atom(self) -> str:
        character = self._text[self._at]
        if character == "[":
            return self._class()
        if character == "\\":
            return self._escape()
        if _REPEAT.match(self._text, self._at) or self._text.startswith("{,", self._at):
            raise self._mistake("something to repeat before a repetition such as * or {1,3}")
        self._at += 1
        return self._set(_ANY) if character == "." else re.escape(character)

    def _set(self, ranges: Ranges) -> str:
        self._spend(ranges)
        return sets.python_set(ranges)

    def _spend(self, ranges: Ranges) -> None:
        """Adds the cost of a set. Raises ValueError before a pattern full of them would take seconds to read."""
        self._sets += sets.effort(ranges)
        if self._sets > MAX_LARGE_SETS:
            raise self._mistake(f"at most {MAX_LARGE_SETS} sets beyond U+00FF, such as [一-龥],")

    def _escape(self) -> str:
        following = self._text[self._at + 1 : self._at + 2]
        if following in "123456789" and following:
            digits = re.compile("[0-9]+").match(self._text, self._at + 1)
            assert digits is not None
            return self._reference(int(digits[0][:9]), digits.end())
        if following == "k":
            return self._named_reference()
        found = self._escaped()
        return re.escape(chr(found)) if isinstance(found, int) else self._set(found)

    def _escaped(self) -> int | Ranges:
        """Reads an escape that means the same inside and outside of a set: a character, or several."""
        rest = self._text[self._at + 1 :]
        if rest[:1] in _SHORTHANDS and rest:
            self._at += 2
            return _SHORTHANDS[rest[0]]
        if rest[:1] in ("p", "P"):
            return self._property()
        point, length = self._code_point(rest)
        self._at += 1 + length
        return point

    def _code_point(self, rest: str) -> tuple[int, int]:
        """Returns the character that an escape means, and how long the escape is."""
        if pair := _SURROGATES.match(rest):
            high, low = (int(half, 16) for half in pair.groups())
            return 0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF), pair.end()
        if (written := _CODE_POINT.match(rest)) and (point := int(written[written.lastindex or 0], 16)) <= sets.LAST:
            return point, written.end()
        first, second = rest[:1], rest[1:2]
        if first in _CONTROLS and first:
            return ord(_CONTROLS[first]), 1
        if first == "c" and second.isascii() and second.isalpha():
            return ord(second) % 32, 2
        if first == "0" and not second.isdecimal():
            return 0, 1
        if first.isascii() and first.isprintable() and first and not first.isalnum():
            return ord(first), 1
        raise self._mistake("an escape that ECMA-262 has")

    def _property(self) -> Ranges:
        named = _PROPERTY.match(self._text, self._at + 1)
        try:
            ranges = sets.property_set(named[2] if named else "")
        except KeyError:
            rule = r"a general category such as \p{L} or \p{Lu}, or one of Any, ASCII, Assigned, Lowercase, Uppercase"
            raise Unsupported(f"{self._mistake(rule)}; scripts and other properties are not known here") from None
        assert named is not None
        self._at = named.end()
        return ranges if named[1] == "p" else sets.complement(ranges)

    # ------------------------------------------------------------ sets

    def _class(self) -> str:
        begun = self._at
        self._at += 1
        negated = self._took("^")
        found = list[sets.Range]()
        while not self._took("]"):
            if self._at >= len(self._text):
                self._at = begun
                raise self._mistake("a ] for every [")
            found.extend(self._members())
        ranges = sets.united(found)
        return self._set(sets.complement(ranges) if negated else ranges)

    def _members(self) -> Ranges:
        """Reads a character, a range or a shorthand of a set."""
        begun, first = self._at, self._member()
        if not self._text.startswith("-", self._at) or self._text[self._at + 1 : self._at + 2] in ("]", ""):
            return _as_ranges(first)
        self._at += 1
        last = self._member()
        if isinstance(first, int) and isinstance(last, int):
            if first > last:
                self._at = begun
                raise self._mistake("a range whose ends are in order")
            return ((first, last),)
        return (*_as_ranges(first), (ord("-"), ord("-")), *_as_ranges(last))

    def _member(self) -> int | Ranges:
        character = self._text[self._at]
        if character != "\\":
            self._at += 1
            return ord(character)
        if self._text.startswith(r"\b", self._at):
            self._at += 2
            return ord("\b")
        found = self._escaped()
        if not isinstance(found, int) and len(found) > _MANY_RANGES:
            self._spend(found)
        return found

    # ------------------------------------------------------------ groups by number and name

    def _names(self) -> None:
        """Collects the names of all groups first, because a reference may come before its group."""
        number, inside, at = 0, False, 0
        while at < len(self._text):
            character = self._text[at]
            if character == "\\":
                at += 1
            elif inside:
                inside = character != "]"
            elif character == "[":
                inside = True
            elif character == "(" and (self._text[at + 1 : at + 2] != "?" or self._is_named(at)):
                number += 1
                self._remember(number, at)
            at += 1

    def _is_named(self, at: int) -> bool:
        return self._text.startswith("(?<", at) and self._text[at + 3 : at + 4] not in ("=", "!")

    def _remember(self, number: int, at: int) -> None:
        if self._is_named(at) and (named := _GROUP_NAME.match(self._text, at + 2)):
            if named[1] in self._groups.names:
                self._at = at
                raise self._mistake("groups with names of their own")
            self._groups.names[named[1]] = number

    def _name(self) -> str:
        named = _GROUP_NAME.match(self._text, self._at)
        if not named or not named[1].replace("$", "_").isidentifier():
            raise self._mistake("a name such as <year>")
        self._at = named.end()
        return named[1]

    def _named_reference(self) -> str:
        begun = self._at
        self._at += 2
        name = self._name()
        end, self._at = self._at, begun
        if name not in self._groups.names:
            raise self._mistake("references to groups that are there")
        return self._reference(self._groups.names[name], end)

    def _reference(self, group: int, end: int) -> str:
        """Translates a reference. It matches the empty text when its group took no part, is open, or comes later."""
        begun, self._at = self._at, end
        is_closed = group in self._groups.closed
        self._groups.references.append(Reference(at=begun, group=group, path=self._path, is_closed=is_closed))
        return rf"(?:(?({group})\{group}))" if is_closed else "(?:)"

    def _check_references(self) -> None:
        for reference in self._groups.references:
            self._at = reference.at
            if reference.group > len(self._groups.paths):
                raise self._mistake("references to groups that are there")
            if self._groups.is_unclear(reference):
                rule = "references to groups that surely took part, and none in a look-behind"
                raise Unsupported(str(self._mistake(rule)))

    # ------------------------------------------------------------ the text

    def _took(self, character: str) -> bool:
        taken = self._text.startswith(character, self._at)
        self._at += taken
        return taken

    def _mistake(self, expected: str) -> ValueError:
        rest = self._text[self._at : self._at + 12]
        return ValueError(
            f"expected a regular expression of ECMA-262 with {expected}, but {_shown(self._text)} has "
            f"{rest!r} at character {self._at}"
        )


def _behind(look: str, alternatives: list[str]) -> str:
    """Writes a look-behind: one for each alternative, because Python takes none whose alternatives differ in length."""
    each = [f"{look}{alternative})" for alternative in alternatives]
    return "".join(each) if look.endswith("!") else f"(?:{'|'.join(each)})"


def _as_ranges(found: int | Ranges) -> Ranges:
    return ((found, found),) if isinstance(found, int) else found


def _shown(pattern: str) -> str:
    return repr(pattern if len(pattern) <= 60 else f"{pattern[:57]}…")
