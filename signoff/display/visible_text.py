r"""Texts of plans, models and workers as a terminal may show them: what hides or steers is written out, such as \x1b.

Written out are control characters, marks and overrides of direction, lone surrogates, separators of lines and
paragraphs, and everything else that has no shape: zero-width spaces, tags, fillers, selectors without a base, and the
numbers that Unicode gives to no character. What scripts and emoji cannot do without stays where they use it: a joiner
after a letter of a script that joins, or between two symbols; one variation selector after a symbol, a keycap or a Han
character. So 👨‍👩‍👧 and می‌خواهم stay as they are, and a message in joiners or selectors is seen.
"""

from __future__ import annotations

import re

# Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties, annotations, and layout of hieroglyphs and notes.
_WITHOUT_SHAPE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
_NO_CHARACTERS = "\ufdd0-\ufdef" + "".join(
    chr(plane * 0x10000 + last) for plane in range(17) for last in (0xFFFE, 0xFFFF)
)
_HIDDEN = f"\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff{_WITHOUT_SHAPE}{_NO_CHARACTERS}"  # \t and \n stay

_SYMBOL = "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_JOINING = "\u0600-\u18af\ua800-\uabff\ufb50-\ufdff\ufe70-\ufefc"  # Arabic to Mongolian, and letters of India
_HAN = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_NEEDED = re.compile(
    "|".join(
        (
            f"(?<=[{_SYMBOL}\ufe0f])\u200d(?=[{_SYMBOL}])",  # 👩 and 🚀 in one
            f"(?<=[{_JOINING}])(?<![{_HIDDEN}])[\u200c\u200d]",
            f"(?<=[{_SYMBOL}])[\ufe0e\ufe0f]",  # the picture, or the sign
            "(?<=[0-9#*])\ufe0f(?=\u20e3)",  # a keycap
            f"(?<=[{_HAN}])[\ufe00-\ufe02\U000e0100-\U000e01ef]",  # the form of a name
            "(?<=[\u1820-\u18aa])[\u180b-\u180d\u180f]",  # of a Mongolian letter
        )
    )
)
_FOUND = re.compile(f"[{_HIDDEN}]")
_BREAKS = re.compile("[\t\n\r]+")


def visible(text: str) -> str:
    r"""Returns a text of one or many lines with what hides or steers written out: \x1b, \u202e. \n and \t stay."""
    # guard: hidden characters are written out -> return text
    return _FOUND.sub(_written_out, text)


def one_line(text: str) -> str:
    """Returns a visible text that stays on its line: breaks and tabs are spaces."""
    return visible(_BREAKS.sub(" ", text)).strip()


def visible_json(document: str) -> str:
    r"""Returns a JSON document that means the same, with what hides or steers escaped as JSON does: \u001b, \ud83d."""
    # guard: hidden characters are escaped in JSON -> return document
    return _FOUND.sub(_escaped, document)


def _written_out(found: re.Match[str]) -> str:
    return found[0] if _is_needed(found) else ascii(found[0])[1:-1]


def _escaped(found: re.Match[str]) -> str:
    if _is_needed(found):
        return found[0]
    units = found[0].encode("utf-16-be", errors="surrogatepass").hex()
    return "".join(f"\\u{units[begin : begin + 4]}" for begin in range(0, len(units), 4))


def _is_needed(found: re.Match[str]) -> bool:
    """Tells whether a script or an emoji needs this character where it stands."""
    return _NEEDED.match(found.string, found.start()) is not None
