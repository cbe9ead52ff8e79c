"""Candidates and artifacts by digest, the recent ones in memory: most are read right after they are written."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from runner_svc.store.port import Store
from signoff.errors import StorageFailed

CACHE_BYTES = 64 * 1024 * 1024


class Contents:
    """A read-through cache over a store, bounded in bytes; the least recently used goes first."""

    def __init__(self, store: Store, limit: int = CACHE_BYTES) -> None:
        self._store = store
        self._limit = limit
        self._size = 0
        self._recent: OrderedDict[str, bytes] = OrderedDict()

    async def get(self, digest: str) -> bytes:
        """The bytes of a committed content. Raises StorageFailed when the store has lost it."""
        body = self._recent.get(digest)
        if body is not None:
            self._recent.move_to_end(digest)
            return body
        body = await self._store.content(digest)
        if body is None:
            raise StorageFailed(f"expected content {digest} in the store, but it is not there")
        self.remember({digest: body})
        return body

    async def put(self, digest: str, body: bytes) -> None:
        """Makes a content durable before an event speaks of it."""
        await self._store.put_content(digest, body)
        self.remember({digest: body})

    def remember(self, contents: Mapping[str, bytes]) -> None:
        """Keeps what was just committed at hand."""
        for digest, body in contents.items():
            if digest not in self._recent:
                self._recent[digest] = body
                self._size += len(body)
        while self._size > self._limit:
            _, dropped = self._recent.popitem(last=False)
            self._size -= len(dropped)
