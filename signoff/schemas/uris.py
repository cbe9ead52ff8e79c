"""URIs (RFC 3986), IRIs (RFC 3987), templates of URIs (RFC 6570) and addresses of the Internet, by their grammars."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv6Address

_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_BYTE}(?:\.{_BYTE}){{3}}")
_IPV6_CHARACTERS = re.compile(r"[0-9A-Fa-f:.]+")  # IPv6Address takes digits of other scripts, and a zone

_ENCODED = r"%[0-9A-Fa-f]{2}"
_SUB_DELIMS = r"!$&'()*+,;="
_ASCII_UNRESERVED = r"A-Za-z0-9\-._~"
# RFC 3987: ucschar; the last two characters of each plane are none.
_UCS = "\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef" + "".join(
    f"{chr((plane << 16) + (0x1000 if plane == 14 else 0))}-{chr((plane << 16) + 0xFFFD)}" for plane in range(1, 15)
)
_PRIVATE = "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"  # RFC 3987: iprivate, in queries alone


def _grammar(unreserved: str, private: str, *, is_relative: bool) -> re.Pattern[str]:
    """Returns the grammar of URIs or of references. Each repetition can match in one way only, so it is quick."""
    character = rf"(?:[{unreserved}{_SUB_DELIMS}:@]|{_ENCODED})"
    no_colon = rf"(?:[{unreserved}{_SUB_DELIMS}@]|{_ENCODED})"
    user = rf"(?:(?:[{unreserved}{_SUB_DELIMS}:]|{_ENCODED})*@)?"
    future = rf"[vV][0-9A-Fa-f]+\.[{_ASCII_UNRESERVED}{_SUB_DELIMS}:]+"
    host = rf"(?:\[(?:(?P<ipv6>[0-9A-Fa-f:.]+)|{future})\]|(?:[{unreserved}{_SUB_DELIMS}]|{_ENCODED})*)"
    below = rf"(?:/{character}*)*"
    rooted = rf"//{user}{host}(?::[0-9]*)?{below}|/(?:{character}+{below})?"
    rest = rf"(?:\?(?:{character}|[/?{private}])*)?(?:\#(?:{character}|[/?])*)?"
    if is_relative:
        return re.compile(rf"(?:{rooted}|{no_colon}+{below}|){rest}")
    return re.compile(rf"[A-Za-z][A-Za-z0-9+\-.]*:(?:{rooted}|{character}+{below}|){rest}")


def _checked(*grammars: re.Pattern[str]) -> Callable[[str], bool]:
    def is_one(text: str) -> bool:
        found = next(filter(None, (grammar.fullmatch(text) for grammar in grammars)), None)
        return found is not None and (found["ipv6"] is None or is_ipv6(found["ipv6"]))

    return is_one


_URI = _grammar(_ASCII_UNRESERVED, "", is_relative=False)
_RELATIVE = _grammar(_ASCII_UNRESERVED, "", is_relative=True)
_IRI = _grammar(_ASCII_UNRESERVED + _UCS, _PRIVATE, is_relative=False)
_RELATIVE_IRI = _grammar(_ASCII_UNRESERVED + _UCS, _PRIVATE, is_relative=True)

is_uri = _checked(_URI)
is_uri_reference = _checked(_URI, _RELATIVE)
is_iri = _checked(_IRI)
is_iri_reference = _checked(_IRI, _RELATIVE_IRI)

_VARIABLE = rf"(?:[A-Za-z0-9_]|{_ENCODED})+(?:\.(?:[A-Za-z0-9_]|{_ENCODED})+)*(?::[1-9][0-9]{{0,3}}|\*)?"
_EXPRESSION = rf"\{{[+#./;?&=,!@|]?{_VARIABLE}(?:,{_VARIABLE})*\}}"
_LITERAL = rf"[!#$&()*+,\-./0-9:;=?@A-Z\[\]_a-z~{_UCS}{_PRIVATE}']|{_ENCODED}"
_TEMPLATE = re.compile(rf"(?:{_LITERAL}|{_EXPRESSION})*")


def is_uri_template(text: str) -> bool:
    """Tells whether a text is a template of RFC 6570."""
    return _TEMPLATE.fullmatch(text) is not None


def is_ipv4(text: str) -> bool:
    """Tells whether a text is an address such as 192.0.2.1, without leading zeros: some programs read them as octal."""
    return _IPV4.fullmatch(text) is not None


def is_ipv6(text: str) -> bool:
    """Tells whether a text is an address such as 2001:db8::1, without a zone."""
    if not _IPV6_CHARACTERS.fullmatch(text):
        return False
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True
