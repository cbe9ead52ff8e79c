"""The HTTP server: where it listens, and what a slow or dead client cannot do.

A client has some seconds for the head of a request, and must take something of an answer within half a minute. One that
does not is cut off, so it holds no connection, no stream of the runner and no memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from signoff.rpc.socket_files import make_room

HEAD_WITHIN = 10.0  # seconds for the head of a request
TAKEN_WITHIN = 30.0  # seconds in which a client must take what waits for it
MOST_HEAD = 32 * 1024  # bytes
MOST_CONNECTIONS = 1_000
LEAST_ROOM = 0.1  # of the connections: from there on, the one that has waited longest for its head makes room
BACKLOG = 512


class DoorProtocol(H11Protocol):
    """HTTP/1.1 with the two clocks of the door. Each server has a subclass of its own."""

    most_connections: ClassVar[int] = MOST_CONNECTIONS
    heads_awaited: ClassVar[dict[DoorProtocol, None]]  #: the connection that has waited longest is the first
    _head_clock: asyncio.TimerHandle | None = None
    _write_clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()
        # guard: silent connections make room -> if False:
        if len(self.connections) > self.most_connections * (1 - LEAST_ROOM):
            longest = next(iter(self.heads_awaited))
            del self.heads_awaited[longest]
            longest.transport.abort()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._await_head()
        else:
            self._end_wait()

    def _end_wait(self) -> None:
        self._head_clock = _stopped(self._head_clock)
        self.heads_awaited.pop(self, None)

    def _await_head(self) -> None:
        # guard: a head in time -> pass
        self._head_clock = self._head_clock or self.loop.call_later(HEAD_WITHIN, self.transport.abort)
        self.heads_awaited.setdefault(self)

    def pause_writing(self) -> None:
        super().pause_writing()
        # guard: an answer is taken in time -> pass
        self._write_clock = self._write_clock or self.loop.call_later(TAKEN_WITHIN, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._write_clock = _stopped(self._write_clock)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_wait()
        self._write_clock = _stopped(self._write_clock)
        super().connection_lost(exc)


def _stopped(clock: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """Stops a clock, and returns none."""
    if clock is not None:
        clock.cancel()
    return None


class DoorServer(uvicorn.Server):
    """A server that leaves the signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server_of(app: ASGIApp, grace: float) -> DoorServer:
    """Returns the server of an application; it serves on sockets that it is given."""
    for name in ("uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).addHandler(logging.NullHandler())
        logging.getLogger(name).propagate = False  # the door has a log of its own
    most = most_connections()
    own = type("OwnDoorProtocol", (DoorProtocol,), {"most_connections": most, "heads_awaited": {}})
    settings: dict[str, Any] = {
        "http": own,
        "ws": "none",
        "lifespan": "off",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "h11_max_incomplete_event_size": MOST_HEAD,
        "limit_concurrency": most,
        "timeout_graceful_shutdown": max(1, round(grace)),
    }
    return DoorServer(uvicorn.Config(app, **settings))


def most_connections() -> int:
    """Returns how many connections there may be: half of the files that this process may open are for others."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if files == resource.RLIM_INFINITY else min(MOST_CONNECTIONS, files // 2)


def bind(address: str) -> tuple[socket.socket, str]:
    """Binds "host:port" or "unix:path". Returns the socket and the address. Raises OSError when it cannot."""
    if address.startswith("unix:"):
        return _bind_path(Path(address.removeprefix("unix:"))), address
    host, _, number = address.rpartition(":")
    if not (host and number.isascii() and number.isdigit() and int(number) < 65536):
        raise OSError(f"cannot listen on {address}: expected host:port with a port from 0 to 65535, or unix:path")
    bare = host.strip("[]")
    bound = socket.socket(socket.AF_INET6 if ":" in bare else socket.AF_INET)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((bare, int(number)))
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        raise OSError(f"cannot listen on {address}: is another process using it? ({error})") from error
    bound.setblocking(False)
    return bound, f"{host}:{bound.getsockname()[1]}"


def _bind_path(path: Path) -> socket.socket:
    bound = socket.socket(socket.AF_UNIX)
    try:
        make_room(path)
        bound.bind(str(path))
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        raise OSError(f"cannot listen on unix:{path}: {error}") from error
    bound.setblocking(False)
    return bound
