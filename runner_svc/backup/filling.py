"""Fills an empty store with the parts of a backup, whatever kind of store they are from."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import IO, Any

from runner_svc.contents import LARGE_BYTES, Contents, WrongBytes
from runner_svc.store.port import Checkpoint, Row, Store
from signoff.errors import ConfigurationError
from signoff.rpc.channel import CHUNK_BYTES
from signoff.v1 import runner_pb2 as pb

BYTES_AT_ONCE = 16 * 1024 * 1024  # of contents that are written in one transaction


class Filling:
    """Fills one store, part by part."""

    def __init__(self, store: Store, contents: Contents) -> None:
        """`contents`: of the store."""
        self._store = store
        self._large = contents
        self._pieces = _new_pieces()
        self._contents: dict[str, bytes] = {}
        self._size = 0
        self._key = ""
        self._map: list[bytes] = []
        self._told = pb.BackedUpEnd()

    async def fill(self, parts: AsyncIterator[pb.BackUpResponse]) -> pb.BackedUpEnd:
        """Writes all parts. Returns the sums. Raises ConfigurationError for a backup that is not whole."""
        takers: dict[str | None, Callable[[Any], Awaitable[None]]] = {
            "executions": self._executions,
            "tasks": self._tasks,
            "events": self._events,
            "content": self._content,
            "map_part": self._map_part,
        }
        try:
            return await self._fill(parts, takers)
        finally:
            self._pieces.close()

    async def _fill(
        self, parts: AsyncIterator[pb.BackUpResponse], takers: Mapping[str | None, Callable[[Any], Awaitable[None]]]
    ) -> pb.BackedUpEnd:
        async for part in parts:
            kind = part.WhichOneof("part")
            if kind == "end":
                return await self._end(part.end)
            if kind not in takers:
                raise ConfigurationError(
                    "expected a backup that this version knows, but it has other parts: upgrade signoff"
                )
            await takers[kind](getattr(part, str(kind)))
        raise ConfigurationError("expected a whole backup, but it has no end")

    async def _executions(self, part: pb.BackedUpExecutions) -> None:
        """Keeps checkpoints, before any event: then the journals are read from their beginning."""
        bodies = [(each.execution_id, each.body) for each in part.executions]
        await self._store.checkpoint(Checkpoint(runner=b"", executions=bodies, tasks=()))
        self._told.executions += len(bodies)

    async def _tasks(self, part: pb.BackedUpTasks) -> None:
        tasks = [(each.execution_id, each.number, each.body) for each in part.tasks]
        await self._store.checkpoint(Checkpoint(runner=b"", executions=(), tasks=tasks))

    async def _events(self, part: pb.BackedUpEvents) -> None:
        rows = [Row(each.execution_id, each.sequence, each.body) for each in part.events]
        await self._store.append(rows, {})
        self._told.events += len(rows)

    async def _content(self, part: pb.BackedUpContent) -> None:
        self._pieces.write(part.piece)
        if not part.last:
            return
        pieces, self._pieces = self._pieces, _new_pieces()
        with pieces:
            await self._whole_content(part.digest, pieces)
        self._told.contents += 1

    async def _whole_content(self, digest: str, pieces: IO[bytes]) -> None:
        size = pieces.tell()
        pieces.seek(0)
        if self._large.takes_streams(size):
            try:
                await self._large.put_large(digest, size, _read(pieces))
            except WrongBytes:
                raise _damaged(digest) from None
            return
        body = pieces.read()
        if hashlib.sha256(body).hexdigest() != digest:
            raise _damaged(digest)
        self._contents[digest] = body
        self._size += size
        if self._size >= BYTES_AT_ONCE:
            await self._write_contents()

    async def _write_contents(self) -> None:
        contents, self._contents, self._size = self._contents, {}, 0
        await self._store.append((), contents)

    async def _map_part(self, part: pb.BackedUpMapPart) -> None:
        if part.key != self._key:
            await self._write_map()
            self._key = part.key
        self._map.append(part.body)

    async def _write_map(self) -> None:
        if self._map:
            await self._store.put_map(self._key, self._map)
            self._told.maps += 1
        self._map = []

    async def _end(self, end: pb.BackedUpEnd) -> pb.BackedUpEnd:
        await self._write_contents()
        await self._write_map()
        if end != self._told:
            raise ConfigurationError(f"expected {_sums(end)}, but the backup has {_sums(self._told)}")
        return end


async def check_empty(store: Store) -> None:
    """Raises ConfigurationError for a store that holds anything: a restore goes into a new one."""
    rows, _ = await store.everything(0, 1)
    if rows or await store.maps("", 1) or (await store.checkpointed()).executions:
        raise ConfigurationError("expected an empty store to restore into, but it has executions or plans already")


def _new_pieces() -> IO[bytes]:
    """Returns a place for the pieces of a content, which takes no memory for a large one."""
    return tempfile.SpooledTemporaryFile(LARGE_BYTES)


async def _read(pieces: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(pieces.read, CHUNK_BYTES):
        yield piece


def _damaged(digest: str) -> ConfigurationError:
    return ConfigurationError(f"expected the content {digest}, but its bytes are others: the backup is damaged")


def _sums(end: pb.BackedUpEnd) -> str:
    return f"{end.events:,} events, {end.contents:,} contents, {end.maps:,} maps and {end.executions:,} executions"
