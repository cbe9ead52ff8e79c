"""A TCP proxy on loopback with the faults of networks.

    async with Proxy(runner_address) as proxy:
        ... proxy.address ...
        proxy.fall_silent()   # open connections take everything and deliver nothing; new ones work

A fault affects the connections that are open when it is asked for. New ones work, unless the proxy refuses them.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

_READ = 65536  # bytes
_RESET_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER with no time: closing sends RST instead of FIN


@dataclass(slots=True, eq=False)
class _Line:
    """A connection through the proxy: two sockets, and the bytes between them."""

    sides: tuple[asyncio.StreamWriter, asyncio.StreamWriter]
    count: Callable[[], None]  #: called for each piece that comes, either way
    silent: bool = False
    heard: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carries one direction to its end. A connection that breaks on one side breaks on the other."""
        try:
            while data := await reader.read(_READ):
                self.heard = asyncio.get_running_loop().time()
                self.count()
                if not self.silent:
                    writer.write(data)
                    await writer.drain()
            if not self.silent:
                writer.write_eof()
        except OSError:
            self.reset()

    def finish(self) -> None:
        """Sends FIN both ways: a clean end. Later bytes are dropped."""
        self.silent = True
        for side in self.sides:
            if side.can_write_eof() and not side.is_closing():
                side.write_eof()

    def reset(self) -> None:
        """Sends RST both ways."""
        for side in self.sides:
            if not side.is_closing():
                side.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
                side.transport.abort()


class Proxy:
    """A proxy between its clients and `target` (host:port). It passes everything until a fault is asked for."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._lines: set[_Line] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self.refuses = False  #: new connections are reset
        self.idle_limit: float | None = None  #: seconds without a byte after which a connection is reset
        self.cut = 0  #: connections that were reset because they were idle
        self.carried = 0  #: pieces that came, either way

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.reset()
        await asyncio.gather(*self._serving)

    def recover(self) -> None:
        """Lets everything pass again, and ends the silent connections."""
        self.refuses, self.idle_limit = False, None
        for line in [line for line in self._lines if line.silent]:
            line.reset()

    def fall_silent(self) -> None:
        """Makes the connections half-dead: both sides may go on sending, and nothing arrives, not even an end."""
        self._each(lambda line: setattr(line, "silent", True))

    def finish(self) -> None:
        self._each(_Line.finish)

    def reset(self) -> None:
        self._each(_Line.reset)

    def _each(self, fault: Callable[[_Line], None]) -> None:
        for line in list(self._lines):
            fault(line)

    def _count(self) -> None:
        self.carried += 1

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            await self._pass_on(reader, writer)
        finally:
            self._serving.discard(task)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = _Line((writer, writer), self._count)
        try:
            if self.refuses:
                return
            far_reader, far_writer = await asyncio.open_connection(*self._target)
            line.sides = (writer, far_writer)
            self._lines.add(line)
            await self._until_it_ends(line, reader, far_reader)
        except OSError:
            return  # no server listens there, or the connection broke: the client sees a reset
        finally:
            line.reset()
            self._lines.discard(line)

    async def _until_it_ends(self, line: _Line, near: asyncio.StreamReader, far: asyncio.StreamReader) -> None:
        (near_writer, far_writer) = line.sides
        both = asyncio.gather(line.carry(near, far_writer), line.carry(far, near_writer))
        watching = asyncio.create_task(self._cut_when_idle(line))
        try:
            await both
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching

    async def _cut_when_idle(self, line: _Line) -> None:
        loop = asyncio.get_running_loop()
        while True:
            limit = self.idle_limit
            rest = 0.05 if limit is None else line.heard + limit - loop.time()
            if rest <= 0:
                self.cut += 1
                line.reset()
                return
            await asyncio.sleep(min(rest, 0.05))
