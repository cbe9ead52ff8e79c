"""UploadFiles: the files of a candidate, brought under the lease of the attempt that has made them.

Small files are stored many at a time, large ones pass through piece by piece. So an upload takes a few megabytes of
memory, however much it brings. What no candidate names in the end is dropped after the lease: runner_svc/leftovers.py.

Uploads have a few places, of which one worker has some at most, under leases that it holds. A lease has a bound in
files and bytes for all its uploads together. So no worker keeps the others waiting for long, and none fills the disk.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator

from runner_svc.contents import LARGE_BYTES, Contents, WrongBytes
from runner_svc.core.decide.turn import State
from runner_svc.core.model.values import LeaseId, Phase, WorkerName
from runner_svc.engine import Engine
from runner_svc.services.upload_places import Brought, UploadPlaces
from signoff.errors import InvalidField, StaleLease
from signoff.manifest.manifest import MAX_FILES, MAX_FILES_BYTES
from signoff.rpc.frames import MAX_CANDIDATE_BYTES
from signoff.rpc.timely import STALL, first_of, timely
from signoff.v1 import runner_pb2

GROUP_BYTES, GROUP_FILES = 4 * 1024 * 1024, 500  # small files that are stored together
FRESH_AFTER = 64 * 1024 * 1024  # bytes after which the lease is looked at again
FRESH_FOR = 10.0  # seconds after which it is, too


class FileUploads:
    """Takes the files of candidates."""

    def __init__(self, engine: Engine, *, stall: float = STALL, fresh_for: float = FRESH_FOR) -> None:
        """`stall`, `fresh_for`: seconds until a message must come, and until a lease is looked at again."""
        self._engine = engine
        self._stall = stall
        self._fresh_for = fresh_for
        self._places = UploadPlaces()

    async def take(self, messages: AsyncIterator[runner_pb2.UploadFilesRequest]) -> runner_pb2.UploadFilesResponse:
        """Stores the files of a stream. Returns how many came, and how many bytes.

        Raises StaleLease, InvalidField, UploadStalled, or TooManyStreams when other uploads take too long.
        """
        begun = await first_of(messages, self._stall)
        if begun is None or not begun.lease_id:
            raise InvalidField("lease_id", "the lease in the first message", "nothing")
        upload = _Upload(self._engine, self._places, LeaseId(begun.lease_id), self._fresh_for)
        # Only now does the upload get a place: a stream without a lease keeps no other waiting.
        async with self._places.place(await upload.holder()):
            return await upload.take(begun, timely(messages, lambda: upload.came, self._stall))


class _Upload:
    """One stream of files. `came`: how many bytes have come so far."""

    def __init__(self, engine: Engine, places: UploadPlaces, lease: LeaseId, fresh_for: float) -> None:
        self._engine = engine
        self._contents: Contents = engine.contents
        self._places = places
        self._lease = lease
        self._fresh_for = fresh_for
        self._brought = Brought()
        self.came = 0
        self._files = 0
        self._announced = 0  # bytes of the files that were begun
        self._stored = Brought()  # of this stream
        self._looked_at = 0  # the bytes that had come when the lease was last looked at
        self._looked = 0.0  # when that was
        self._group: dict[str, bytes] = {}
        self._group_bytes = 0
        self._next: runner_pb2.UploadFilesRequest | None = None  # behind the bytes of a file

    async def take(
        self, begun: runner_pb2.UploadFilesRequest | None, stream: AsyncIterator[runner_pb2.UploadFilesRequest]
    ) -> runner_pb2.UploadFilesResponse:
        """Takes the files of a stream. `begun`: its first message."""
        self._brought = self._places.brought(self._lease)
        while begun is not None:
            begun = await self._file(begun, stream)
        await self._store_group()
        return runner_pb2.UploadFilesResponse(files=self._files, size_bytes=self.came)

    async def _file(
        self, begun: runner_pb2.UploadFilesRequest, stream: AsyncIterator[runner_pb2.UploadFilesRequest]
    ) -> runner_pb2.UploadFilesRequest | None:
        """Takes one file. Returns the message that begins the next one; None: it was the last."""
        digest, size = begun.digest, begun.size_bytes
        if not digest:
            raise InvalidField("digest", "the SHA-256 of a file that begins", "nothing")
        self._files, self._announced = self._files + 1, self._announced + size
        self._check_bounds(size)
        pieces = self._pieces(begun, stream)
        try:
            if self._contents.takes_streams(size):
                await self._contents.put_large(digest, size, pieces, self._lease)
                self._count(1, size)
            else:
                await self._small(digest, size, pieces)
        except WrongBytes as problem:
            raise InvalidField("chunk", f"of file {digest} {problem}", "others") from None
        return self._next

    def _check_bounds(self, size: int) -> None:
        if self._files > MAX_FILES:
            raise InvalidField("digest", f"at most {MAX_FILES:,} files", "more")
        # guard: files of an upload are bounded -> if False:
        if self._announced > MAX_FILES_BYTES:
            raise InvalidField("size_bytes", f"at most {MAX_FILES_BYTES:,} bytes in all files", f"{self._announced:,}")
        self._brought.check(self._files - self._stored.files, self._announced - self._stored.size)
        if size > MAX_CANDIDATE_BYTES and not self._contents.takes_streams(size):
            most = f"at most {MAX_CANDIDATE_BYTES:,} bytes in a file, for this runner has no object store (--objects)"
            raise InvalidField("size_bytes", most, f"{size:,}")

    async def _pieces(
        self, begun: runner_pb2.UploadFilesRequest, stream: AsyncIterator[runner_pb2.UploadFilesRequest]
    ) -> AsyncIterator[bytes]:
        """Yields the bytes of the file that was begun, until another one begins or the stream ends."""
        self._next, piece = begun, begun.chunk
        while True:
            self.came += len(piece)
            # guard: an upload ends with its lease -> if False:
            if self.came - self._looked_at >= FRESH_AFTER or self._now() - self._looked >= self._fresh_for:
                await self.holder()
            if piece:
                yield piece
            self._next = await anext(stream, None)
            if self._next is None or self._next.digest:
                return
            if self._next.size_bytes or self._next.lease_id:
                raise InvalidField("size_bytes", "a size and a lease only with a digest", "one without")
            piece = self._next.chunk

    async def _small(self, digest: str, size: int, pieces: AsyncIterator[bytes]) -> None:
        body = bytearray()
        async for piece in pieces:
            body += piece
            if len(body) > size:
                raise WrongBytes(f"{size:,} bytes, but more came")
        found = hashlib.sha256(body) if size <= LARGE_BYTES else await asyncio.to_thread(hashlib.sha256, body)
        if len(body) != size:
            raise WrongBytes(f"{size:,} bytes, but {len(body):,} came")
        # guard: a small file has its digest -> if False:
        if found.hexdigest() != digest:
            raise WrongBytes(f"bytes with SHA-256 {digest}, but theirs is {found.hexdigest()}")
        if self._group_bytes + size > GROUP_BYTES or len(self._group) >= GROUP_FILES:
            await self._store_group()
        self._group[digest] = bytes(body)
        self._group_bytes += size

    async def _store_group(self) -> None:
        group, self._group, self._group_bytes = self._group, {}, 0
        if group:
            await self._contents.put_small(group, self._lease)
            self._count(len(group), sum(map(len, group.values())))

    def _count(self, files: int, size: int) -> None:
        """Counts what was stored, for the bounds of the lease."""
        for counted in (self._stored, self._brought):
            counted.files, counted.size = counted.files + files, counted.size + size

    async def holder(self) -> WorkerName:
        """Returns the worker that holds the lease. Raises StaleLease when there is none, or it is a validator."""
        self._looked_at, self._looked = self.came, self._now()
        holder = await self._engine.ask(self._held_by)
        # guard: files come under leases that are held -> if False:
        if holder is None:
            raise StaleLease(f"expected the lease of an executor that is held, but {self._lease[:200]!r} has ended")
        return holder

    def _held_by(self, state: State) -> WorkerName | None:
        """Returns the executor that holds the lease; None: none does."""
        self._places.forget_ended(state)
        held = state.roster.leases.get(self._lease)
        return held.worker if held is not None and held.phase is Phase.EXECUTE else None

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
