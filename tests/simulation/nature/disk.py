"""A disk that refuses writes, reports failures of writes that succeeded, and fails together with its runner."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncIterator, Mapping, Sequence, Set

from runner_svc.store.memory import MemoryStore
from runner_svc.store.port import Checkpoint, Checkpointed, InObjects, Listed, ListingQuery, Purged, Removal, Row
from signoff.errors import StorageFailed, content_lost
from tests.simulation.nature.crashing import Trap
from tests.simulation.nature.weather import Weather


class SharedStore(MemoryStore):
    """The durable store that all runners of a world share."""

    def __init__(self) -> None:
        super().__init__(lambda: asyncio.get_running_loop().time())
        self.objects: dict[str, bytes] = {}  #: in the object store beside it

    def bytes_of(self, digest: str) -> bytes | None:
        """Returns a content, wherever it lies, if it is there for good; None otherwise."""
        if not self._is_kept(digest):
            return None
        return self.objects.get(digest) if digest in self._objects else self._contents.get(digest)

    @property
    def leftovers(self) -> Sequence[str]:
        """Returns what was brought under a lease and never named, and objects that no row tells of."""
        return [*self._staged, *(digest for digest in self.objects if digest not in self._objects)]


class _Faulty:
    """Holds the faults that a runner's views of both stores have in common."""

    def __init__(self, store: SharedStore, chance: random.Random, weather: Weather, trap: Trap) -> None:
        self._store = store
        self._chance = chance
        self._weather = weather
        self._trap = trap

    async def _take_time(self) -> None:
        await asyncio.sleep(self._chance.uniform(0, 0.01))

    def _fails(self, kind: str) -> bool:
        rate = self._weather.rate(kind)
        return rate > 0 and self._chance.random() < rate

    def _may_refuse(self) -> None:
        if self._fails("reads fail"):
            raise StorageFailed("the disk cannot be read")

    async def _stop_at(self, point: str) -> None:
        if self._trap.springs(point):
            await self._never()

    @staticmethod
    async def _never() -> None:
        await asyncio.get_running_loop().create_future()


class Objects(_Faulty):
    """A runner's view of the shared object store. It fails as the disk does."""

    where = "the simulation"

    async def open(self) -> None:
        """Does nothing: it is always ready."""

    async def owner(self) -> str:
        return await self._store.journal_id()

    async def take(self, journal: str) -> None:
        """Does nothing: all runners of a world share one journal."""

    async def remove_unfinished(self) -> None:
        """Does nothing: nothing is there in part."""

    async def put(self, digest: str, pieces: AsyncIterator[bytes]) -> None:
        body = b"".join([piece async for piece in pieces])
        await self._take_time()
        fails = self._fails("writes fail")
        if not fails or self._chance.random() < 0.5:
            self._store.objects[digest] = body
        await self._stop_at("object durable")
        if fails:
            raise StorageFailed("the object store refused")

    async def read(self, digest: str, start: int, end: int) -> AsyncIterator[bytes]:
        await self._take_time()
        self._may_refuse()
        if digest not in self._store.objects:
            raise content_lost(f"the object store has lost {digest}")
        yield self._store.objects[digest][start:end]

    async def delete(self, digests: Sequence[str]) -> None:
        await self._take_time()
        self._may_refuse()
        for digest in digests:
            self._store.objects.pop(digest, None)

    async def listed(self, before: float = math.inf) -> AsyncIterator[Sequence[str]]:
        """Yields all objects, whatever their age: a world lasts for minutes."""
        self._may_refuse()
        yield list(self._store.objects)

    async def close(self) -> None:
        """Does nothing: the store outlives its runners."""


