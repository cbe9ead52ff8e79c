"""The names by which the door may be called: a foreign name that leads here is an attack on the user's browser."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from signoff.service.environment import is_loopback


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedHosts:
    """Loopback names, the names given with --allow-host, and the address that the door listens at."""

    names: frozenset[str] = frozenset()  #: "example.org" is any port of it, "example.org:8443" that one
    bound: str = ""  #: the host that the door listens at

    def has(self, netloc: str) -> bool:
        """Tells whether the value of a Host header names this door."""
        host = host_in(netloc)
        if host is None:
            return False
        # guard: only known hosts -> return True
        return is_loopback(host) or host == self.bound or self.is_named(netloc)

    def is_named(self, netloc: str) -> bool:
        """Tells whether it was given with --allow-host."""
        return netloc.lower() in self.names or host_in(netloc) in self.names

    def may_send(self, origin: str, netloc: str) -> bool:
        """Tells whether a page of this origin may send requests that change something.

        It may when it came from this door: its host and port are those of the request. Behind a proxy that changes
        Host, its host was given with --allow-host.
        """
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        if parts.scheme not in ("http", "https") or not parts.netloc:
            return False
        is_same = _with_port(parts.netloc, parts.scheme) == _with_port(netloc, parts.scheme)
        return (is_same and self.has(netloc)) or self.is_named(parts.netloc)


def host_in(netloc: str) -> str | None:
    """Returns the host of "host:port" in small letters; None when it is no such text."""
    try:
        parts = urlsplit(f"//{netloc}")
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return None
    if not parts.hostname or parts.netloc != netloc or parts.username is not None or parts.path:
        return None
    return parts.hostname.lower().rstrip(".")


def _with_port(netloc: str, scheme: str) -> tuple[str, int] | None:
    host = host_in(netloc)
    if host is None:
        return None
    return host, urlsplit(f"//{netloc}").port or (443 if scheme == "https" else 80)
