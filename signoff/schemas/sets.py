"""Sets of characters as sorted ranges of code points, and how Python's `re` writes them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cache

Range = tuple[int, int]  #: the first and the last code point
Ranges = tuple[Range, ...]  #: sorted, apart from each other

LAST = 0x10FFFF
_LAST_LATIN = 0xFF  # a set up to here is a table of 256 bits; beyond, Python makes tables of 65,536 first
_LAST_BASIC = 0xFFFF  # what lies beyond is compared range by range, and costs nothing to make
_MANY = 1_000  # members beyond Latin-1 from which on a set takes up to 10 ms; with fewer it takes about one

ALL: Ranges = ((0, LAST),)
DIGITS: Ranges = ((0x30, 0x39),)
WORD: Ranges = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
LINE_ENDS: Ranges = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
#: ECMA-262's WhiteSpace and LineTerminator. Python's `\s` has U+001C to U+001F and U+0085 as well, but not U+FEFF.
SPACE: Ranges = (
    (0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F),
    (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
)  # fmt: skip


def united(ranges: Iterable[Range]) -> Ranges:
    """Returns the ranges sorted, those that touch as one."""
    made: list[Range] = []
    for first, last in sorted(ranges):
        if made and first <= made[-1][1] + 1:
            made[-1] = (made[-1][0], max(made[-1][1], last))
        else:
            made.append((first, last))
    return tuple(made)


def complement(ranges: Ranges) -> Ranges:
    """Returns all characters that are not in these ranges."""
    edges = [-1, *(edge for found in ranges for edge in found), LAST + 1]
    gaps = zip(edges[::2], edges[1::2], strict=True)
    return tuple((before + 1, after - 1) for before, after in gaps if before + 1 <= after - 1)


def python_set(ranges: Ranges) -> str:
    """Returns a pattern of Python's `re` that matches one character of these ranges."""
    if not ranges:
        return r"(?:(?!))"
    if ranges == ALL:
        return r"(?s:.)"
    if ranges[-1][1] == LAST:  # the others are fewer, and cheaper to compile
        return f"[^{''.join(map(_written, complement(ranges)))}]"
    return f"[{''.join(map(_written, ranges))}]"


def _written(found: Range) -> str:
    first, last = (re.escape(chr(end)) for end in found)
    return first if found[0] == found[1] else f"{first}-{last}"


def effort(ranges: Ranges) -> float:
    """Returns the cost of compiling a set, where a large one such as [一-龥] costs 1."""
    listed = complement(ranges) if ranges and ranges[-1][1] == LAST else ranges
    beyond = [(max(a, _LAST_LATIN + 1), min(b, _LAST_BASIC)) for a, b in listed if b > _LAST_LATIN and a <= _LAST_BASIC]
    if not beyond:
        return 0.0
    return 1.0 if sum(b - a + 1 for a, b in beyond) >= _MANY else 0.1


# ---------------------------------------------------------------- \p{…}

_CATEGORIES = {
    "L": "Letter", "Lu": "Uppercase_Letter", "Ll": "Lowercase_Letter", "Lt": "Titlecase_Letter",
    "Lm": "Modifier_Letter", "Lo": "Other_Letter", "M": "Mark", "Mn": "Nonspacing_Mark", "Mc": "Spacing_Mark",
    "Me": "Enclosing_Mark", "N": "Number", "Nd": "Decimal_Number", "Nl": "Letter_Number", "No": "Other_Number",
    "P": "Punctuation", "Pc": "Connector_Punctuation", "Pd": "Dash_Punctuation", "Ps": "Open_Punctuation",
    "Pe": "Close_Punctuation", "Pi": "Initial_Punctuation", "Pf": "Final_Punctuation", "Po": "Other_Punctuation",
    "S": "Symbol", "Sm": "Math_Symbol", "Sc": "Currency_Symbol", "Sk": "Modifier_Symbol", "So": "Other_Symbol",
    "Z": "Separator", "Zs": "Space_Separator", "Zl": "Line_Separator", "Zp": "Paragraph_Separator",
    "C": "Other", "Cc": "Control", "Cf": "Format", "Cs": "Surrogate", "Co": "Private_Use", "Cn": "Unassigned",
}  # fmt: skip
_OTHER_NAMES = {"digit": "Nd", "punct": "P", "cntrl": "Cc", "Combining_Mark": "M"}
_SHORT = {long: short for short, long in _CATEGORIES.items()} | {short: short for short in _CATEGORIES} | _OTHER_NAMES
_SINGLE_CASED = {"Lu", "Ll", "Lt"}

_OF_CHARACTERS: dict[str, Callable[[str], bool]] = {
    # Python keeps these two properties of Unicode's DerivedCoreProperties, and tells them of a single character.
    "Lowercase": str.islower,
    "Lower": str.islower,
    "Uppercase": str.isupper,
    "Upper": str.isupper,
}
_FIXED: dict[str, Ranges] = {
    "Any": ALL,
    "ASCII": ((0, 0x7F),),
    "ASCII_Hex_Digit": ((0x30, 0x39), (0x41, 0x46), (0x61, 0x66)),
    "AHex": ((0x30, 0x39), (0x41, 0x46), (0x61, 0x66)),
    "White_Space": united([*SPACE[:-1], (0x85, 0x85)]),  # Unicode's own: U+FEFF is ECMA-262's alone
    "space": united([*SPACE[:-1], (0x85, 0x85)]),
}


@cache
def property_set(name: str) -> Ranges:
    """Returns the characters with a property of Unicode. Raises KeyError when it is not one of those known here."""
    key, is_pair, value = name.partition("=")
    if is_pair:
        if key not in ("General_Category", "gc"):
            raise KeyError(name)
        return _of_category(_SHORT[value])
    if name in _FIXED:
        return _FIXED[name]
    if name == "Assigned":
        return complement(_of_category("Cn"))
    if name in _OF_CHARACTERS:
        has = _OF_CHARACTERS[name]
        return united((point, point) for point in range(LAST + 1) if has(chr(point)))
    if name in ("Cased_Letter", "LC"):
        return united(found for category in _SINGLE_CASED for found in _of_category(category))
    return _of_category(_SHORT[name])


def _of_category(short: str) -> Ranges:
    if short == "LC":
        return property_set(short)
    wanted = (found for category, listed in _by_category().items() if category.startswith(short) for found in listed)
    return united(wanted)


@cache
def _by_category() -> dict[str, list[Range]]:
    """Every general category with its ranges: a tenth of a second, once in a process that meets a `\\p`."""
    found: dict[str, list[Range]] = {}
    for category, first, last in _runs():
        found.setdefault(category, []).append((first, last))
    return found


def _runs() -> Iterator[tuple[str, int, int]]:
    first, category = 0, unicodedata.category("\0")
    for point in range(1, LAST + 1):
        other = unicodedata.category(chr(point))
        if other != category:
            yield category, first, point - 1
            first, category = point, other
    yield category, first, LAST
