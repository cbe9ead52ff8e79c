"""Faults of a store on a disk."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib import resources
from pathlib import Path
from types import SimpleNamespace

import pytest

from runner_svc.store import sqlite
from runner_svc.store.port import Checkpoint, Checkpointed, Listed, ListingQuery, Removal, Row, Store
from runner_svc.store.sqlite import SqliteStore
from signoff.errors import ConfigurationError, JournalBroken, OwnershipLost, StorageFailed
from tests.runner_svc.store import test_conformance as all_stores
from tests.runner_svc.test_term_parts import remove

PAGE = 4096  # bytes of a page of a file


@pytest.mark.guard(name="one runner in a folder")
async def test_a_second_runner_is_kept_out_and_told_why(tmp_path: Path) -> None:
    first, second = SqliteStore(tmp_path / "journal.db"), SqliteStore(tmp_path / "journal.db")
    await first.open()
    with pytest.raises(ConfigurationError, match="another runner is using it"):
        await second.open()
    await second.close()
    await first.close()


def damage(file: Path) -> None:
    """Writes over some pages in the middle of a file."""
    pages = bytearray(file.read_bytes())
    middle = len(pages) // PAGE // 2 * PAGE
    pages[middle : middle + 5 * PAGE] = b"\xff" * (5 * PAGE)
    file.write_bytes(pages)


@pytest.mark.guard(name="a broken journal is told from a busy one")
async def test_a_damaged_journal_is_named_with_what_to_do(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "journal.db")
    await store.open()
    await store.append([Row("a", number, b"x" * 3000) for number in range(1, 101)], {})
    await store.close()
    damage(tmp_path / "journal.db")
    store = SqliteStore(tmp_path / "journal.db")
    await store.open()
    with pytest.raises(JournalBroken, match=r"journal\.db is broken \(.* malformed\): restore a backup with `signoff"):
        await store.everything(0, 1000)
    await store.close()


@pytest.mark.guard(name="a broken journal is told from a busy one")
async def test_a_file_that_is_no_journal_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_text("no database at all")
    store = SqliteStore(tmp_path / "journal.db")
    with pytest.raises(JournalBroken, match=r"journal\.db is broken \(file is not a database\)"):
        await store.open()
    await store.close()


# ---------------------------------------------------------------- whose the file is

WRITES: dict[str, Callable[[SqliteStore], Awaitable[object]]] = {
    "append": lambda store: store.append([Row("a", 1, b"x")], {}),
    "checkpoint": lambda store: store.checkpoint(Checkpoint(runner=b"", executions=[], tasks=[])),
    "remove": lambda store: store.remove(Removal(row=Row("", 1, b"pruned"))),
    "purge": lambda store: store.purge(10),
    "put_map": lambda store: store.put_map("key", [b"part"]),
    "drop_map": lambda store: store.drop_map("key"),
    "put_content": lambda store: store.put_content("d", b"body"),
    "put_object": lambda store: store.put_object("d", 9),
    "stage": lambda store: store.stage("lease", {"d": b"body"}, {}),
    "drop_staged": lambda store: store.drop_staged(set(), 0.0),
    "drop_contents": lambda store: store.drop_contents(["d"], 0.0),
    "renew_contents": lambda store: store.renew_contents(["d"]),
    "list_anew": lambda store: store.list_anew([]),
}


@contextlib.asynccontextmanager
async def robbed(folder: Path) -> AsyncIterator[tuple[SqliteStore, SqliteStore]]:
    """A store whose lock was removed, and the second one that was opened then."""
    first, second = SqliteStore(folder / "journal.db"), SqliteStore(folder / "journal.db")
    await first.open()
    (folder / "journal.lock").unlink()
    await second.open()
    yield first, second
    await second.close()
    await first.close()


@contextlib.asynccontextmanager
async def removed(folder: Path, *, another: bool = False) -> AsyncIterator[SqliteStore]:
    """A store whose file was removed while it was open; `another`: with another file in its place."""
    store = SqliteStore(folder / "journal.db")
    await store.open()
    remove(folder / "journal.db")
    if another:
        (folder / "journal.db").touch()
    yield store
    await store.close()


@pytest.mark.guard(name="one epoch writes")
@pytest.mark.guard(name="each write asks for its owner")
@pytest.mark.parametrize("name", WRITES)
async def test_a_runner_whose_lock_was_removed_writes_nothing_once_another_one_has_the_journal(
    tmp_path: Path, name: str
) -> None:
    async with robbed(tmp_path) as (first, second):
        with pytest.raises(OwnershipLost, match="since epoch 1, but another one has opened it in epoch 2"):
            await WRITES[name](first)
        assert await second.everything(0, 9) == ([], 0)
        await WRITES[name](second)


@pytest.mark.guard(name="a removed journal is missed")
@pytest.mark.guard(name="each write asks for its owner")
@pytest.mark.parametrize("another", [False, True])
async def test_nothing_is_said_to_be_kept_in_a_journal_that_was_removed(tmp_path: Path, another: bool) -> None:
    async with removed(tmp_path, another=another) as store:
        with pytest.raises(OwnershipLost, match="it was removed or replaced: nothing more would be kept"):
            await store.append([Row("a", 1, b"x")], {})


@pytest.mark.guard(name="no state is built of a lost journal")
async def test_no_state_is_built_of_a_journal_that_is_another_runners_or_gone(tmp_path: Path) -> None:
    async with robbed(tmp_path) as (first, _):
        with pytest.raises(OwnershipLost):
            await first.checkpointed()


async def test_a_runner_that_writes_nothing_misses_its_journal_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "LOOK_EVERY", 0.0)
    async with removed(tmp_path) as store:
        with pytest.raises(OwnershipLost):
            await asyncio.wait_for(store.owned(), timeout=10.0)


@pytest.mark.guard(name="newer journal")
async def test_a_journal_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    store = SqliteStore(path)
    with pytest.raises(ConfigurationError, match="version 99: upgrade signoff"):
        await store.open()
    await store.close()


@pytest.mark.guard(name="older journal")
async def test_a_journal_of_the_first_version_is_migrated_and_keeps_what_it_has(tmp_path: Path) -> None:
    first = resources.files("runner_svc.store") / "migrations" / "0001_journal.sql"
    with contextlib.closing(sqlite3.connect(tmp_path / "journal.db")) as db:
        db.executescript(f"{first.read_text()}; PRAGMA user_version = 1; UPDATE runner SET epoch = 7;")
        db.execute("INSERT INTO event (journal, sequence, body) VALUES ('a', 1, x'00')")
        db.commit()
    store = SqliteStore(tmp_path / "journal.db")
    assert await store.open() == 8
    assert await store.read("a", 0, 10) == [Row("a", 1, b"\0")]
    await store.checkpoint(Checkpoint(runner=b"own", executions=[("a", b"A")], tasks=[("a", 0, b"A0")]))
    assert (await store.checkpointed()).position == 1
    await store.close()


@pytest.mark.guard(name="the index is kept with the journal")
async def test_a_row_of_the_index_is_there_as_soon_as_its_events_are(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "journal.db")
    await store.open()
    listed = Listed(journal="a", plan_id="plan", state=6, needs=0, created_at=1.0, text="a")
    await store.append([Row("a", 1, b"x")], {}, [listed])
    assert await store.listed(ListingQuery(older=None, limit=9, states=[6])) == [(1, "a")]
    await store.close()


@pytest.mark.guard(name="a row that is missing is made anew")
@pytest.mark.parametrize("table", ["runner_checkpoint", "listing_state"])
async def test_a_table_that_has_lost_its_one_row_gets_it_again(tmp_path: Path, table: str) -> None:
    async with emptied(tmp_path, table) as store:
        assert await store.read("a", 0, 9) == [Row("a", 1, b"x")]
        assert await store.checkpointed() == Checkpointed(position=0, runner=b"", executions=[b"A"])
        await store.list_anew([])
        await store.checkpoint(Checkpoint(runner=b"own", executions=[], tasks=[]))
        assert (await store.is_listed(), (await store.checkpointed()).position) == (True, 1)


@pytest.mark.guard(name="an epoch after a row that is missing")
async def test_no_epoch_comes_twice_although_the_row_of_it_is_gone(tmp_path: Path) -> None:
    async with emptied(tmp_path, "runner") as store:
        await store.append([Row("a", 2, b"x")], {})
        with contextlib.closing(sqlite3.connect(tmp_path / "journal.db")) as db:
            assert db.execute("SELECT epoch > 1000000000 FROM runner").fetchall() == [(1,)]


@contextlib.asynccontextmanager
async def emptied(folder: Path, table: str) -> AsyncIterator[SqliteStore]:
    """A store of which a table was emptied before it was opened again."""
    path = folder / "journal.db"
    store = SqliteStore(path)
    await store.open()
    await store.append([Row("a", 1, b"x")], {})
    await store.checkpoint(Checkpoint(runner=b"", executions=[("a", b"A")], tasks=[]))
    await store.close()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE runner_checkpoint SET position = 0")
        db.execute(f"DELETE FROM {table}")
        db.commit()
    store = SqliteStore(path)
    await store.open()
    yield store
    await store.close()


@pytest.mark.guard(name="a full disk is said")
async def test_a_disk_that_is_full_before_the_start_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    (tmp_path / "journal.db").mkdir()  # so that SQLite cannot open it, as on a disk without room
    store = SqliteStore(tmp_path / "journal.db")
    with pytest.raises(StorageFailed, match=r"journal\.db refused: .*; the disk is full"):
        await store.open()
    await store.close()


async def test_a_disk_with_room_is_not_called_full(tmp_path: Path) -> None:
    (tmp_path / "journal.db").mkdir()
    store = SqliteStore(tmp_path / "journal.db")
    with pytest.raises(StorageFailed, match=r"unable to open database file$"):
        await store.open()
    await store.close()


async def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    store = SqliteStore(tmp_path / "file" / "journal.db")
    with pytest.raises(StorageFailed, match="cannot open the journal"):
        await store.open()
    await store.close()


@pytest.mark.guard(name="one transaction a turn")
async def test_a_full_disk_leaves_nothing_half_written_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "journal.db")
    await store.open()
    pages = await store._writer.run(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
    await store._writer.run(lambda db: db.execute(f"PRAGMA max_page_count = {pages + 2}"))
    with pytest.raises(StorageFailed, match="full"):
        await store.append([Row("a", 1, b"x")], {"small": b"y", "d": b"y" * 100_000})
    assert await store.read("a", 0, 10) == []
    assert await store.content("small") is None
    await store._writer.run(lambda db: db.execute("PRAGMA max_page_count = 1000000"))
    await store.append([Row("a", 1, b"x")], {"d": b"y" * 100_000})
    assert await store.read("a", 0, 10) == [Row("a", 1, b"x")]
    await store.close()


async def test_a_caller_that_is_cancelled_does_not_tear_its_commit(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "journal.db")
    await store.open()
    call = asyncio.create_task(store.append([Row("a", 1, b"x"), Row("a", 2, b"x")], {}))
    await asyncio.sleep(0)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    await store.append([], {})  # the one writer thread has done what was before it
    assert len(await store.read("a", 0, 10)) in (0, 2)
    await store.close()


@pytest.mark.guard(name="next row only")
async def test_a_row_after_a_gap_is_refused(tmp_path: Path) -> None:
    """The schema refuses a row that comes twice; the store's own check refuses a gap."""
    store = SqliteStore(tmp_path / "journal.db")
    await store.open()
    with pytest.raises(StorageFailed, match="expected row 1 of journal 'a', but got 2"):
        await store.append([Row("a", 2, b"x")], {})
    await store.close()


