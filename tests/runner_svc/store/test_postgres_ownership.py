"""One runner at a time owns a database: by a lease that it renews, and an epoch that fences every write."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from typing import cast

import pytest

from runner_svc.store.port import Checkpoint, Row
from runner_svc.store.postgres import PostgresStore
from runner_svc.store.postgres_connection import Link
from runner_svc.store.postgres_migrations import OWNER_SCRIPT, migrate, scripts
from signoff.errors import ConfigurationError, OwnershipLost, StorageFailed
from tests.support.processes.commands import ROOT, environment
from tests.support.servers.postgres import ask

LEASE = 1.0
SLACK = 3.0  # seconds that a busy machine may add
WITHIN = 20.0

MODULE = "tests.support.processes.writing_process"


@contextlib.asynccontextmanager
async def opened(dsn: str, lease: float = LEASE) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(dsn, lease=lease)
    try:
        await store.open()
        yield store
    finally:
        await store.close()


async def expire(dsn: str) -> None:
    """Ends the owner's lease, as if it had renewed nothing."""
    await ask(dsn, "UPDATE signoff.runner SET deadline = 'epoch'")


def row(sequence: int) -> Row:
    return Row("a", sequence, b"x")


async def die(store: PostgresStore) -> None:
    """Closes the connections without a release, as a process that dies."""
    assert store._renewing is not None
    store._renewing.cancel()
    for connection in (store._writer, store._reader):
        await connection.close()


# ---------------------------------------------------------------- who owns it


async def test_a_second_runner_is_kept_out_as_long_as_the_first_renews_and_told_who_that_is(dsn: str) -> None:
    async with opened(dsn, lease=1.5) as first:
        with pytest.raises(ConfigurationError, match="another runner") as refused:
            async with opened(dsn, lease=1.6):
                pass
        assert first._ownership.owner in str(refused.value)
        await first.append([row(1)], {})


async def test_a_database_that_was_let_go_of_is_taken_at_once(dsn: str) -> None:
    async with opened(dsn, lease=1000.0):
        pass
    async with asyncio.timeout(SLACK), opened(dsn):
        pass


async def test_a_runner_that_waits_gets_the_database_when_the_first_ends(dsn: str) -> None:
    first = PostgresStore(dsn, lease=10.0)
    await first.open()
    second = PostgresStore(dsn, lease=10.0)
    waiting = asyncio.create_task(second.open())
    await first.append([row(1)], {})
    await first.close()
    await asyncio.wait_for(waiting, 10.0)
    await second.append([row(2)], {})
    await second.close()


@pytest.mark.guard(name="deadline of the owner")
async def test_the_second_takes_over_within_the_lease_when_the_first_dies(dsn: str) -> None:
    first = PostgresStore(dsn, lease=LEASE)
    epoch = await first.open()
    await first.append([row(1)], {})
    await die(first)
    async with asyncio.timeout(LEASE + SLACK), opened(dsn) as second:
        assert second._ownership.epoch > epoch
        assert await second.read("a", 0, 10) == [row(1)]
        await second.append([row(2)], {})


async def test_of_two_that_open_a_new_database_at_once_one_gets_it(dsn: str) -> None:
    stores = [PostgresStore(dsn, lease=LEASE) for _ in range(2)]
    results = await asyncio.gather(*(store.open() for store in stores), return_exceptions=True)
    assert [type(result) for result in results if not isinstance(result, int)] == [ConfigurationError]
    for store in stores:
        await store.close()


@pytest.mark.guard(name="ownership is renewed")
async def test_the_database_stays_ours_while_nothing_is_written(dsn: str) -> None:
    async with opened(dsn) as store:
        first = await deadline(dsn)
        async with asyncio.timeout(WITHIN):
            while await deadline(dsn) == first:  # noqa: ASYNC110 - the server sends no event
                await asyncio.sleep(0.01)
        assert not store._writer.is_lost


async def deadline(dsn: str) -> object:
    return (await ask(dsn, "SELECT deadline FROM signoff.runner"))[0][0]


# ---------------------------------------------------------------- the first one can write nothing more


async def test_a_runner_that_was_replaced_can_neither_write_nor_rebuild_from_what_the_other_writes(dsn: str) -> None:
    async with opened(dsn, lease=1000.0) as first:
        await first.append([row(1)], {})
        await expire(dsn)
        async with opened(dsn) as second:
            with pytest.raises(StorageFailed):  # its connection was ended, and may have been found in use
                await first.append([row(2)], {"d": b"y"})
            with pytest.raises(OwnershipLost, match="has taken it over"):
                await first.append([row(2)], {"d": b"y"})
            with pytest.raises(OwnershipLost):
                await first.put_content("d", b"y")
            with pytest.raises(OwnershipLost):
                await first.put_map("m", [b"part"])
            with pytest.raises(OwnershipLost):
                await first.everything(0, 10)
            await first.close()
            assert await second.read("a", 0, 10) == [row(1)]
            assert (await second.content("d"), await second.map_parts("m")) == (None, None)
            await second.append([row(2)], {})


