"""The store for several machines: one PostgreSQL database, owned by one runner at a time.

One connection writes and renews the ownership, another reads, so that a long read never delays a commit. A write is one
statement: a function of the schema that checks the ownership first (migrations_postgres). When the connection is lost
during a write, its outcome is unknown. A new epoch settles it before anything is read again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from datetime import timedelta
from typing import Any, TypeVar

import structlog

from runner_svc.store.journal_names import journals_until
from runner_svc.store.listing_query import checkpointed_in_order, conditions, listed_from
from runner_svc.store.port import (
    STAGED_AT_ONCE,
    Checkpoint,
    Checkpointed,
    InObjects,
    Listed,
    ListingQuery,
    Purged,
    Removal,
    Row,
    StandsBy,
)
from runner_svc.store.postgres_connection import Connection, Database, Link
from runner_svc.store.postgres_migrations import OWNER_SCRIPT, migrate
from runner_svc.store.postgres_ownership import Ownership
from signoff.errors import OwnershipLost, StorageFailed

log = structlog.get_logger(__name__)

T = TypeVar("T")

LEASE = 15.0  # seconds from the death of a runner until another one takes over


class PostgresStore:
    """A store in the schema `signoff` of the database that `dsn` leads to.

    `lease` is in seconds; it also bounds each statement, so that a write never outlasts the ownership it renewed.
    With `stands_by`, which receives the owner, the store waits for as long as another runner uses the database.
    """

    def __init__(self, dsn: str, *, lease: float = LEASE, stands_by: StandsBy | None = None) -> None:
        self._stands_by = stands_by
        self._ownership = Ownership(lease)
        self._database = Database(dsn, name=self._ownership.owner, timeout=lease)
        self._writer = Connection(self._database, prepare=self._ownership.take_again)
        self._reader = Connection(self._database, prepare=_nothing)
        self._renewing: asyncio.Task[None] | None = None

    async def open(self) -> int:
        await self._writer.run(lambda link: migrate(link, last=OWNER_SCRIPT))
        if self._stands_by is None:
            await self._ownership.take(self._writer.run, self._database.where)
        else:
            await self._ownership.stand_by(self._writer.run, self._stands_by)
        await self._writer.run(migrate)
        self._renewing = asyncio.create_task(self._renew())
        return self._ownership.epoch

    async def _renew(self) -> None:
        """Renews the ownership. Ends with OwnershipLost when another runner has taken the database."""
        while True:
            await asyncio.sleep(self._ownership.lease.total_seconds() / 3)  # two may fail
            try:
                # guard: ownership is renewed -> await asyncio.sleep(0)
                await self._writer.run(self._ownership.renew)
            except OwnershipLost as lost:
                log.error("ownership_lost", error=str(lost))
                raise
            except StorageFailed as failure:
                log.warning("ownership_not_renewed", error=str(failure))

    async def owned(self) -> None:
        """Waits for as long as this runner owns the database. Raises OwnershipLost once another one has taken it."""
        if self._renewing is not None:
            await asyncio.shield(self._renewing)

    async def journal_id(self) -> str:
        found = await self._read(lambda link: link.fetchval("SELECT journal_id FROM signoff.runner"))
        return str(found)

    async def append(
        self,
        rows: Sequence[Row],
        contents: Mapping[str, bytes],
        listed: Sequence[Listed] = (),
        named: Sequence[str] = (),
    ) -> None:
        journals, sequences = [row.journal for row in rows], [row.sequence for row in rows]
        bodies = [row.body for row in rows]
        arguments = (journals, sequences, bodies, list(contents.keys()), list(contents.values()))
        await self._write(
            "SELECT signoff.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            *arguments,
            *_columns(listed),
            list(named),
        )

    async def everything(self, after: int, limit: int) -> tuple[Sequence[Row], int]:
        query = """SELECT journal, sequence, body, position FROM signoff.event
            WHERE position > $1 AND journal NOT IN (SELECT journal FROM signoff.removed) ORDER BY position LIMIT $2"""
        found = await self._read(lambda link: link.fetch(query, after, limit))
        return [Row(row[0], row[1], row[2]) for row in found], found[-1][3] if found else after

    async def read(self, journal: str, after: int, limit: int) -> Sequence[Row]:
        query = """SELECT journal, sequence, body FROM signoff.event
            WHERE journal = $1 AND sequence > $2 AND journal NOT IN (SELECT journal FROM signoff.removed)
            ORDER BY sequence LIMIT $3"""
        found = await self._read(lambda link: link.fetch(query, journal, after, limit))
        return [Row(row[0], row[1], row[2]) for row in found]

    async def heads(self, journals: Sequence[str]) -> Mapping[str, int]:
        query = """SELECT wanted.journal, coalesce(head.sequence, 0) FROM unnest($1::text[]) AS wanted (journal),
            LATERAL (SELECT max(sequence) AS sequence FROM signoff.event WHERE journal = wanted.journal
            AND journal NOT IN (SELECT journal FROM signoff.removed)) AS head"""
        found = await self._read(lambda link: link.fetch(query, list(journals)))
        return {row[0]: row[1] for row in found}

    async def journals(self, until: int) -> Sequence[str]:
        found = await self._read(lambda link: link.fetch(journals_until("$1", "signoff."), until))
        return [row[0] for row in found]

    async def put_content(self, digest: str, body: bytes) -> None:
        await self.append((), {digest: body})

    async def put_object(self, digest: str, size: int) -> None:
        await self._write("SELECT signoff.put_object($1, $2, $3, $4)", digest, size)

    async def stage(self, lease: str, contents: Mapping[str, bytes], objects: Mapping[str, int]) -> None:
        bodies, sizes = [*contents.values()], [*objects.values()]
        await self._write(
            "SELECT signoff.stage($1, $2, $3, $4, $5, $6, $7)", lease, [*contents], bodies, [*objects], sizes
        )

    async def content(self, digest: str) -> bytes | InObjects | None:
        query = "SELECT body, object_size FROM signoff.content WHERE digest = $1"
        found = await self._read(lambda link: link.fetch(query, digest))
        if not found:
            return None
        body, size = found[0]
        return body if size is None else InObjects(size)

    async def is_object(self, digest: str) -> bool:
        query = "SELECT object_size IS NOT NULL FROM signoff.content WHERE digest = $1"
        return bool(await self._read(lambda link: link.fetchval(query, digest)))

    async def known_contents(self, digests: Sequence[str]) -> Set[str]:
        query = "SELECT digest FROM signoff.content WHERE digest = ANY ($1)"
        found = await self._read(lambda link: link.fetch(query, list(digests)))
        return {row[0] for row in found}

    async def renew_contents(self, digests: Sequence[str], lease: str = "") -> Mapping[str, int]:
        (found,) = await self._write_and_read("SELECT signoff.renew_contents($1, $2, $3, $4)", list(digests), lease)
        return {digest: int(size) for digest, size in json.loads(found).items()}

    async def drop_staged(self, leases: Set[str], older_than: float) -> Sequence[tuple[str, int]]:
        age = timedelta(seconds=older_than)
        statement = "SELECT signoff.drop_staged($1, $2, $3, $4, $5)"
        (gone,) = await self._write_and_read(statement, list(leases), age, STAGED_AT_ONCE)
        return [(digest, int(size)) for digest, size in json.loads(gone).items()]

    async def put_map(self, key: str, parts: Sequence[bytes]) -> None:
        await self._write("SELECT signoff.put_map($1, $2, $3, $4)", key, list(parts))

    async def map_parts(self, key: str) -> Sequence[bytes] | None:
        query = "SELECT body FROM signoff.map_part WHERE key = $1 ORDER BY part"
        found = await self._read(lambda link: link.fetch(query, key))
        return [row[0] for row in found] or None

    async def map_part(self, key: str, after: int) -> tuple[int, bytes] | None:
        query = "SELECT part, body FROM signoff.map_part WHERE key = $1 AND part > $2 ORDER BY part LIMIT 1"
        found = await self._read(lambda link: link.fetch(query, key, after))
        return (found[0][0], found[0][1]) if found else None

    async def checkpoint(self, taken: Checkpoint) -> None:
        executions, tasks = list(zip(*taken.executions, strict=True)), list(zip(*taken.tasks, strict=True))
        arguments = (*(executions or ((), ())), *(tasks or ((), (), ())))
        await self._write("SELECT signoff.checkpoint($1, $2, $3, $4, $5, $6, $7, $8)", taken.runner, *arguments)

    async def checkpointed(self) -> Checkpointed:
        heads = await self._read(lambda link: link.fetch("SELECT position, body FROM signoff.runner_checkpoint"))
        found = await self._read(lambda link: link.fetch(checkpointed_in_order("signoff.")))
        return Checkpointed(position=heads[0][0], runner=heads[0][1], executions=[row[0] for row in found])

    async def checkpointed_tasks(self, journal: str) -> Sequence[tuple[int, bytes]]:
        query = "SELECT number, body FROM signoff.task_checkpoint WHERE journal = $1"
        found = await self._read(lambda link: link.fetch(query, journal))
        return [(row[0], row[1]) for row in found]

    async def checkpointed_task(self, journal: str, number: int) -> bytes | None:
        query = "SELECT body FROM signoff.task_checkpoint WHERE journal = $1 AND number = $2"
        found = await self._read(lambda link: link.fetch(query, journal, number))
        return found[0][0] if found else None

    async def is_listed(self) -> bool:
        found: bool = await self._read(lambda link: link.fetchval("SELECT is_whole FROM signoff.listing_state"))
        return found

    async def list_anew(self, listed: Sequence[Listed], *, is_whole: bool = True) -> None:
        await self._write("SELECT signoff.list_anew($1, $2, $3, $4, $5, $6, $7, $8, $9)", is_whole, *_columns(listed))

    async def listed(self, query: ListingQuery) -> Sequence[tuple[int, str]]:
        values: list[object] = []

        def mark(value: object) -> str:
            values.append(value)
            return f"${len(values)}"

        where = conditions(query, mark, contains="strpos")
        statement = (
            f"SELECT number, journal FROM signoff.listing WHERE {where} ORDER BY number DESC LIMIT {query.limit:d}"
        )
        return [(row[0], row[1]) for row in await self._read(lambda link: link.fetch(statement, *values))]

    async def count_listed(self) -> int:
        return int(await self._read(lambda link: link.fetchval("SELECT count(*) FROM signoff.listing")))

    async def listed_as(self, journal: str) -> Listed | None:
        query = "SELECT plan_id, state, needs, created_at, text FROM signoff.listing WHERE journal = $1"
        found = await self._read(lambda link: link.fetch(query, journal))
        return listed_from(journal, tuple(found[0])) if found else None

    # ------------------------------------------------------------ what a prune takes away

    async def remove(self, removal: Removal) -> None:
        row, histories = removal.row, list(zip(*removal.histories, strict=True)) or ((), ())
        await self._write(
            "SELECT signoff.remove($1, $2, $3, $4, $5, $6, $7, $8)",
            row.journal,
            row.sequence,
            row.body,
            list(removal.whole),
            *histories,
        )

    async def purge(self, limit: int) -> Purged:
        rows, is_done = await self._write_and_read("SELECT purged, is_done FROM signoff.purge($1, $2, $3)", limit)
        return Purged(rows=rows, is_done=is_done)

    async def sizes(self, after: str, limit: int, older_than: float) -> Sequence[tuple[str, int]]:
        query = """SELECT digest, coalesce(object_size, octet_length(body)) FROM signoff.content
            WHERE digest > $1 AND put_at < clock_timestamp() - $2::interval
                AND digest NOT IN (SELECT digest FROM signoff.staged) ORDER BY digest LIMIT $3"""
        age = timedelta(seconds=older_than)
        found = await self._read(lambda link: link.fetch(query, after, age, limit))
        return [(row[0], row[1]) for row in found]

    async def drop_contents(self, digests: Sequence[str], older_than: float) -> Sequence[str]:
        age = timedelta(seconds=older_than)
        (gone,) = await self._write_and_read("SELECT signoff.drop_contents($1, $2, $3, $4)", list(digests), age)
        return list(gone)

    async def maps(self, after: str, limit: int) -> Sequence[str]:
        query = "SELECT DISTINCT key FROM signoff.map_part WHERE key > $1 ORDER BY key LIMIT $2"
        found = await self._read(lambda link: link.fetch(query, after, limit))
        return [row[0] for row in found]

    async def drop_map(self, key: str) -> None:
        await self._write("SELECT signoff.drop_map($1, $2, $3)", key)

    async def shrink(self) -> bool:
        return False  # its autovacuum keeps the room for what is written later

    async def close(self) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        if self._ownership.epoch:
            try:
                await self._writer.run(self._ownership.release)
            except StorageFailed as failure:
                log.warning("ownership_not_released", error=str(failure))
        await self._reader.close()
        await self._writer.close()

    async def _write(self, statement: str, *arguments: object) -> None:
        owner = self._ownership
        await self._writer.run(lambda link: link.execute(statement, owner.epoch, owner.lease, *arguments))

    async def _write_and_read(self, statement: str, *arguments: object) -> Sequence[Any]:
        owner = self._ownership
        found = await self._writer.run(lambda link: link.fetch(statement, owner.epoch, owner.lease, *arguments))
        return tuple(found[0])

    async def _read(self, work: Callable[[Link], Awaitable[T]]) -> T:
        if self._writer.is_lost:
            await self._writer.run(_nothing)  # connects, and so settles what was under way
        return await self._reader.run(work)


def _columns(listed: Sequence[Listed]) -> tuple[list[object], ...]:
    names = ("journal", "plan_id", "state", "needs", "created_at", "text")
    return tuple([getattr(each, name) for each in listed] for name in names)


async def _nothing(_link: Link) -> None:
    """Prepares nothing: a reader needs no preparation."""
