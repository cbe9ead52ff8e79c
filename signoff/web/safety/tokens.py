"""The one shared token. A browser holds a cookie in its place, which is made from the token and says nothing of it."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

from signoff.errors import ConfigurationError

VARIABLE = "SIGNOFF_UI_TOKEN"
COOKIE = "signoff_session"
LEAST = 16  # characters: nothing that can be guessed


@dataclass(frozen=True, slots=True)
class Token:
    """The token of a door. It is compared in constant time."""

    text: str

    def __repr__(self) -> str:
        return "Token(…)"

    @property
    def cookie(self) -> str:
        """Returns the value of the session cookie; the token does not follow from it."""
        return hmac.new(self.text.encode(), b"signoff session 1", hashlib.sha256).hexdigest()

    def is_shown_by(self, headers: Mapping[str, str]) -> bool:
        """Tells whether a request has the token as a bearer, or the cookie."""
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.equals(bearer.strip()):
            return True
        return hmac.compare_digest(_cookie_in(headers.get("cookie", "")).encode(), self.cookie.encode())

    def equals(self, text: str) -> bool:
        # guard: the token is compared whole -> return bool(text)
        return hmac.compare_digest(text.encode(errors="replace"), self.text.encode())


def _cookie_in(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""


def read_token(file: Path | None, environment: Mapping[str, str] = os.environ) -> Token | None:
    """Reads the token from its file, or from the environment. Raises ConfigurationError for one that is no good."""
    if file is None:
        text, source = environment.get(VARIABLE, "").strip(), VARIABLE
        if not text:
            return None
    else:
        text, source = _read(file), f"--token-file {file}"
    if len(text) < LEAST or not (text.isascii() and text.isprintable()) or " " in text:
        raise ConfigurationError(
            f"{source}: expected a token of at least {LEAST} printable ASCII characters without spaces, but got "
            f"{len(text)} characters, or others: `openssl rand -hex 32` makes one"
        )
    return Token(text)


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"--token-file: expected a file with a token, but got {error}") from error
