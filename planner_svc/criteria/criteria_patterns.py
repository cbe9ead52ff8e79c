"""The parts of criteria that code can decide, in English and Chinese: amounts, quoted phrases, names of keys, formats.

Each part is a pattern over criteria with single spaces, with the function beside it that reads a match.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from types import MappingProxyType

from planner_svc.checks.check_fields import is_visible
from planner_svc.criteria.placeholders import may_stand_for_others
from signoff.plan.formats import OutputKind, format_of
from signoff.plan.forms import speaks_of_more_than_prose


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compiles a pattern that matches ASCII letters in any case, and no other forms of them such as "ſix"."""
    return re.compile(pattern, re.IGNORECASE | re.ASCII)


# ---------------------------------------------------------------- amounts

_NUMBERS: Mapping[str, int] = MappingProxyType(
    {
        "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
        "eleven": 11, "twelve": 12,
        "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10, "十一": 11,
        "十二": 12,
    }
)  # fmt: skip
_DIGITS = r"[0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,15}"
_N = rf"(?:{_DIGITS}|{'|'.join(word for word in _NUMBERS if word.isascii())})"
_N_ZH = rf"(?:{_DIGITS}|十[一二]|[一二两三四五六七八九十])"

_HAVE = r"(?:be|have|contain|include|use)"
AMOUNT = (
    rf"(?:(?:at least|no fewer than|no less than|not fewer than|not less than|(?:an? )?min(?:imum|\.)?(?: of)?"
    rf"|not {_HAVE} (?:fewer|less|shorter) than) (?P<least>{_N})"
    rf"|(?:at most|(?:no|not) more than|(?:no|not) longer than|not exceed|up to|(?:an? )?max(?:imum|\.)?(?: of)?"
    rf"|not {_HAVE} (?:more|longer) than) (?P<most>{_N})"
    rf"|(?:more than|longer than) (?P<above>{_N})|(?:fewer than|less than|shorter than|under) (?P<below>{_N})"
    rf"|between (?P<low>{_N}) and (?P<high>{_N})|(?:from )?(?P<first>{_N})(?: to | ?[-–] ?)(?P<last>{_N})"
    rf"|exactly (?P<exact>{_N})|(?P<more>{_N}) or more|(?P<fewer>{_N}) or (?:fewer|less)|(?P<bare>{_N}))"
)
OR_MORE = r"(?: or (?P<tail>more|fewer|less)|,? (?P<limit>max|min)(?:imum|\.)?)?"  # after a bare number and its noun
_NOT_ZH = "不(?:得|能|可|应|要|许)?"
AMOUNT_ZH = (
    rf"(?:(?:至少|最少)(?:要?有|包含|引用|列出|给出|提供)? ?(?P<least>{_N_ZH})"
    rf"|{_NOT_ZH}(?:少于|低于) ?(?P<more>{_N_ZH})"
    rf"|(?:{_NOT_ZH}(?:超过|多于)|最多|至多) ?(?P<most>{_N_ZH})"
    rf"|(?:少于|低于) ?(?P<below>{_N_ZH})|(?:多于|超过) ?(?P<above>{_N_ZH})"
    rf"|(?P<first>{_N_ZH}) ?(?:到|至|[-–—~～]) ?(?P<last>{_N_ZH})|(?P<bare>{_N_ZH}))"
)
WITHIN_ZH = "(?P<tail>以内|之内)?"  # after a bare number and its noun: 500字以内

_LEAST = {"least": 0, "more": 0, "above": 1, "low": 0, "first": 0, "exact": 0}  # and the number to add
_MOST = {"most": 0, "fewer": 0, "below": -1, "high": 0, "last": 0, "exact": 0}


def bounds_of(match: re.Match[str]) -> tuple[int | None, int | None]:
    """Returns the least and the largest number that an amount allows; (None, None) when it states neither."""
    groups = match.groupdict()
    tail, bare = groups["tail"] or groups.get("limit"), groups["bare"]
    if tail or bare:
        value = _number(bare) if tail and bare else None
        return (value, None) if (tail or "").lower() in ("more", "min") else (None, value)
    least = next((_number(groups[name]) + add for name, add in _LEAST.items() if groups.get(name)), None)
    most = next((_number(groups[name]) + add for name, add in _MOST.items() if groups.get(name)), None)
    return (None, None) if most is not None and (least or 0) > most else (least, most)


def _number(text: str) -> int:
    return _NUMBERS.get(text.lower()) or int(text.replace(",", ""))


