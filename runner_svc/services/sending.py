"""Streams of a content to a client: the whole, a range, one of its files, or all of them, one after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from runner_svc.contents import LARGE_BYTES, Contents
from runner_svc.core.model.values import Content
from runner_svc.services.manifests import Manifests
from signoff.errors import InvalidField
from signoff.manifest.manifest import FileEntry
from signoff.rpc.concurrency import ConcurrencyLimit
from signoff.v1 import runner_pb2

#: Large contents that are sent at once to clients, and as many to workers: a few messages of each wait to be read.
MOST_SENDING = 64
PACKED_BYTES = 64 * 1024  # files up to this size are sent with the message that names them


class _Request(Protocol):
    path: str
    offset: int
    length: int
    all_files: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """A message of a stream: the file that begins, some bytes, or both."""

    file: runner_pb2.FileEntry | None = None
    chunk: bytes = b""


class Sending:
    """Sends contents of one runner."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._manifests = Manifests(contents)
        self._to_clients = ConcurrencyLimit(MOST_SENDING, "large artifacts")
        self._to_workers = ConcurrencyLimit(MOST_SENDING, "large inputs of workers")

    def place(
        self, content: Content, request: _Request, file: runner_pb2.FileEntry | None, *, to_worker: bool = False
    ) -> AbstractAsyncContextManager[None]:
        """Holds a place for what a request asks for, for the length of the block, as `place_for` does."""
        size = content.size if file is None else file.size_bytes
        return self.place_for(LARGE_BYTES + 1 if request.all_files else size, to_worker=to_worker)

    def place_for(self, size: int, *, to_worker: bool = False) -> AbstractAsyncContextManager[None]:
        """Holds a place among the large contents; a small one needs none. Raises TooManyStreams.

        `to_worker`: under a lease. Workers have places of their own, which slow readers among the clients leave free.
        """
        # guard: small contents need no place -> if False:
        if size <= LARGE_BYTES:
            return nullcontext()
        # guard: workers have places of their own -> return self._to_clients.slot()
        return (self._to_workers if to_worker else self._to_clients).slot()

    async def file(self, content: Content, request: _Request, of: str) -> runner_pb2.FileEntry | None:
        """Returns the file that a request names; None: it names none. `of`: the task that has made it, in words.

        Raises ArtifactNotFound, or InvalidField for a request that contradicts itself.
        """
        if request.all_files and (request.path or request.offset or request.length):
            raise InvalidField("all_files", "no path, offset and length beside it", "one")
        return file_to_proto(await self._manifests.file(content, request.path, of)) if request.path else None

    async def pieces(
        self, content: Content, request: _Request, file: runner_pb2.FileEntry | None, *, to_worker: bool = False
    ) -> AsyncIterator[Piece]:
        """Yields what a request asks for of a content. `file`: the one that it names. `to_worker`: under a lease."""
        manifest = await self._manifests.of(content) if request.all_files else None
        if manifest is not None:
            for entry in manifest.files:
                async for piece in self._whole_file(entry, to_worker):
                    yield piece
            return
        digest, size = (content.digest, content.size) if file is None else (file.digest, file.size_bytes)
        async for chunk in self._contents.sent(digest, size, request.offset, request.length, to_worker=to_worker):
            yield Piece(chunk=chunk)

    async def _whole_file(self, entry: FileEntry, to_worker: bool) -> AsyncIterator[Piece]:
        told = file_to_proto(entry)
        if entry.size <= PACKED_BYTES:
            yield Piece(file=told, chunk=await self._contents.get(entry.digest))
            return
        yield Piece(file=told)
        async for chunk in self._contents.sent(entry.digest, entry.size, to_worker=to_worker):
            yield Piece(chunk=chunk)


def file_to_proto(entry: FileEntry) -> runner_pb2.FileEntry:
    return runner_pb2.FileEntry(
        path=entry.path, media_type=entry.media_type, size_bytes=entry.size, digest=entry.digest
    )
