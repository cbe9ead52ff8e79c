"""Candidates and artifacts by digest. Recent ones stay in memory: most are read right after they are written."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from runner_svc.store.port import Store
from signoff.errors import StorageFailed, TooManyStreams
from signoff.rpc.concurrency import WAIT

CACHE_BYTES = 64 * 1024 * 1024
LENT_BYTES = 256 * 1024 * 1024  # of all contents that are being sent; each counts once, however many receive it


@dataclass(slots=True)
class _Lent:
    """A content that is being sent."""

    reading: asyncio.Task[bytes]
    size: int
    users: int = 0


class Contents:
    """A read-through cache over a store, bounded in bytes; the least recently used goes first."""

    def __init__(self, store: Store, limit: int = CACHE_BYTES) -> None:
        self._store = store
        self._limit = limit
        self._size = 0
        self._recent: OrderedDict[str, bytes] = OrderedDict()
        self._lent: dict[str, _Lent] = {}
        self._returned = asyncio.Event()

    async def get(self, digest: str) -> bytes:
        """Returns the bytes of a committed content. Raises StorageFailed when the store has lost it."""
        body = self._recent.get(digest)
        if body is not None:
            self._recent.move_to_end(digest)
            return body
        body = await self._store.content(digest)
        if body is None:
            raise StorageFailed(f"expected content {digest} in the store, but it is not there")
        self.remember({digest: body})
        return body

    async def stream(self, digest: str, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Yields the bytes of a committed content piece by piece. Raises StorageFailed as `get` does."""
        body = await self.get(digest)
        end = len(body) if length is None else offset + length
        yield body[offset:end]

    @asynccontextmanager
    async def lent(self, digest: str, size: int) -> AsyncIterator[bytes]:
        """Gives the bytes of a content for the length of the block. Users at the same time share one copy.

        Waits while too many bytes are lent; raises TooManyStreams when that lasts, and StorageFailed as `get` does.
        """
        await self._room_for(digest, size)
        # guard: a content is read once -> lent = None
        lent = self._lent.get(digest)
        if lent is None:
            lent = self._lent[digest] = _Lent(asyncio.create_task(self.get(digest)), size)
        lent.users += 1
        try:
            yield await asyncio.shield(lent.reading)
        finally:
            lent.users -= 1
            if not lent.users:
                lent.reading.cancel()
                del self._lent[digest]
                self._returned.set()

    async def _room_for(self, digest: str, size: int) -> None:
        """Waits until a content may be lent: it is lent already, or fits beside the others. One alone always fits."""
        try:
            async with asyncio.timeout(WAIT):
                # guard: bytes that are sent at once -> while self._lent and digest not in self._lent and False:
                while self._lent and digest not in self._lent and self._lent_bytes + size > LENT_BYTES:
                    self._returned.clear()
                    await self._returned.wait()
        except TimeoutError:
            in_use = f"{self._lent_bytes:,} bytes of others are being sent, and none was within {WAIT:g} s"
            raise TooManyStreams(f"expected room for an artifact of {size:,} bytes, but {in_use}") from None

    @property
    def _lent_bytes(self) -> int:
        return sum(lent.size for lent in self._lent.values())

    async def put(self, digest: str, body: bytes) -> None:
        """Makes a content durable before an event speaks of it."""
        await self._store.put_content(digest, body)
        self.remember({digest: body})

    def remember(self, contents: Mapping[str, bytes]) -> None:
        """Keeps contents that were just committed in memory."""
        for digest, body in contents.items():
            if digest not in self._recent:
                self._recent[digest] = body
                self._size += len(body)
        while self._size > self._limit:
            _, dropped = self._recent.popitem(last=False)
            self._size -= len(dropped)