@pytest.mark.guard(name="a content that is put again is young")
async def test_an_old_content_that_is_put_again_is_not_dropped(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "journal.db")
    await store.open()
    await store.append([], {"d1": b"one", "d2": b"two", "d3": b"three"})
    with contextlib.closing(sqlite3.connect(tmp_path / "journal.db")) as db:
        db.execute("UPDATE content SET put_at = 0")
        db.commit()
    await store.put_content("d1", b"one")
    await store.append([Row("a", 1, b"x")], {"d2": b"two"})
    assert await store.sizes("", 10, 3600) == [("d3", 5)]
    assert await store.drop_contents(["d1", "d2", "d3"], 3600) == ["d3"]
    await store.close()


@pytest.mark.guard(name="contents that a start names are young")
async def test_an_old_content_that_a_start_is_about_to_name_is_not_dropped(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "journal.db")
    await store.open()
    await store.append([], {"d1": b"one", "d2": b"two"})
    with contextlib.closing(sqlite3.connect(tmp_path / "journal.db")) as db:
        db.execute("UPDATE content SET put_at = 0")
        db.commit()
    assert await store.renew_contents(["d1", "absent"]) == {"d1": 3}
    assert await store.drop_contents(["d1", "d2"], 3600) == ["d2"]
    await store.close()