class Disk(_Faulty):
    """A runner's view of the shared store.

    A write that fails may have become durable all the same. Any other operation that fails has changed nothing.
    """

    async def open(self) -> int:
        return await self._store.open()

    async def owned(self) -> None:
        await self._never()

    async def journal_id(self) -> str:
        return await self._store.journal_id()

    async def append(
        self,
        rows: Sequence[Row],
        contents: Mapping[str, bytes],
        listed: Sequence[Listed] = (),
        named: Sequence[str] = (),
    ) -> None:
        await self._stop_at("before append")
        await self._take_time()
        await self._stop_at("append lost")
        fails = self._fails("writes fail")
        if not fails or self._chance.random() < 0.5:
            await self._store.append(rows, contents, listed, named)
        await self._stop_at("append durable")
        if fails:
            raise StorageFailed("the disk refused")

    async def everything(self, after: int, limit: int) -> tuple[Sequence[Row], int]:
        await self._take_time()
        await self._stop_at("while replaying")
        self._may_refuse()
        return await self._store.everything(after, limit)

    async def read(self, journal: str, after: int, limit: int) -> Sequence[Row]:
        await self._take_time()
        self._may_refuse()
        return await self._store.read(journal, after, limit)

    async def heads(self, journals: Sequence[str]) -> Mapping[str, int]:
        await self._take_time()
        self._may_refuse()
        return await self._store.heads(journals)

    async def put_content(self, digest: str, body: bytes) -> None:
        await self._take_time()
        self._may_refuse()
        await self._store.put_content(digest, body)

    async def put_object(self, digest: str, size: int) -> None:
        await self._take_time()
        self._may_refuse()
        await self._store.put_object(digest, size)

    async def stage(self, lease: str, contents: Mapping[str, bytes], objects: Mapping[str, int]) -> None:
        await self._stop_at("before staging")
        await self._take_time()
        fails = self._fails("writes fail")
        if not fails or self._chance.random() < 0.5:
            await self._store.stage(lease, contents, objects)
        await self._stop_at("staging durable")
        if fails:
            raise StorageFailed("the disk refused")

    async def drop_staged(self, leases: Set[str], older_than: float) -> Sequence[tuple[str, int]]:
        self._may_refuse()
        return await self._store.drop_staged(leases, older_than)

    async def content(self, digest: str) -> bytes | InObjects | None:
        await self._take_time()
        self._may_refuse()
        return await self._store.content(digest)

    async def is_object(self, digest: str) -> bool:
        self._may_refuse()
        return await self._store.is_object(digest)

    async def known_contents(self, digests: Sequence[str]) -> Set[str]:
        self._may_refuse()
        return await self._store.known_contents(digests)

    async def renew_contents(self, digests: Sequence[str], lease: str = "") -> Mapping[str, int]:
        await self._take_time()
        self._may_refuse()
        return await self._store.renew_contents(digests, lease)

    async def put_map(self, key: str, parts: Sequence[bytes]) -> None:
        self._may_refuse()
        await self._store.put_map(key, parts)

    async def map_parts(self, key: str) -> Sequence[bytes] | None:
        self._may_refuse()
        return await self._store.map_parts(key)

    async def map_part(self, key: str, after: int) -> tuple[int, bytes] | None:
        self._may_refuse()
        return await self._store.map_part(key, after)

    async def is_listed(self) -> bool:
        await self._take_time()
        self._may_refuse()
        return await self._store.is_listed()

    async def count_listed(self) -> int:
        await self._take_time()
        self._may_refuse()
        return await self._store.count_listed()

    async def listed_as(self, journal: str) -> Listed | None:
        await self._take_time()
        self._may_refuse()
        return await self._store.listed_as(journal)

    async def journals(self, until: int) -> Sequence[str]:
        await self._take_time()
        self._may_refuse()
        return await self._store.journals(until)

    async def list_anew(self, listed: Sequence[Listed], *, is_whole: bool = True) -> None:
        await self._take_time()
        self._may_refuse()
        await self._store.list_anew(listed, is_whole=is_whole)

    async def listed(self, query: ListingQuery) -> Sequence[tuple[int, str]]:
        await self._take_time()
        self._may_refuse()
        return await self._store.listed(query)

    async def checkpoint(self, taken: Checkpoint) -> None:
        await self._take_time()
        await self._stop_at("checkpoint lost")
        fails = self._fails("writes fail")
        if not fails or self._chance.random() < 0.5:
            await self._store.checkpoint(taken)
        await self._stop_at("checkpoint durable")
        if fails:
            raise StorageFailed("the disk refused")

    async def checkpointed(self) -> Checkpointed:
        await self._take_time()
        self._may_refuse()
        return await self._store.checkpointed()

    async def checkpointed_tasks(self, journal: str) -> Sequence[tuple[int, bytes]]:
        await self._take_time()
        self._may_refuse()
        return await self._store.checkpointed_tasks(journal)

    async def checkpointed_task(self, journal: str, number: int) -> bytes | None:
        await self._take_time()
        self._may_refuse()
        return await self._store.checkpointed_task(journal, number)

    async def remove(self, removal: Removal) -> None:
        await self._take_time()
        await self._stop_at("removal lost")
        fails = self._fails("writes fail")
        if not fails or self._chance.random() < 0.5:
            await self._store.remove(removal)
        await self._stop_at("removal durable")
        if fails:
            raise StorageFailed("the disk refused")

    async def purge(self, limit: int) -> Purged:
        await self._take_time()
        self._may_refuse()
        return await self._store.purge(limit)

    async def sizes(self, after: str, limit: int, older_than: float) -> Sequence[tuple[str, int]]:
        await self._take_time()
        self._may_refuse()
        return await self._store.sizes(after, limit, older_than)

    async def drop_contents(self, digests: Sequence[str], older_than: float) -> Sequence[str]:
        await self._take_time()
        self._may_refuse()
        return await self._store.drop_contents(digests, older_than)

    async def maps(self, after: str, limit: int) -> Sequence[str]:
        self._may_refuse()
        return await self._store.maps(after, limit)

    async def drop_map(self, key: str) -> None:
        self._may_refuse()
        await self._store.drop_map(key)

    async def shrink(self) -> bool:
        return await self._store.shrink()

    async def close(self) -> None:
        """Does nothing: the store outlives its runners."""
