"""Candidates and artifacts by digest. Small ones lie in the store of the journal, large ones in the object store.

Recent ones stay in memory: most are read right after they are written. A large one never does, and is read and written
in pieces.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence, Set
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import structlog

from runner_svc.objects.port import MARKER, Objects
from runner_svc.store.port import InObjects, Store
from signoff.errors import ConfigurationError, StorageFailed, TooManyStreams, content_lost
from signoff.rpc.channel import CHUNK_BYTES
from signoff.rpc.concurrency import WAIT

log = structlog.get_logger(__name__)

CACHE_BYTES = 64 * 1024 * 1024
#: Of all large contents that are being sent to clients, and as many to workers; each counts once, however many get it.
LENT_BYTES = 256 * 1024 * 1024
LARGE_BYTES = 1024 * 1024  # a larger content lies in the object store, when there is one, and waits for room to be sent
SWEPT_AT_ONCE = 500  # objects
KEPT_FOR = 3_600.0  # seconds that an object stays without a row
HASHED_HERE = 64 * 1024  # bytes; the digest of a longer content is computed in a thread
ASKED_AT_ONCE = 1_000  # digests of one question to the store


_OTHER_BYTES = "expected content {} in the store, but it is damaged: its bytes have another SHA-256"


class WrongBytes(Exception):
    """The bytes that came have another size or digest than was said; the text says which."""


@dataclass(slots=True)
class _Lent:
    """A content that is being sent."""

    reading: asyncio.Task[bytes]
    size: int
    users: int = 0


class Contents:
    """The contents of a store and an object store, with a cache that is bounded in bytes.

    The least recently used goes first from the cache. Without an object store all contents lie in the store.
    """

    def __init__(self, store: Store, objects: Objects | None = None, limit: int = CACHE_BYTES) -> None:
        self._store = store
        self._objects = objects
        self._limit = limit
        self._size = 0
        self._recent: OrderedDict[str, bytes] = OrderedDict()
        self._lent_to_clients, self._lent_to_workers = _Lending(self), _Lending(self)
        self._being_put: dict[str, int] = {}  # objects, and how often
        self._removing = asyncio.Lock()

    # ------------------------------------------------------------ reading

    async def get(self, digest: str) -> bytes:
        """Returns the bytes of a committed content.

        Raises StorageFailed, which says `is_lost` for a content that is not there, or has other bytes by now.
        """
        found = await self._found(digest)
        if isinstance(found, InObjects):
            return b"".join([piece async for piece in self._whole_object(digest, found.size)])
        self.remember({digest: found})
        return found

    async def _found(self, digest: str) -> bytes | InObjects:
        """Returns a content as it lies in the store. Raises StorageFailed as `get` does."""
        body = self._recent.get(digest)
        if body is not None:
            self._recent.move_to_end(digest)
            return body
        found = await self._store.content(digest)
        if found is None:
            raise content_lost(f"expected content {digest} in the store, but it is not there")
        if not isinstance(found, InObjects):
            # guard: bytes that have changed are a lost content -> pass
            await _check_digest(digest, found)
        return found

    async def stream(self, digest: str, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Yields the bytes of a content from a place on, in pieces of at most CHUNK_BYTES.

        `length`: the most bytes to yield; None: all. Raises StorageFailed as `get` does; when an object is read whole,
        before its last piece.
        """
        found = await self._found(digest)
        size = found.size if isinstance(found, InObjects) else len(found)
        end = size if length is None else min(size, offset + length)
        if isinstance(found, InObjects):
            is_whole = offset == 0 and end == size
            pieces = self._whole_object(digest, size) if is_whole else self._object(digest, offset, end)
            async for piece in pieces:
                yield piece
            return
        for start in range(offset, end, CHUNK_BYTES):
            yield found[start : min(start + CHUNK_BYTES, end)]

    async def read_through(self, digest: str) -> None:
        """Reads a content to its end and keeps nothing of it. Raises StorageFailed as `get` does."""
        async for _ in self.stream(digest):
            pass

    async def _whole_object(self, digest: str, size: int) -> AsyncIterator[bytes]:
        """Yields the pieces of an object, the last one once all are known to be right."""
        found, held = hashlib.sha256(), b""
        async for piece in self._object(digest, 0, size):
            await asyncio.to_thread(found.update, piece)
            if held:
                yield held
            held = piece
        # guard: an object that has changed is a lost content -> if False:
        if found.hexdigest() != digest:
            raise content_lost(_OTHER_BYTES.format(digest))
        if held:
            yield held

    def _object(self, digest: str, start: int, end: int) -> AsyncIterator[bytes]:
        if self._objects is None:
            raise content_lost(
                f"content {digest} lies in an object store, but none is set: start the runner with --objects again"
            )
        return self._objects.read(digest, start, end)

    def lent(self, digest: str, size: int, *, to_worker: bool = False) -> AbstractAsyncContextManager[bytes]:
        """Gives the bytes of a content for the length of the block. Users at the same time share one copy.

        A large content waits while too many bytes are lent; raises TooManyStreams when that lasts, and StorageFailed as
        `get` does. `to_worker`: under a lease, for which clients leave room however slowly they read.
        """
        # guard: workers read beside clients -> return self._lent_to_clients.lent(digest, size)
        return (self._lent_to_workers if to_worker else self._lent_to_clients).lent(digest, size)

    async def sent(
        self, digest: str, size: int, offset: int = 0, length: int = 0, *, to_worker: bool = False
    ) -> AsyncIterator[bytes]:
        """Yields the bytes of a content, in pieces. `length`: the most bytes; 0: all from the offset on.

        What lies in the object store is read piece by piece; anything else is lent meanwhile, as `lent` says.
        """
        most = length or None
        if self._is_large(size) and await self._store.is_object(digest):
            async for piece in self.stream(digest, offset, most):
                yield piece
            return
        async with self.lent(digest, size, to_worker=to_worker) as body:
            end = len(body) if most is None else min(len(body), offset + most)
            for start in range(offset, end, CHUNK_BYTES):
                yield body[start : min(start + CHUNK_BYTES, end)]

    async def sizes(self, digests: Sequence[str], lease: str = "") -> Mapping[str, int]:
        """Returns the sizes of the contents that are there, made young again, as Store.renew_contents does."""
        found = dict[str, int]()
        for start in range(0, len(digests), ASKED_AT_ONCE):
            found |= await self._store.renew_contents(digests[start : start + ASKED_AT_ONCE], lease)
        return found

    # ------------------------------------------------------------ writing

    async def put(self, digest: str, body: bytes, lease: str = "") -> None:
        """Makes a content durable before an event speaks of it. `lease`: that it was brought under (Store.stage)."""
        if self._is_large(len(body)):
            await self.put_large(digest, len(body), _pieces(body), lease)
            return
        await self.put_small({digest: body}, lease)
        self.remember({digest: body})

    async def put_small(self, bodies: Mapping[str, bytes], lease: str = "") -> None:
        """Makes contents that are not large durable, in one transaction."""
        if lease:
            await self._store.stage(lease, bodies, {})
        else:
            await self._store.append((), bodies)

    def _is_large(self, size: int) -> bool:
        return size > LARGE_BYTES and self._objects is not None

    def takes_streams(self, size: int) -> bool:
        """Tells whether a content of this size is put piece by piece, and never in memory as a whole."""
        return self._is_large(size)

    async def put_large(self, digest: str, size: int, pieces: AsyncIterator[bytes], lease: str = "") -> None:
        """Makes a large content durable, piece by piece. Raises WrongBytes, or what `pieces` raises."""
        assert self._objects is not None, "takes_streams has said so"
        async with self._putting(digest):
            checked = _Checked(pieces, digest, size)
            try:
                await self._objects.put(digest, checked.pieces())
            except StorageFailed:
                if checked.error is not None:  # some object stores wrap what the pieces raise
                    raise checked.error from None
                raise
            if lease:
                await self._store.stage(lease, {}, {digest: size})
            else:
                await self._store.put_object(digest, size)

    @asynccontextmanager
    async def _putting(self, digest: str) -> AsyncIterator[None]:
        """Notes that the row of an object is still to come: nothing removes the object meanwhile."""
        async with self._removing:
            self._being_put[digest] = self._being_put.get(digest, 0) + 1
        try:
            yield
        finally:
            self._being_put[digest] -= 1
            if not self._being_put[digest]:
                del self._being_put[digest]

    def remember(self, contents: Mapping[str, bytes]) -> None:
        """Keeps contents that were just committed in memory."""
        for digest, body in contents.items():
            if digest not in self._recent:
                self._recent[digest] = body
                self._size += len(body)
        while self._size > self._limit:
            _, dropped = self._recent.popitem(last=False)
            self._size -= len(dropped)

    # ------------------------------------------------------------ removing

    async def drop(self, digests: Sequence[str], older_than: float) -> Sequence[str]:
        """Removes contents, as Store.drop_contents does. Returns those that are gone."""
        gone = await self._store.drop_contents(digests, older_than)
        await self._remove_objects(gone)
        return gone

    async def drop_staged(self, leases: Set[str], older_than: float) -> Sequence[tuple[str, int]]:
        """Removes what was brought under leases that have ended, as Store.drop_staged does."""
        gone = await self._store.drop_staged(leases, older_than)
        await self._remove_objects([digest for digest, size in gone if size > LARGE_BYTES])
        return gone

    async def open_objects(self) -> None:
        """Opens the object store, and tidies it up when it belongs to this journal. Raises ConfigurationError if not.

        A journal of an earlier version has left no marker. Its objects are known by their rows.
        """
        if self._objects is None:
            return
        await self._objects.open()
        own, owner = await self._store.journal_id(), await self._objects.owner()
        try:
            # guard: objects that no journal is known to own are kept -> if not owner:
            if not owner and await self._knows_most_objects():
                await self._objects.take(own)
                owner = await self._objects.owner()
            # guard: objects of another journal are kept -> if owner:
            if owner == own:
                await self._objects.remove_unfinished()
                if swept := await self.sweep():
                    log.info("objects_swept", objects=swept)
        except StorageFailed as failure:
            # guard: what cannot be tidied up keeps no runner from starting -> raise
            log.warning("objects_not_swept", error=str(failure))
        if owner and owner != own:
            raise ConfigurationError(
                f"expected the objects in {self._objects.where} to be of this journal ({own}), but they are of another"
                f" one ({owner}): choose another place with --objects, or remove {MARKER} there if that one is no more"
            )

    async def _knows_most_objects(self) -> bool:
        """Tells whether this journal has a row for most objects, or there are none. Warns when it has not."""
        known = found = 0
        assert self._objects is not None
        async for page in self._objects.listed():
            for start in range(0, len(page), SWEPT_AT_ONCE):
                known += len(await self._store.known_contents(page[start : start + SWEPT_AT_ONCE]))
            found += len(page)
        if 2 * known < found:
            log.warning("objects_of_another_journal", where=self._objects.where, objects=found, known=known)
        return 2 * known >= found

    async def sweep(self, kept_for: float = KEPT_FOR) -> int:
        """Removes the objects that no row tells of: a death has come in between. Returns how many they were.

        `kept_for`: seconds that each is kept at least.
        """
        swept = 0
        if self._objects is not None:
            async for page in self._objects.listed(before=time.time() - kept_for):
                for start in range(0, len(page), SWEPT_AT_ONCE):
                    swept += await self._remove_objects(page[start : start + SWEPT_AT_ONCE])
        return swept

    async def _remove_objects(self, digests: Sequence[str]) -> int:
        """Removes the objects that have no row, and get none meanwhile. Returns how many they were."""
        if self._objects is None or not digests:
            return 0
        async with self._removing:
            known = await self._store.known_contents(digests)
            # guard: an object whose row is to come stays -> gone = [each for each in digests if each not in known]
            gone = [digest for digest in digests if digest not in known and digest not in self._being_put]
            await self._objects.delete(gone)
        return len(gone)


