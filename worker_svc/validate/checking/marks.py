"""Marks and letters of a whole text: its case, a title, quotation marks around it, a postscript."""

from __future__ import annotations

import re
import unicodedata

from signoff.v1 import plan_pb2
from worker_svc.validate.checking.reading import CheckFailed, prose_of, text_of
from worker_svc.validate.checking.text.scripts import has_letters
from worker_svc.validate.invisible import has_visible, without_invisible

POSTSCRIPT = "P.S."  # the marker of a check that names none

_UPPER, _LOWER = "upper case", "lower case"
_CATEGORIES = {_UPPER: "Lu", _LOWER: "Ll"}
_PAIRS = {'"': '"', "“": "”", "”": "”", "„": "“”", "«": "»", "»": "«", "‹": "›", "「": "」", "『": "』", "＂": "＂"}


def check_uppercase(_check: plan_pb2.Check, content: bytes) -> None:
    _all_in(_UPPER, prose_of(content))


def check_lowercase(_check: plan_pb2.Check, content: bytes) -> None:
    _all_in(_LOWER, prose_of(content))


def _all_in(case: str, text: str) -> None:
    """Fails on the first letter of the other case; scripts without case do not matter."""
    kinds = {character: unicodedata.category(character) for character in set(text)}
    others = {
        character for character, kind in kinds.items() if kind in ("Lu", "Ll", "Lt") and kind != _CATEGORIES[case]
    }
    if others:
        at = next(n for n, character in enumerate(text) if character in others)
        raise CheckFailed(f"expected all letters in {case}, but character {at} begins {text[at : at + 40]!r}")
    if _CATEGORIES[case] not in kinds.values():
        raise CheckFailed(f"expected letters in {case}, but there is none that has a case")


def check_title(_check: plan_pb2.Check, content: bytes) -> None:
    lines = without_invisible(prose_of(content)).splitlines()
    if not any(map(_has_title, lines)):
        raise CheckFailed("expected a title between << and >> in one line, but there is none")


def _has_title(line: str) -> bool:
    start, end = line.find("<<"), line.rfind(">>")
    return 0 <= start < end and has_letters(line[start:end])


def check_quoted(_check: plan_pb2.Check, content: bytes) -> None:
    text = without_invisible(text_of(content)).strip()
    closing = _PAIRS.get(text[:1], "")
    if not closing or len(text) < 2 or text[-1] not in closing:
        raise CheckFailed(f"expected quotation marks around the text, but it is {text[:1]!r} … {text[-1:]!r}")
    if not has_visible(text[1:-1]):
        raise CheckFailed("expected a text between quotation marks, but there is none")
    if (end := _end_of_quotation(text, closing)) < len(text) - 1:
        raise CheckFailed(
            f"expected one quotation, but the first one ends at character {end}: {text[: end + 1][-40:]!r}"
        )


def _end_of_quotation(text: str, closing: str) -> int:
    """Returns the end of the quotation that opens the text: further ones may be within it."""
    opening, depth = text[0], 1
    for at, character in enumerate(text[1:], 1):
        if character != opening and character not in closing:
            continue
        if opening in closing:
            depth += _turn_of_straight(text, at)
        else:
            depth += 1 if character == opening else -1
        if depth == 0:
            return at
    return len(text) - 1


def _turn_of_straight(text: str, at: int) -> int:
    """Returns 1 for a mark that opens, -1 for one that closes, 0 for one that may be either, such as 5" and a"b."""
    before, after = text[at - 1 : at] or " ", text[at + 1 : at + 2] or " "
    if at == len(text) - 1:
        return 0  # the last mark decides nothing: its quotation goes to the end anyway
    opens = (before.isspace() or before in "([{—–-") and not after.isspace()
    closes = not before.isspace() and not before.isdigit() and (after.isspace() or after in ".,;:!?)]}—–-")
    return int(opens) - int(closes and not opens)


def check_postscript(check: plan_pb2.Check, content: bytes) -> None:
    marker, text = check.postscript.marker or POSTSCRIPT, without_invisible(prose_of(content))
    found = _line_of(marker).search(text)
    if found is None:
        raise CheckFailed(f"expected a line that begins with {marker!r}, but there is none")
    if not has_letters(text[: found.start()]):
        raise CheckFailed(f"expected a text before {marker!r}, but there is none")
    if not has_letters(text[found.end() :]):
        raise CheckFailed(f"expected a text behind {marker!r}, but there is none")


def _line_of(marker: str) -> re.Pattern[str]:
    """Returns a pattern for a line that begins with the marker, in any case, with or without spaces in it."""
    letters = " ?".join(map(re.escape, "".join(marker.split())))
    return re.compile(rf"^[ \t>*_#(\"'“]*{letters}(?![^\W_])", re.MULTILINE | re.IGNORECASE)
