"""A disk that refuses, lies about it, and loses its computer at the worst moment."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence

from runner_svc.store.memory import MemoryStore
from runner_svc.store.port import Row
from signoff.errors import StorageFailed


class Disk:
    """What one runner sees of the store that all runners share. After the runner's death nothing reaches it."""

    def __init__(self, store: MemoryStore, chance: random.Random, crash: Callable[[], None]) -> None:
        self._store = store
        self._chance = chance
        self._crash = crash
        self.alive = True
        self.crash_rate = 0.0  #: of appends, before or after they are durable
        self.failure_rate = 0.0  #: of appends, with or without having become durable

    async def open(self) -> int:
        return await self._store.open()

    async def owned(self) -> None:
        await self._never()

    async def append(self, rows: Sequence[Row], contents: Mapping[str, bytes]) -> None:
        await self._take_time()
        drawn, becomes_durable = self._chance.random(), self._chance.random() < 0.5
        crashes, fails = drawn < self.crash_rate, drawn < self.crash_rate + self.failure_rate
        if becomes_durable or not fails:
            await self._store.append(rows, contents)
        if crashes:
            self._crash()
            await self._never()
        if fails:
            raise StorageFailed("the disk refused")

    async def everything(self, after: int, limit: int) -> tuple[Sequence[Row], int]:
        await self._take_time()
        return await self._store.everything(after, limit)

    async def read(self, journal: str, after: int, limit: int) -> Sequence[Row]:
        await self._take_time()
        return await self._store.read(journal, after, limit)

    async def put_content(self, digest: str, body: bytes) -> None:
        await self._take_time()
        await self._store.put_content(digest, body)

    async def content(self, digest: str) -> bytes | None:
        await self._take_time()
        return await self._store.content(digest)

    async def put_map(self, key: str, parts: Sequence[bytes]) -> None:
        await self._store.put_map(key, parts)

    async def map_parts(self, key: str) -> Sequence[bytes] | None:
        return await self._store.map_parts(key)

    async def close(self) -> None:
        """The store outlives its runners."""

    async def _take_time(self) -> None:
        if not self.alive:
            await self._never()
        await asyncio.sleep(self._chance.uniform(0, 0.01))
        if not self.alive:
            await self._never()

    @staticmethod
    async def _never() -> None:
        await asyncio.get_running_loop().create_future()