# ---------------------------------------------------------------- phrases

QUOTED = r"""(?P<phrase>'[^']+'|"[^"]+"|“[^”]+”|‘[^’]+’|「[^」]+」|`[^`]+`)"""


def phrase_of(match: re.Match[str], output_format: str) -> str:
    """Returns the phrase between the quotes; empty when a search for it would decide nothing.

    That is so when it may stand for other words, or when it may be a key of the JSON.
    """
    phrase = match["phrase"][1:-1].strip()
    # guard: a phrase that may stand for others is no check -> if not any(map(is_visible, phrase)):
    if may_stand_for_others(phrase) or not any(map(is_visible, phrase)):
        return ""
    return "" if promises_json(output_format) and phrase.lower() in output_format.lower() else phrase


# ---------------------------------------------------------------- names of keys

_NAME = r"[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*"
_ITEM = rf"""(?:{_NAME}|'{_NAME}'|"{_NAME}"|`{_NAME}`|“{_NAME}”)"""
NAMES = rf"(?P<names>{_ITEM}(?:, ?{_ITEM})*(?:,? and {_ITEM})?)"
NAMES_ZH = rf"(?P<names>{_ITEM}(?: ?(?:、|，|,|和|与|及|以及) ?{_ITEM})*)"

_BETWEEN = re.compile(r",? and | ?(?:、|，|,|和|与|以及|及) ?", re.IGNORECASE)
_NO_NAMES = frozenset(
    """
    all and any array arrays boolean both complete correct different distinct empty etc field fields flat four in
    integer key keys large long many missing more multiple named nested no non-empty not null number object of only
    optional or ordered other others required separate several short small some sorted string the these three two typed
    unique unsorted valid values with
    """.split()  # noqa: SIM905
)


_ADJECTIVE = re.compile(r"(?:ed|ing|al|ive|[ai]ble|ic|ous|ful|less|ly|case|ised|ized)$", re.IGNORECASE)
_NO_PLURAL = re.compile(r"(?:[^s]|ss|ous)$", re.IGNORECASE)


def names_of(match: re.Match[str], output_format: str, *, ahead: bool = False) -> tuple[str, ...]:
    """Returns the names in a list; none when one may be an ordinary word, such as "nested" in "with nested arrays".

    Where the format has a shape, names must be keys of it. Otherwise they must be in quotes, or several that are no
    adjectives. `ahead`: they stand before their noun, as adjectives do, so they must be plurals.
    """
    found = _BETWEEN.split(match["names"])
    names = tuple(name.strip("'\"`“”") for name in found)
    if promises_array(output_format):
        return ()
    if "{" in output_format:
        return names if all(is_key(name.partition(".")[0], output_format) for name in names) else ()
    are_quoted = {name != written for name, written in zip(names, found, strict=True)}
    doubtful = (
        name.lower() in _NO_NAMES or _ADJECTIVE.search(name) or (ahead and _NO_PLURAL.search(name)) for name in names
    )
    plain = are_quoted == {False} and len(names) > 1 and not any(doubtful)
    return names if are_quoted == {True} or plain else ()


# ---------------------------------------------------------------- formats


def promises_json(output_format: str) -> bool:
    """Tells whether the candidate, or each line of it, is JSON: checks of a text would also count its brackets."""
    return format_of(output_format).kind in (OutputKind.JSON, OutputKind.JSON_LINES)


def may_be_json(output_format: str) -> bool:
    """Tells whether the whole candidate can be one JSON value, and not lines of JSON or a text around some."""
    return format_of(output_format).is_json or "json" not in output_format.lower()


@functools.lru_cache(maxsize=1024)
def is_prose(output_format: str) -> bool:
    """Tells whether all of the candidate is text for its reader, without tags and code."""
    return not promises_json(output_format) and not speaks_of_more_than_prose(output_format)


def promises_array(output_format: str) -> bool:
    """Tells whether the candidate is to be a JSON array."""
    return format_of(output_format).is_array


def is_key(name: str, output_format: str) -> bool:
    """Tells whether the object that a format promises has this key at its top."""
    return name in format_of(output_format).properties


def array_under(key: str, output_format: str) -> str:
    """Returns the key, as the format spells it, when the format promises an array under it; else empty."""
    for name, schema in format_of(output_format).properties.items():
        if name.lower() == key.lower() and isinstance(schema, dict) and schema.get("type") == "array":
            return str(name)
    return ""
