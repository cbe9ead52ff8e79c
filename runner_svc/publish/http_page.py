"""A page over HTTP that answers a few readers at once and stands many open connections.

Connections have no threads of their own. A request must come, and its answer be taken, within some seconds. When there
are too many connections, the one that has been silent for longest is closed. So readers that send their request at once
are answered, even while others only hold connections open.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger(__name__)

MOST_CONNECTIONS = 64
MOST_ANSWERING = 8  # requests that are answered at once; others wait
REQUEST_WITHIN = 5.0  # seconds from the connection to the end of the request
TAKEN_WITHIN = 5.0  # seconds for the reader to take the answer
MOST_REQUEST_BYTES = 8 * 1024  # of the request line and the headers

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """An answer to a request."""

    status: str = "200 OK"
    kind: str = "text/plain; charset=utf-8"
    body: bytes = b""
    headers: Headers = field(default_factory=dict)

    def to_bytes(self, *, with_body: bool) -> bytes:
        own = {"Content-Type": self.kind, "Content-Length": str(len(self.body)), "Connection": "close"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in (own | dict(self.headers)).items())
        return f"HTTP/1.1 {self.status}\r\n{lines}\r\n".encode("latin-1") + (self.body if with_body else b"")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    method: str
    headers: Headers  #: by names in lower case


class BadRequest(Exception):
    """A malformed request. Its text is the status of the answer."""


class PageServer:
    """A server that answers every GET with `page`, which receives the headers."""

    def __init__(self, page: Callable[[Headers], Awaitable[HttpAnswer]]) -> None:
        self._page = page
        self._answering = asyncio.Semaphore(MOST_ANSWERING)
        self._connections: set[asyncio.Task[None]] = set()
        self._silent: dict[asyncio.Task[None], None] = {}  # connections without a request so far, the oldest first
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listens and returns the port. Raises OSError."""
        self._server = await asyncio.start_server(self._connected, host, port, limit=MOST_REQUEST_BYTES)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Ends all connections."""
        if self._server is not None:
            self._server.close()
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= MOST_CONNECTIONS and not self._make_room():
            writer.transport.abort()
            return
        connection = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._connections.add(connection)
        self._silent[connection] = None
        connection.add_done_callback(self._ended)

    def _make_room(self) -> bool:
        """Ends the connection that has been silent for longest. Returns False when all have sent their requests."""
        oldest = next(iter(self._silent), None)
        if oldest is None:
            return False
        # guard (3 lines): the silent make room -> return False
        self._ended(oldest)
        oldest.cancel()
        return True

    def _ended(self, connection: asyncio.Task[None]) -> None:
        self._connections.discard(connection)
        self._silent.pop(connection, None)

    # ------------------------------------------------------------ one connection

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _send(writer, *await self._answer_to(reader))
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            return  # the other side was too slow, or has gone
        except Exception as error:
            log.error("page_failed", exc_info=error)
        finally:
            writer.transport.abort()

    async def _answer_to(self, reader: asyncio.StreamReader) -> tuple[HttpAnswer, bool]:
        """Returns the answer, and whether its body is to be sent."""
        try:
            # guard: a request comes in time -> async with asyncio.timeout(None):
            async with asyncio.timeout(REQUEST_WITHIN):
                request = await _request(reader)
        except BadRequest as bad:
            return HttpAnswer(status=str(bad)), True
        connection = asyncio.current_task()
        if connection is not None:
            self._silent.pop(connection, None)
        if request.method not in ("GET", "HEAD"):
            return HttpAnswer(status="405 Method Not Allowed", headers={"Allow": "GET, HEAD"}), True
        async with self._answering:
            return await self._page(request.headers), request.method == "GET"


async def _request(reader: asyncio.StreamReader) -> HttpRequest:
    """Reads a request without a body. Raises BadRequest."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise BadRequest("431 Request Header Fields Too Large") from None
    first, *lines = head.decode("latin-1").splitlines()[:-1] or [""]
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest("400 Bad Request")
    fields = (line.partition(":") for line in lines)
    return HttpRequest(words[0], {name.strip().lower(): value.strip() for name, _, value in fields})


async def _send(writer: asyncio.StreamWriter, answer: HttpAnswer, with_body: bool) -> None:
    """Sends an answer. Returns when the other side has taken it, as far as this machine knows."""
    # guard: metrics are taken in time -> async with asyncio.timeout(None):
    async with asyncio.timeout(TAKEN_WITHIN):
        writer.write(answer.to_bytes(with_body=with_body))
        await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
