"""A proxy between browsers and a door that counts the event streams which are open through it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.support.servers.service import until

_READ = 65536  # bytes
_REQUEST = re.compile(rb"(?:GET|POST|PUT|DELETE|HEAD) (\S+) HTTP/1\.1\r\n")
_STREAM = b"/api/v1/events"


@dataclass(slots=True, eq=False)
class _Line:
    """A connection, and the path that was asked for on it last."""

    path: bytes = b""


class CountingProxy:
    """Passes everything on, and knows how many event streams are open."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._lines: set[_Line] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self.begun = 0  #: streams that were asked for so far

    @property
    def streams(self) -> int:
        return sum(line.path.startswith(_STREAM) for line in self._lines)

    async def has(self, *streams: int) -> None:
        """Waits until as many streams are open as one of `streams` says.

        Not at once: a browser closes the stream of a tab that goes after another tab may have opened its own.
        """
        wanted = " or ".join(map(str, streams))
        await until(lambda: self.streams in streams, f"{wanted} event streams are open")

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        line = _Line()
        self._lines.add(line)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):  # asyncio would log the cancelled task
                await self._pass_on(line, reader, writer)
        finally:
            self._lines.discard(line)
            self._serving.discard(task)
            writer.close()

    async def _pass_on(self, line: _Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        ways = {
            asyncio.create_task(self._carry(reader, far_writer, line)),
            asyncio.create_task(self._carry(far_reader, writer, None)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            far_writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: _Line | None) -> None:
        while data := await reader.read(_READ):
            if line is not None and (asked := _REQUEST.match(data)):
                line.path = asked[1]
                self.begun += line.path.startswith(_STREAM)
            writer.write(data)
            await writer.drain()