class _Lending:
    """The contents that are being sent, with a bound of the bytes of large ones."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._lent: dict[str, _Lent] = {}
        self._returned = asyncio.Event()

    @asynccontextmanager
    async def lent(self, digest: str, size: int) -> AsyncIterator[bytes]:
        """Does what Contents.lent promises."""
        # guard: small contents wait for no room -> if True:
        if size > LARGE_BYTES:
            await self._room_for(digest, size)
        # guard: a content is read once -> lent = None
        lent = self._lent.get(digest)
        if lent is None:
            lent = self._lent[digest] = _Lent(asyncio.create_task(self._contents.get(digest)), size)
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
                # guard: bytes that are sent at once -> while self._lent_bytes and digest not in self._lent and False:
                while self._lent_bytes and digest not in self._lent and self._lent_bytes + size > LENT_BYTES:
                    self._returned.clear()
                    await self._returned.wait()
        except TimeoutError:
            in_use = f"{self._lent_bytes:,} bytes of others are being sent, and none was within {WAIT:g} s"
            raise TooManyStreams(f"expected room for an artifact of {size:,} bytes, but {in_use}") from None

    @property
    def _lent_bytes(self) -> int:
        return sum(lent.size for lent in self._lent.values() if lent.size > LARGE_BYTES)


class _Checked:
    """The pieces of a content, checked as they pass. `error`: what they have raised."""

    def __init__(self, pieces: AsyncIterator[bytes], digest: str, size: int) -> None:
        self.error: Exception | None = None
        self._pieces, self._digest, self._size = pieces, digest, size

    async def pieces(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._passed():
                yield piece
        except Exception as error:
            self.error = error
            raise

    async def _passed(self) -> AsyncIterator[bytes]:
        came, found = 0, hashlib.sha256()
        async for piece in self._pieces:
            came += len(piece)
            if came > self._size:
                raise WrongBytes(f"{self._size:,} bytes, but more came")
            await asyncio.to_thread(found.update, piece)
            yield piece
        if came != self._size:
            raise WrongBytes(f"{self._size:,} bytes, but {came:,} came")
        # guard: a file has its digest -> if False:
        if found.hexdigest() != self._digest:
            raise WrongBytes(f"bytes with SHA-256 {self._digest}, but theirs is {found.hexdigest()}")


async def _check_digest(digest: str, body: bytes) -> None:
    """Raises StorageFailed for bytes that are not the content of this digest."""
    found = await asyncio.to_thread(hashlib.sha256, body) if len(body) > HASHED_HERE else hashlib.sha256(body)
    if found.hexdigest() != digest:
        raise content_lost(_OTHER_BYTES.format(digest))


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), CHUNK_BYTES):
        yield body[start : start + CHUNK_BYTES]
