"""Names of hosts (RFC 1123, RFC 5890 ff.) and addresses of mail (RFC 5321, RFC 6531)."""

from __future__ import annotations

import re
from unicodedata import bidirectional, normalize

from signoff.schemas.uris import is_ipv4, is_ipv6

_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_DOTS = re.compile("[.\u3002\uff0e\uff61]")  # RFC 3490: all four part labels
MAX_HOST_CHARS = 253
_MAX_LOCAL_BYTES = 64  # RFC 5321 4.5.3.1.1

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_LOCAL = re.compile(rf'{_ATOM}+(?:\.{_ATOM}+)*|"(?:[ !#-\[\]-~]|\\[ -~])*"')
_WIDE_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]"
_WIDE_LOCAL = re.compile(rf'{_WIDE_ATOM}+(?:\.{_WIDE_ATOM}+)*|"(?:[ !#-\[\]-~\u0080-\U0010ffff]|\\[ -~])*"')


def is_hostname(text: str) -> bool:
    """Tells whether a text is a name of a host in ASCII. A label that begins with xn-- must be valid IDNA."""
    if not 0 < len(text) <= MAX_HOST_CHARS or not text.isascii():
        return False
    return all(_LABEL.fullmatch(label) and _is_meaningful(label) for label in text.split("."))


def _is_meaningful(label: str) -> bool:
    return not label.lower().startswith("xn--") or _is_idna(label.lower())


def is_idn_hostname(text: str) -> bool:
    """Tells whether a text is a name of a host in any script, by IDNA 2008."""
    labels = _DOTS.split(text)
    if not all(labels):
        return False
    if not all(_is_ascii_label(label) if label.isascii() else _is_idna(label) for label in labels):
        return False
    if not _is_bidi(labels):
        return False
    return len(text) <= MAX_HOST_CHARS and sum(len(_ascii(label)) + 1 for label in labels) - 1 <= MAX_HOST_CHARS


def _is_ascii_label(label: str) -> bool:
    """Tells whether an ASCII label is allowed in IDNA, which reserves labels like `ab--c` (RFC 5891)."""
    return is_hostname(label) and (label[2:4] != "--" or label.lower().startswith("xn--"))


def _is_idna(label: str) -> bool:
    import idna  # only here: its tables take a while to import

    try:
        return idna.ulabel(label) != "" if label.isascii() else idna.alabel(label) != b""
    except (idna.IDNAError, UnicodeError):
        return False


def _is_bidi(labels: list[str]) -> bool:
    """Tells whether the labels obey the Bidi rule (RFC 5893) when any of them is written from right to left."""
    import idna

    try:
        shown = [idna.ulabel(label) if label.isascii() else label for label in labels]
        if any(bidirectional(character) in ("R", "AL", "AN") for label in shown for character in label):
            return all(idna.check_bidi(label, check_ltr=True) for label in shown)
    except (idna.IDNAError, UnicodeError):
        return False
    return True


def _ascii(label: str) -> str:
    import idna

    return label if label.isascii() else idna.alabel(label).decode()


def is_email(text: str) -> bool:
    """Tells whether a text is a mailbox of RFC 5321 in ASCII."""
    local, _, domain = text.rpartition("@")
    return _is_local(_LOCAL, local) and (is_hostname(domain) or _is_literal(domain))


def is_idn_email(text: str) -> bool:
    """Tells whether a text is a mailbox of RFC 6531, in any script. The mail system normalizes the domain itself."""
    local, _, domain = text.rpartition("@")
    domain = normalize("NFC", domain)
    return _is_local(_WIDE_LOCAL, local) and (is_idn_hostname(domain) or _is_literal(domain))


def _is_local(grammar: re.Pattern[str], local: str) -> bool:
    return grammar.fullmatch(local) is not None and len(local.encode(errors="replace")) <= _MAX_LOCAL_BYTES


def _is_literal(domain: str) -> bool:
    """Tells whether a domain is an address in brackets."""
    if not (domain.startswith("[") and domain.endswith("]")):
        return False
    address = domain[1:-1]
    return is_ipv6(address[5:]) if address.lower().startswith("ipv6:") else is_ipv4(address)
