"""A guard that keeps tests on this machine: a connection to another one, or a look-up of its address, raises an error.

It sees the sockets that Python opens in this process; gRPC and child processes open their own.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

_NAMES = frozenset({"", "localhost"})
NO_HOST = ".invalid"  # no host ever has such a name: RFC 2606
_INTERNET = frozenset({socket.AF_INET, socket.AF_INET6})


class OutsideLoopback(BaseException):
    """A test was about to talk to another machine. It is no Exception: no code may take it for its own fault."""


@contextlib.contextmanager
def loopback_only() -> Iterator[None]:
    """Guards the block. A database that the environment names for the tests may be asked all the same."""
    named = urlsplit(os.environ.get("SIGNOFF_TEST_POSTGRES_DSN", "")).hostname
    friends = _NAMES | {named} if named else _NAMES
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo
    addresses: set[str] = set()  # of friends

    def checked(of: socket.socket, address: Any) -> None:
        if of.family in _INTERNET and not (_is_loopback(address[0]) or address[0] in friends | addresses):
            raise OutsideLoopback(f"expected a connection on loopback, but got one to {address[0]}")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        checked(self, address)
        return connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        checked(self, address)
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: Any, *others: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host or ""
        if name not in friends and not _is_address(name) and not name.endswith(NO_HOST):
            raise OutsideLoopback(f"expected the name of this machine, but a test looks for {name}")
        found = getaddrinfo(host, *others, **options)
        if name == named:
            addresses.update(str(entry[4][0]) for entry in found)
        return found

    with (
        patch.object(socket.socket, "connect", guarded_connect),
        patch.object(socket.socket, "connect_ex", guarded_connect_ex),
        patch.object(socket, "getaddrinfo", guarded_getaddrinfo),
    ):
        yield


def _is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host in _NAMES or (_is_address(host) and ip_address(host.partition("%")[0]).is_loopback)
