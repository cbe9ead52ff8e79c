"""The formats of JSON Schema, each asserted: a text without the required format is a problem.

The specification leaves open whether a format asserts something. Here it does, in every draft, because users write
`format: date` to get dates. A format that no draft defines asserts nothing, as the specification demands.
"""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Callable, Mapping
from types import MappingProxyType

from signoff.schemas.ecma import Unsupported, compiled
from signoff.schemas.names import is_email, is_hostname, is_idn_email, is_idn_hostname
from signoff.schemas.uris import is_ipv4, is_ipv6, is_iri, is_iri_reference, is_uri, is_uri_reference, is_uri_template

_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(
    r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?(?:z|([+-])([0-9]{2}):([0-9]{2}))", re.IGNORECASE | re.ASCII
)
_DURATION_DATE = r"(?:[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?|[0-9]+M(?:[0-9]+D)?|[0-9]+D)"
_DURATION_TIME = r"T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S)"
_DURATION = re.compile(rf"P(?:[0-9]+W|{_DURATION_DATE}(?:{_DURATION_TIME})?|{_DURATION_TIME})")  # RFC 3339, appendix A
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_POINTER = r"(?:/(?:[^~/]|~[01])*)*"
_JSON_POINTER = re.compile(_POINTER)
_RELATIVE_POINTER = re.compile(rf"(?:0|[1-9][0-9]*)(?:#|{_POINTER})")


def is_date(text: str) -> bool:
    """Tells whether a text is a full-date of RFC 3339, and a day that the calendar has."""
    found = _DATE.fullmatch(text)
    if found is None:
        return False
    year, month, day = map(int, found.groups())
    return 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1] + (month == 2 and isleap(year))


def is_time(text: str) -> bool:
    """Tells whether a text is a full-time of RFC 3339; a leap second is the last one of a day in UTC."""
    found = _TIME.fullmatch(text)
    if found is None:
        return False
    hour, minute, second = (int(part) for part in found.groups()[:3])
    ahead, off_hour, off_minute = found[4] or "+", int(found[5] or 0), int(found[6] or 0)
    if hour > 23 or minute > 59 or second > 60 or off_hour > 23 or off_minute > 59:
        return False
    offset = (off_hour * 60 + off_minute) * (-1 if ahead == "-" else 1)
    return second < 60 or (hour * 60 + minute - offset) % (24 * 60) == 23 * 60 + 59


def is_date_time(text: str) -> bool:
    """Tells whether a text is a date-time of RFC 3339."""
    return text[10:11] in ("T", "t") and is_date(text[:10]) and is_time(text[11:])


def is_regex(text: str) -> bool:
    """Tells whether a text is a regular expression of ECMA-262, even if it cannot be carried out here."""
    try:
        compiled(text)
    except Unsupported:
        return True
    except ValueError:
        return False
    return True


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


FORMATS: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "date": is_date,
        "time": is_time,
        "date-time": is_date_time,
        "duration": _matches(_DURATION),
        "uuid": _matches(_UUID),
        "json-pointer": _matches(_JSON_POINTER),
        "relative-json-pointer": _matches(_RELATIVE_POINTER),
        "regex": is_regex,
        "email": is_email,
        "idn-email": is_idn_email,
        "hostname": is_hostname,
        "idn-hostname": is_idn_hostname,
        "ipv4": is_ipv4,
        "ipv6": is_ipv6,
        "uri": is_uri,
        "uri-reference": is_uri_reference,
        "uri-template": is_uri_template,
        "iri": is_iri,
        "iri-reference": is_iri_reference,
    }
)


def has_format(value: object, name: object) -> bool:
    """Tells whether a value has a format. Only texts can lack one, and only a format that is known here."""
    known = FORMATS.get(name) if isinstance(name, str) else None
    # guard: formats are asserted -> return known is None or True
    return known is None or not isinstance(value, str) or known(value)