@pytest.mark.guard(name="epoch of each write")
@pytest.mark.guard(name="epoch over")
async def test_every_write_checks_the_epoch_by_itself(dsn: str) -> None:
    """The connection of the first is not a new one."""
    async with opened(dsn, lease=1000.0) as first:
        await ask(dsn, "UPDATE signoff.runner SET epoch = epoch + 1, owner = 'another'")
        kept = Checkpoint(runner=b"", executions=[("a", b"")], tasks=[("a", 0, b"")])
        writes = (first.append([row(1)], {}), first.put_content("d", b""), first.put_map("m", [b""]))
        for write in (*writes, first.checkpoint(kept)):
            assert not first._writer.is_lost
            with pytest.raises(OwnershipLost, match="another has taken it over"):
                await write
            first._writer._link = await first._database.connect()
        counts = "SELECT (SELECT count(*) FROM signoff.event), (SELECT count(*) FROM signoff.content),"
        counts += " (SELECT count(*) FROM signoff.map_part), (SELECT count(*) FROM signoff.task_checkpoint)"
        assert tuple((await ask(dsn, counts))[0]) == (0, 0, 0, 0)


async def test_a_runner_that_renews_finds_out_that_it_was_replaced(dsn: str) -> None:
    async with opened(dsn) as first:
        await expire(dsn)
        async with opened(dsn):
            with pytest.raises(OwnershipLost):
                await asyncio.wait_for(first.owned(), LEASE + SLACK)


async def test_a_runner_that_froze_inside_a_transaction_keeps_nobody_waiting(dsn: str) -> None:
    first = PostgresStore(dsn, lease=LEASE)
    await first.open()
    link = await frozen_in_a_transaction(first)
    async with asyncio.timeout(LEASE + SLACK), opened(dsn) as second:
        await second.append([row(1)], {})
    assert link.is_closed()
    await first.close()


class FreezesBetween:
    """A connection on which a runner takes the database; the owner's deadline passes after its first statement."""

    def __init__(self, link: Link, dsn: str, owner: PostgresStore) -> None:
        self._link, self._dsn, self._owner = link, dsn, owner
        self.transaction, self.fetchval = link.transaction, link.fetchval

    async def execute(self, query: str, *values: object) -> str:
        result = await self._link.execute(query, *values)
        await ask(self._dsn, "UPDATE signoff.runner SET deadline = clock_timestamp()")
        self.frozen = await frozen_in_a_transaction(self._owner)
        return result


@pytest.mark.guard(name="one clock for a take")
async def test_a_deadline_that_passes_while_the_database_is_taken_keeps_nobody_waiting(dsn: str) -> None:
    first, second = PostgresStore(dsn, lease=1000.0), PostgresStore(dsn, lease=1000.0)
    await first.open()
    link = await second._database.connect()
    between = FreezesBetween(link, dsn, first)
    async with asyncio.timeout(WITHIN):
        assert not await second._ownership._take(cast("Link", between)), "the first still owned it when this began"
        assert not between.frozen.is_closed()
        assert await second._ownership._take(link)
    await link.close()
    await first.close()


async def frozen_in_a_transaction(store: PostgresStore) -> Link:
    """Locks the runner's row in a transaction, and never ends it."""
    assert store._renewing is not None
    store._renewing.cancel()
    link = store._writer._link
    assert link is not None
    await link.execute("SET idle_in_transaction_session_timeout = 0")  # the server would end it by itself
    await link.transaction().start()
    await store._ownership.renew(link)
    return link


async def test_a_process_that_was_stopped_for_longer_than_its_lease_writes_nothing_when_it_wakes(dsn: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", MODULE, dsn, str(LEASE)), cwd=ROOT, env=environment(), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(WITHIN):
            while (await process.stdout.readline()).strip() != b"wrote 20":
                pass
            process.send_signal(signal.SIGSTOP)
            async with opened(dsn) as second:
                before = await second.everything(0, 100_000)
                process.send_signal(signal.SIGCONT)
                rest = (await process.stdout.read()).split(b"\n")
                assert any(said.startswith(b"lost expected this runner") for said in rest)
                assert await second.everything(0, 100_000) == before
                acknowledged = 20 + sum(line.startswith(b"wrote") for line in rest)
                assert len(before[0]) in (acknowledged, acknowledged + 1)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


# ---------------------------------------------------------------- versions


async def test_a_database_of_a_newer_version_is_not_touched(dsn: str) -> None:
    async with opened(dsn):
        pass
    await ask(dsn, "INSERT INTO signoff.migration (number) VALUES (99)")
    with pytest.raises(ConfigurationError, match="version 99: upgrade signoff"):
        async with opened(dsn):
            pass


async def test_an_older_database_is_migrated_by_the_one_that_owns_it(dsn: str) -> None:
    older = PostgresStore(dsn)
    await older._writer.run(lambda link: migrate(link, last=OWNER_SCRIPT))
    await ask(dsn, "UPDATE signoff.runner SET epoch = 41")
    await older.close()
    async with opened(dsn) as store:
        assert store._ownership.epoch == 42
        await store.append([row(1)], {})
    numbers = await ask(dsn, "SELECT number FROM signoff.migration ORDER BY number")
    assert [found[0] for found in numbers] == list(range(1, len(scripts()) + 1))


async def test_a_migration_that_fails_leaves_the_database_as_it_was(dsn: str) -> None:
    await ask(dsn, "CREATE SCHEMA signoff")
    await ask(dsn, "CREATE TABLE signoff.content (somebody_elses integer)")
    with pytest.raises(StorageFailed, match="already exists"):
        async with opened(dsn):
            pass
    assert (await ask(dsn, "SELECT to_regclass('signoff.event')"))[0][0] is None
    await ask(dsn, "DROP TABLE signoff.content")
    async with opened(dsn) as store:
        await store.append([row(1)], {})
