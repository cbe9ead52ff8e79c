"""The rules that every request keeps, checked before an endpoint is asked: host, token, origin, type, read-only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from signoff.web.safety.hosts import AllowedHosts
from signoff.web.safety.refusals import (
    HostNotAllowed,
    OriginNotAllowed,
    ReadOnly,
    TokenRequired,
    TokenWrong,
    UnsupportedMediaType,
)
from signoff.web.safety.tokens import Token

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
JSON, BYTES = "application/json", "application/octet-stream"  # neither of which a page of another site can send unasked
UPLOADS = "/api/v1/contents"  # the one path whose body is bytes
SHOWN = 80  # characters of a header in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules of one door."""

    hosts: AllowedHosts
    token: Token | None = None  #: None: none is required, which holds on loopback only
    read_only: bool = False
    prefix: str = ""  #: the path before all others behind a proxy, such as "/signoff"

    def check_host(self, headers: Mapping[str, str]) -> None:
        """Raises HostNotAllowed for a request to a name that is not this door's."""
        host = headers.get("host", "")
        if not self.hosts.has(host):
            raise HostNotAllowed(
                f"Host: expected a loopback name or one given with --allow-host, but got {host[:SHOWN]!r}"
            )

    def is_signed_in(self, headers: Mapping[str, str]) -> bool:
        return self.token is None or self.token.is_shown_by(headers)

    def check_signed_in(self, headers: Mapping[str, str]) -> None:
        """Raises TokenRequired for a request without the token."""
        # guard: the token is required -> if False:
        if not self.is_signed_in(headers):
            raise TokenRequired(
                "expected the token, as `Authorization: Bearer …` or as a session, but got none or another"
            )

    def check_token(self, text: str) -> None:
        """Raises TokenWrong for another token than this door's."""
        if self.token is not None and not self.token.equals(text):
            raise TokenWrong("token: expected the token that the door was started with, but got another one")

    def check_unsafe(self, method: str, headers: Mapping[str, str], path: str = "") -> None:
        """Checks a request that may change something: a page of another site cannot make a browser send it."""
        if method in SAFE:
            return
        # guard: only pages of this door -> pass
        self._check_origin(headers)
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        wanted = BYTES if path == UPLOADS else JSON
        # guard: only JSON is taken -> if False:
        if media_type != wanted:
            raise UnsupportedMediaType(f"Content-Type: expected {wanted}, but got {media_type[:SHOWN] or 'none'!r}")

    def _check_origin(self, headers: Mapping[str, str]) -> None:
        """Raises OriginNotAllowed. Programs other than browsers send neither of the headers."""
        origin = headers.get("origin")
        if origin is not None and not self.hosts.may_send(origin, headers.get("host", "")):
            raise OriginNotAllowed(f"Origin: expected that of this door's page, but got {origin[:SHOWN]!r}")
        if origin is None and headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            raise OriginNotAllowed("Sec-Fetch-Site: expected a request of this door's page, but it is of another site")

    def check_writable(self, changes: bool) -> None:
        """Raises ReadOnly for a request that would change something at a door that changes nothing."""
        # guard: read-only changes nothing -> if False:
        if changes and self.read_only:
            raise ReadOnly("expected a question, but got a command: this door was started with --read-only")
