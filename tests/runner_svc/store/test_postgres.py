"""Faults of a store behind a network: servers that die, connections that lose answers, databases that refuse."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import grpc
import pytest

from runner_svc import engine
from runner_svc.store.port import Checkpoint, Checkpointed, Row
from runner_svc.store.postgres import PostgresStore
from signoff.errors import ConfigurationError, SignoffError, StorageFailed
from signoff.v1 import execution_pb2, runner_pb2
from tests.runner_svc.services.test_runner_service import refused
from tests.support.servers.postgres import PASSWORD, Server, ask
from tests.support.servers.runner import PlannerOfTexts, running
from tests.support.servers.store_proxy import StoreProxy, store_proxy

WITHIN = 20.0  # seconds for whatever a test waits for
BATCH = 3  # rows in a transaction


@pytest.fixture
async def store(dsn: str) -> AsyncIterator[PostgresStore]:
    made = PostgresStore(dsn)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Makes a folder for a socket, whose path has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="signoff-") as name:
        yield Path(name)


@pytest.fixture
async def line(own_server: Server, own_dsn: str, short_folder: Path) -> AsyncIterator[tuple[StoreProxy, PostgresStore]]:
    """Makes a proxy, and opens a store through it."""
    async with store_proxy(own_server.socket, short_folder, own_dsn) as (line, dsn):
        store = PostgresStore(dsn, lease=3.0)
        await store.open()
        yield line, store
        await store.close()


@pytest.mark.guard(name="a row that is missing in a database is made anew")
@pytest.mark.parametrize("table", ["runner", "runner_checkpoint", "listing_state"])
async def test_a_table_that_has_lost_its_one_row_gets_it_again(dsn: str, table: str) -> None:
    first = PostgresStore(dsn)
    epoch = await first.open()
    await first.append([Row("a", 1, b"x")], {})
    await first.close()
    await ask(dsn, f"DELETE FROM signoff.{table}")
    store = PostgresStore(dsn)
    assert await store.open() > epoch
    assert await store.checkpointed() == Checkpointed(position=0, runner=b"", executions=[])
    await store.checkpoint(Checkpoint(runner=b"own", executions=[], tasks=[]))
    await store.list_anew([])
    assert (await store.is_listed(), (await store.checkpointed()).position > 0) == (True, True)
    await store.close()


def batch(number: int) -> list[Row]:
    return [Row("a", number * BATCH + place, b"x") for place in range(1, BATCH + 1)]


# ---------------------------------------------------------------- servers that die


async def append_until_it_fails(store: PostgresStore, acknowledged: list[int], enough: asyncio.Event) -> None:
    until = len(acknowledged) + 20
    with contextlib.suppress(StorageFailed):
        while True:
            number = len(acknowledged)
            await store.append(batch(number), {f"content {number}": b"y" * 10_000})
            acknowledged.append(number)
            if number > until:
                enough.set()


async def test_a_server_killed_in_the_middle_of_appends_has_lost_nothing_acknowledged_and_halved_nothing(
    own_server: Server, own_dsn: str
) -> None:
    store = PostgresStore(own_dsn)
    await store.open()
    acknowledged: list[int] = []
    for _ in range(2):
        enough = asyncio.Event()
        appending = asyncio.create_task(append_until_it_fails(store, acknowledged, enough))
        await asyncio.wait_for(enough.wait(), WITHIN)
        await asyncio.to_thread(own_server.kill)
        await asyncio.wait_for(appending, WITHIN)
        with pytest.raises(StorageFailed, match="cannot open the database"):
            await store.read("a", 0, 1)
        await asyncio.to_thread(own_server.start)
        rows, _ = await store.everything(0, 1_000_000)
        batches = len(rows) // BATCH
        assert list(rows) == [row for number in range(batches) for row in batch(number)]
        assert batches in (len(acknowledged), len(acknowledged) + 1), "the last one may have been on its way"
        assert await store.content(f"content {batches - 1}") is not None
        assert await store.content(f"content {batches}") is None
        acknowledged = list(range(batches))
    await store.append(batch(len(acknowledged)), {})
    await store.close()


async def test_a_runner_says_unavailable_while_its_server_is_dead_and_goes_on_when_it_is_back(
    own_server: Server, own_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "RETRY_STORE_AFTER", 0.05)
    plans = PlannerOfTexts(two="a; b <- a")
    async with running(plans, tmp_path, store=PostgresStore(own_dsn)) as runner:
        ref = await runner.start("two")
        await asyncio.to_thread(own_server.kill)
        with refused("STORAGE_FAILED", grpc.StatusCode.UNAVAILABLE):
            await runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=ref))
        await asyncio.to_thread(own_server.start)
        found = await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref), timeout=WITHIN)
        assert found.execution.state == execution_pb2.EXECUTION_STATE_RUNNING
        await runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=ref), timeout=WITHIN)


async def test_a_connection_the_server_ended_is_made_again_and_the_epoch_stays_ours(
    store: PostgresStore, dsn: str
) -> None:
    await store.append(batch(0), {})
    await ask(dsn, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'signoff %'")
    async with asyncio.timeout(WITHIN):
        while not store._writer.is_lost:  # noqa: ASYNC110 - asyncpg sends no event
            await asyncio.sleep(0)
    await store.append(batch(1), {})
    assert len(await store.read("a", 0, 10)) == 2 * BATCH


# ---------------------------------------------------------------- lines that lose


async def test_a_commit_whose_answer_is_lost_fails_and_is_found_by_the_next_read(
    line: tuple[StoreProxy, PostgresStore],
) -> None:
    bad, store = line
    await store.append(batch(0), {})  # the statement is known to the server now: the next request is all of a write
    bad.loses_answers = True
    with pytest.raises(StorageFailed, match="refused"):
        await store.append(batch(1), {})
    assert (await store.everything(0, 10))[0] == [*batch(0), *batch(1)]
    await store.append(batch(2), {})


@pytest.mark.guard(name="unknown outcome")
async def test_a_request_that_arrives_after_the_journal_was_read_again_changes_nothing(
    line: tuple[StoreProxy, PostgresStore],
) -> None:
    bad, store = line
    await store.append(batch(0), {})  # the statement is known to the server now: the next request is all of a write
    bad.keeps_requests = True
    lost = asyncio.create_task(store.append(batch(1), {"d": b"late"}))
    await asyncio.wait_for(bad.kept.wait(), WITHIN)
    bad.cut()
    with pytest.raises(StorageFailed):
        await asyncio.wait_for(lost, WITHIN)
    bad.keeps_requests = False
    assert (await store.everything(0, 10))[0] == batch(0)
    assert b"SO001" in await bad.deliver()
    assert (await store.everything(0, 10))[0] == batch(0)
    assert await store.content("d") is None
    await store.append([Row("b", 1, b"x")], {})


async def test_a_server_that_does_not_answer_is_given_up_after_the_lease(
    own_server: Server, own_dsn: str, short_folder: Path
) -> None:
    async with store_proxy(own_server.socket, short_folder, own_dsn) as (bad, dsn):
        store = PostgresStore(dsn, lease=1.0)
        await store.open()
        bad.keeps_requests = True
        with pytest.raises(StorageFailed, match="no answer in time"):
            await asyncio.wait_for(store.append(batch(0), {}), WITHIN)
        bad.keeps_requests = False
        await store.append(batch(0), {})
        await store.close()


async def test_a_caller_that_is_cancelled_does_not_tear_its_commit(store: PostgresStore) -> None:
    call = asyncio.create_task(store.append(batch(0), {}))
    await asyncio.sleep(0)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    await store.put_content("d", b"")  # the one writer has done what was before it
    assert await store.read("a", 0, 10) == batch(0)


async def test_what_is_asked_after_the_end_is_refused(dsn: str) -> None:
    store = PostgresStore(dsn)
    await store.open()
    await store.close()
    with pytest.raises(StorageFailed, match="was closed"):
        await store.append(batch(0), {})
    with pytest.raises(StorageFailed, match="was closed"):
        await store.read("a", 0, 10)


# ---------------------------------------------------------------- databases that refuse


async def test_a_write_the_database_refuses_leaves_nothing_and_later_ones_go_on(store: PostgresStore, dsn: str) -> None:
    await store.append(batch(0), {})
    await ask(dsn, "ALTER TABLE signoff.event ADD CONSTRAINT full_disk CHECK (sequence <> 6)")
    with pytest.raises(StorageFailed, match="full_disk"):
        await store.append(batch(1), {"d": b"body"})
    assert await store.content("d") is None
    assert await store.read("a", 0, 10) == batch(0)
    await ask(dsn, "ALTER TABLE signoff.event DROP CONSTRAINT full_disk")
    await store.append(batch(1), {"d": b"body"})
    first, position = await store.everything(0, BATCH)
    rest, end = await store.everything(position, 10)
    assert [*first, *rest] == [*batch(0), *batch(1)]
    assert end > 2 * BATCH, "the failed transaction has used up positions, and no reader minds the gap"


async def test_text_that_postgres_cannot_keep_is_refused(store: PostgresStore) -> None:
    with pytest.raises(StorageFailed, match="0x00"):
        await store.append([Row("a\0b", 1, b"x")], {})
    await store.append([Row("日本", 1, b"x")], {})
    assert await store.read("日本", 0, 1) == [Row("日本", 1, b"x")]


# ---------------------------------------------------------------- wrong addresses


async def refusal(dsn: str, kind: type[SignoffError]) -> str:
    """Returns the error of opening this; it is one line without a password."""
    with pytest.raises(kind) as refused:
        await PostgresStore(dsn).open()
    assert "\n" not in str(refused.value)
    for secret in (PASSWORD, quote(PASSWORD, safe=""), "secret"):
        assert secret not in str(refused.value)
    return str(refused.value)


async def test_a_host_that_is_down_is_named() -> None:
    said = await refusal("postgresql://me:secret@127.0.0.1:1/plans", StorageFailed)
    assert said.startswith("cannot open the database 127.0.0.1:1/plans: ")


async def test_a_host_that_is_not_known_is_named() -> None:
    said = await refusal("postgresql://me:secret@nowhere.invalid/plans", StorageFailed)
    assert said.startswith("cannot open the database nowhere.invalid/plans: ")


async def test_a_wrong_password_is_said_without_it(own_server: Server) -> None:
    said = await refusal(own_server.dsn.replace("signoff:", "signoff:secret"), StorageFailed)
    assert "password authentication failed" in said


async def test_a_database_that_is_not_there_is_named(own_server: Server) -> None:
    dsn = urlsplit(own_server.dsn)._replace(path="/nobody_made_this").geturl()
    said = await refusal(dsn, StorageFailed)
    assert f"{own_server.folder}/nobody_made_this" in said
    assert "does not exist" in said


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://me:sec/secret@host/plans",
        "postgresql://me:sec?secret@host/plans",
        "postgresql://me:12#secret@host/plans",
        "postgresql://me:[secret@host/plans",
        "postgresql://me:x@host:secret/plans",
        "postgresql://me:x@host/plans?sslmode=secret",
        "secret",
        "mysql://me:secret@host/plans",
        "",
    ],
)
async def test_what_cannot_be_read_as_a_dsn_is_refused_without_quoting_it(dsn: str) -> None:
    said = await refusal(dsn, ConfigurationError)
    assert said.startswith("expected a DSN such as postgresql://user:password@host:port/database")


async def test_a_missing_driver_is_said_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    said = await refusal("postgresql://me:secret@host/plans", ConfigurationError)
    assert "pip install '.[postgres]'" in said


async def test_an_old_content_that_is_put_again_is_not_dropped(store: PostgresStore, dsn: str) -> None:
    await store.append([], {"d1": b"one", "d2": b"two", "d3": b"three"})
    await ask(dsn, "UPDATE signoff.content SET put_at = 'epoch'")
    await store.put_content("d1", b"one")
    await store.append([Row("a", 1, b"x")], {"d2": b"two"})
    assert await store.sizes("", 10, 3600) == [("d3", 5)]
    assert await store.drop_contents(["d1", "d2", "d3"], 3600) == ["d3"]


async def test_an_old_content_that_a_start_is_about_to_name_is_not_dropped(store: PostgresStore, dsn: str) -> None:
    await store.append([], {"d1": b"one", "d2": b"two"})
    await ask(dsn, "UPDATE signoff.content SET put_at = 'epoch'")
    assert await store.renew_contents(["d1", "absent"]) == {"d1": 3}
    assert await store.drop_contents(["d1", "d2"], 3600) == ["d2"]
