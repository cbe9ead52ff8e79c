"""Settings that are secret by their names, and the secrets in URLs: the user, the password and the keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

#: Values that are set where no key is needed: words that texts may well hold.
PLACEHOLDERS = frozenset(
    {"lm-studio", "not-needed", "not-used", "no-key-needed", "no-key-required", "sk-no-key-required", "placeholder"}
)
_SECRET_NAME = re.compile(
    r"key|token|secret|passw|pwd|credential|authorization|signature|\Asig\Z|\Acode\Z", re.IGNORECASE
)


def is_secret_name(name: str) -> bool:
    """Tells whether a setting of this name holds a key or a password."""
    return _SECRET_NAME.search(name) is not None


def secrets_in_url(url: str) -> Iterator[str]:
    """Yields the secrets in a URL: the password, the user unless it is a plain word beside one, and keys in the query.

    Each comes as it is written and with its escapes read. A URL that cannot be parsed has its user part searched all
    the same.
    """
    parts = _split(url)
    if parts is None or "@" in f"{parts.path}?{parts.query}#{parts.fragment}":  # a raw / ? or # in the password
        authority = url.partition("://")[2].rpartition("@")[0]
    else:
        authority = parts.netloc.rpartition("@")[0]
    user, _, password = authority.partition(":")
    yield from _as_meant(password if unquote(password) != unquote(user) else "")
    yield from _as_meant(user if not password or not user.isalpha() else "")
    for name, value in parse_qsl(parts.query if parts else url.partition("?")[2]):
        if is_secret_name(name):
            yield from _as_meant(value)


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _as_meant(written: str) -> Iterator[str]:
    yield from dict.fromkeys(filter(None, (written, unquote(written))))
