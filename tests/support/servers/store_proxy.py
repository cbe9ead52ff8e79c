"""A proxy between a store and its PostgreSQL server that loses answers and holds requests back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

WITHIN = 10.0  # seconds for anything that a test waits for


class StoreProxy:
    """A proxy that forwards between a socket of its own and the server's. Each connection has two sides."""

    def __init__(self, server: Path) -> None:
        self.loses_answers = False  #: the next request goes through, but the connection ends in place of its answer
        self.keeps_requests = False  #: nothing reaches the server until `deliver`
        self.kept = asyncio.Event()  #: set when a request is held back
        self._server = server
        self._kept: list[tuple[asyncio.StreamWriter, bytes]] = []
        self._stores: list[asyncio.StreamWriter] = []
        self._servers: list[asyncio.StreamWriter] = []
        self._late: asyncio.Queue[bytes] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """Ends the store's sides; the server's stay open."""
        for store in self._stores:
            store.transport.abort()
        self._stores.clear()

    async def deliver(self) -> bytes:
        """Sends the server the requests that were held back, and returns its answer."""
        self.keeps_requests = False
        for server, request in self._kept:
            server.write(request)
        self._kept.clear()
        return await asyncio.wait_for(self._late.get(), WITHIN)

    async def connected(self, from_store: asyncio.StreamReader, to_store: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_unix_connection(self._server)
        self._stores.append(to_store)
        self._servers.append(to_server)
        for side in (self._requests(from_store, to_server), self._answers(from_server, to_store)):
            task = asyncio.create_task(side)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _requests(self, from_store: asyncio.StreamReader, to_server: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while request := await from_store.read(65536):
                if self.keeps_requests:
                    self._kept.append((to_server, request))
                    self.kept.set()
                else:
                    to_server.write(request)
        if not self._kept:
            to_server.close()

    async def _answers(self, from_server: asyncio.StreamReader, to_store: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while answer := await from_server.read(65536):
                if self.loses_answers:
                    self.loses_answers = False
                    to_store.transport.abort()
                elif to_store.is_closing():
                    self._late.put_nowait(answer)
                else:
                    to_store.write(answer)
        to_store.close()

    async def close(self) -> None:
        self.cut()
        for server in self._servers:
            server.transport.abort()
        await asyncio.wait_for(asyncio.gather(*self._tasks), WITHIN)


@contextlib.asynccontextmanager
async def store_proxy(server: Path, folder: Path, dsn: str) -> AsyncIterator[tuple[StoreProxy, str]]:
    """Yields the proxy, and the DSN that leads through it."""
    proxy = StoreProxy(server)
    listening = await asyncio.start_unix_server(proxy.connected, folder / server.name)
    try:
        yield proxy, urlsplit(dsn)._replace(query=f"host={folder}").geturl()
    finally:
        listening.close()
        await proxy.close()
