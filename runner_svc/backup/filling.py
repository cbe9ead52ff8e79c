"""Fills an empty store with the parts of a backup, whatever kind of store they are from."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from runner_svc.store.port import Checkpoint, Row, Store
from signoff.errors import ConfigurationError
from signoff.v1 import runner_pb2 as pb

BYTES_AT_ONCE = 16 * 1024 * 1024  # of contents that are written in one transaction


class Filling:
    """Fills one store, part by part."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pieces = bytearray()
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
        self._pieces += part.piece
        if not part.last:
            return
        body, self._pieces = bytes(self._pieces), bytearray()
        if hashlib.sha256(body).hexdigest() != part.digest:
            raise ConfigurationError(
                f"expected the content {part.digest}, but its bytes are others: the backup is damaged"
            )
        self._contents[part.digest] = body
        self._size += len(body)
        self._told.contents += 1
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


def _sums(end: pb.BackedUpEnd) -> str:
    return f"{end.events:,} events, {end.contents:,} contents, {end.maps:,} maps and {end.executions:,} executions"
