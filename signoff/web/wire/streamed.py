"""Large answers, streamed: an error before the first piece is answered in order, a later one breaks the answer off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from typing import TypeVar

from google.protobuf.message import Message
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from signoff.v1 import plan_pb2
from signoff.web.wire.messages import encode, record

Item = TypeVar("Item")

AT_ONCE = 100  # messages that are turned into JSON before other requests get a turn


async def begun(items: AsyncGenerator[Item, None]) -> AsyncGenerator[Item, None]:
    """Returns the same items once the first has come. Raises the error that came instead."""
    first = [item async for item in _first(items)]
    return _rest(first, items)


async def _first(items: AsyncGenerator[Item, None]) -> AsyncIterator[Item]:
    try:
        yield await anext(items)
    except StopAsyncIteration:
        return


async def _rest(first: list[Item], items: AsyncGenerator[Item, None]) -> AsyncGenerator[Item, None]:
    try:
        for item in first:
            yield item
        async for item in items:
            yield item
    finally:
        await items.aclose()


async def map_json(parts: AsyncGenerator[plan_pb2.MapPart, None]) -> AsyncIterator[bytes]:
    """Yields the JSON object {header, groups, tasks} of a streamed map; its parts come in this order."""
    section = ""
    yield b"{"
    async for part in parts:
        kind = part.WhichOneof("part")
        if kind == "header":
            yield b'"header":' + encode(record(part.header))
        elif kind in ("groups", "tasks"):
            messages: Iterable[Message] = part.groups.groups if kind == "groups" else part.tasks.tasks
            opening = b"" if section == kind else (b"]," if section else b",") + b'"%s":[' % kind.encode()
            async for piece in _items(messages, opening, is_first=section != kind):
                yield piece
            section = kind
    yield b"]}" if section else b"}"


async def _items(messages: Iterable[Message], opening: bytes, *, is_first: bool) -> AsyncIterator[bytes]:
    """Yields messages as items of a JSON list, after the text that opens the list."""
    yield opening
    batch: list[bytes] = []
    for number, message in enumerate(messages):
        comma = b"" if is_first and number == 0 else b","
        batch.append(comma + encode(record(message)))
        if len(batch) == AT_ONCE:
            yield b"".join(batch)
            batch.clear()
            await asyncio.sleep(0)
    yield b"".join(batch)


class Streamed(Response):
    """An answer that is made while it is sent. When the client leaves, or at its end, the iterator is closed."""

    def __init__(
        self,
        content: AsyncIterator[bytes],
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
    ) -> None:
        self.content, self.status_code, self.media_type = content, status_code, media_type
        self.background = None
        self.body = b""
        self.init_headers(headers)
        if "content-length" not in (headers or {}) and "Content-Length" not in (headers or {}):
            self.raw_headers = [header for header in self.raw_headers if header[0] != b"content-length"]

    async def close(self) -> None:
        """Ends what would have made the content."""
        if isinstance(self.content, AsyncGenerator):
            await self.content.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the content. Raises the error that breaks it off."""
        sending = asyncio.create_task(self._send(send))
        leaving = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            leaving.cancel()
            await asyncio.wait((sending, leaving))
            await self.close()
        if not sending.cancelled():
            sending.result()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in self.content:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    """Waits until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