@pytest.mark.guard(name="what is half removed is gone")
async def test_a_journal_that_is_half_purged_is_gone_for_a_runner_that_starts(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "journal.db")
    await store.open()
    await store.append([Row("a", sequence, b"x") for sequence in range(1, 10)], {})
    await store.remove(Removal(row=Row("", 1, b"pruned"), whole=["a"]))
    await store.purge(2)
    await store.close()
    store = SqliteStore(tmp_path / "journal.db")
    await store.open()
    assert (await store.everything(0, 100))[0] == [Row("", 1, b"pruned")]
    await store.close()


async def test_the_room_of_what_was_removed_is_given_back_to_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    store = SqliteStore(path)
    await store.open()
    await store.append([Row("a", 1, bytes(8 * 1024 * 1024))], {})
    await store.remove(Removal(row=Row("", 1, b"pruned"), whole=["a"]))
    while not (await store.purge(100)).is_done:
        pass
    while await store.shrink():
        pass
    await store.close()
    assert path.stat().st_size < 1024 * 1024


@pytest.mark.guard(name="a checkpoint is read in the order of the index")
async def test_a_checkpoint_is_read_in_the_order_of_the_index(tmp_path: Path) -> None:
    await _plays(tmp_path, all_stores.test_a_checkpoint_is_read_in_the_order_of_the_index)


# ---------------------------------------------------------------- what is brought under leases


@pytest.mark.guard(name="what no event has named is there for its lease alone")
async def test_what_no_event_has_named_is_for_its_lease_alone(tmp_path: Path) -> None:
    await _plays(
        tmp_path, all_stores.test_what_was_brought_under_a_lease_is_for_that_lease_alone_until_an_event_names_it
    )


@pytest.mark.guard(name="what an event names stays")
async def test_what_an_event_names_stays(tmp_path: Path) -> None:
    await _plays(tmp_path, all_stores.test_what_no_event_has_named_is_dropped_after_its_lease)


@pytest.mark.guard(name="what a living lease has brought stays")
async def test_what_a_living_lease_has_brought_stays_there(tmp_path: Path) -> None:
    await _plays(tmp_path, all_stores.test_what_a_living_lease_has_brought_stays)


async def _plays(folder: Path, story: Callable[[Store], Awaitable[None]]) -> None:
    """Plays a test of all stores over this one alone."""
    store = SqliteStore(folder / "journal.db")
    await store.open()
    try:
        await story(store)
    finally:
        await store.close()
