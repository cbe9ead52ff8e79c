"""The default store: one SQLite file in WAL mode with synchronous=FULL.

One thread owns the writing connection, one the reading connection, and one that of searches: a long read never delays a
commit, and a long search no read. The
caller batches (group commit): a transaction costs one fsync however many rows it has.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from typing import TypeVar

import structlog

from runner_svc.store import sqlite_contents as contents_table
from runner_svc.store.journal_names import journals_until
from runner_svc.store.listing_query import checkpointed_in_order, conditions, listed_from
from runner_svc.store.port import (
    Checkpoint,
    Checkpointed,
    InObjects,
    Listed,
    ListingQuery,
    Purged,
    Removal,
    Row,
)
from runner_svc.store.sqlite_ownership import LOOK_EVERY, Ownership
from runner_svc.store.sqlite_removal import NOT_REMOVED, purge, remove, shrink
from signoff.errors import ConfigurationError, JournalBroken, OwnershipLost, StorageFailed

log = structlog.get_logger(__name__)

T = TypeVar("T")

_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_PRIMARY = 0xFF  # the bits of an error code that say its kind
#: Tables of one row, as the migrations left them. Without its row, a runner would never start again.
_SINGLE_ROWS = {"runner_checkpoint": "0, x''", "listing_state": "0"}
NEEDED = 64 * 1024  # bytes of a disk: with less, SQLite cannot even begin


class SqliteStore:
    """A store in `path`; `path` with the suffix `.lock` keeps a second runner out."""

    def __init__(self, path: Path) -> None:
        self._ownership = Ownership(path)
        self._writer = _Connection(path, "writer")
        self._reader = _Connection(path, "reader")
        self._searcher = _Connection(path, "searcher")

    async def open(self) -> int:
        self._ownership.lock()
        await self._writer.run(_connect_writer)
        epoch = await self._writer.run(self._ownership.take)
        await self._reader.run(lambda db: None)
        return epoch

    async def owned(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self._reader.run(self._ownership.check)
            except OwnershipLost:
                raise
            except StorageFailed as failure:
                log.warning("ownership_unknown", error=str(failure))

    async def journal_id(self) -> str:
        query = "SELECT journal_id FROM runner"
        return await self._reader.run(lambda db: str(db.execute(query).fetchone()[0]))

    async def append(
        self,
        rows: Sequence[Row],
        contents: Mapping[str, bytes],
        listed: Sequence[Listed] = (),
        named: Sequence[str] = (),
    ) -> None:
        await self._write(lambda db: _append(db, rows, contents, listed, named))

    async def everything(self, after: int, limit: int) -> tuple[Sequence[Row], int]:
        query = "SELECT journal, sequence, body, position FROM event WHERE"
        query += f" position > ? AND {NOT_REMOVED} ORDER BY position LIMIT ?"
        found = await self._reader.run(lambda db: db.execute(query, (after, limit)).fetchall())
        return [Row(*row[:3]) for row in found], found[-1][3] if found else after

    async def read(self, journal: str, after: int, limit: int) -> Sequence[Row]:
        query = "SELECT journal, sequence, body FROM event WHERE journal = ? AND sequence > ?"
        query += f" AND {NOT_REMOVED} ORDER BY sequence LIMIT ?"
        return await self._reader.run(lambda db: [Row(*row) for row in db.execute(query, (journal, after, limit))])

    async def heads(self, journals: Sequence[str]) -> Mapping[str, int]:
        return await self._reader.run(lambda db: {journal: _head(db, journal) for journal in journals})

    async def journals(self, until: int) -> Sequence[str]:
        return await self._reader.run(lambda db: [row[0] for row in db.execute(journals_until("?"), (until,))])

    async def put_content(self, digest: str, body: bytes) -> None:
        await self.append((), {digest: body})

    async def put_object(self, digest: str, size: int) -> None:
        await self._write(lambda db: contents_table.put_contents(db, {}, {digest: size}, ()))

    async def stage(self, lease: str, contents: Mapping[str, bytes], objects: Mapping[str, int]) -> None:
        await self._write(lambda db: contents_table.stage(db, lease, contents, objects))

    async def content(self, digest: str) -> bytes | InObjects | None:
        return await self._reader.run(lambda db: contents_table.content(db, digest))

    async def renew_contents(self, digests: Sequence[str], lease: str = "") -> Mapping[str, int]:
        def renewed(db: sqlite3.Connection) -> Mapping[str, int]:
            # guard: contents that a start names are young -> pass
            contents_table.renew(db, digests)
            return contents_table.sizes_of(db, digests, lease)

        return await self._write(renewed)

    async def is_object(self, digest: str) -> bool:
        query = "SELECT object_size IS NOT NULL FROM content WHERE digest = ?"
        found = await self._reader.run(lambda db: db.execute(query, (digest,)).fetchone())
        return bool(found and found[0])

    async def known_contents(self, digests: Sequence[str]) -> Set[str]:
        return await self._reader.run(lambda db: contents_table.known(db, digests))

    async def drop_staged(self, leases: Set[str], older_than: float) -> Sequence[tuple[str, int]]:
        before = time.time() - older_than
        return await self._write(lambda db: contents_table.drop_staged(db, leases, before))

    async def put_map(self, key: str, parts: Sequence[bytes]) -> None:
        rows = [(key, number, part) for number, part in enumerate(parts)]
        await self._write(lambda db: _put_map(db, rows))

    async def map_parts(self, key: str) -> Sequence[bytes] | None:
        query = "SELECT body FROM map_part WHERE key = ? ORDER BY part"
        found = await self._reader.run(lambda db: [row[0] for row in db.execute(query, (key,))])
        return found or None

    async def map_part(self, key: str, after: int) -> tuple[int, bytes] | None:
        query = "SELECT part, body FROM map_part WHERE key = ? AND part > ? ORDER BY part LIMIT 1"
        found: tuple[int, bytes] | None = await self._reader.run(lambda db: db.execute(query, (key, after)).fetchone())
        return found

    async def checkpoint(self, taken: Checkpoint) -> None:
        await self._write(lambda db: _put_checkpoint(db, taken))

    async def checkpointed(self) -> Checkpointed:
        # guard: no state is built of a lost journal -> pass
        await self._reader.run(self._ownership.check)
        return await self._reader.run(_checkpointed)

    async def checkpointed_tasks(self, journal: str) -> Sequence[tuple[int, bytes]]:
        query = "SELECT number, body FROM task_checkpoint WHERE journal = ?"
        return await self._reader.run(lambda db: db.execute(query, (journal,)).fetchall())

    async def checkpointed_task(self, journal: str, number: int) -> bytes | None:
        query = "SELECT body FROM task_checkpoint WHERE journal = ? AND number = ?"
        found = await self._reader.run(lambda db: db.execute(query, (journal, number)).fetchone())
        return found[0] if found else None

    async def is_listed(self) -> bool:
        query = "SELECT is_whole FROM listing_state"
        return await self._reader.run(lambda db: bool(db.execute(query).fetchone()[0]))

    async def list_anew(self, listed: Sequence[Listed], *, is_whole: bool = True) -> None:
        await self._write(lambda db: _list_anew(db, listed, is_whole))

    async def listed(self, query: ListingQuery) -> Sequence[tuple[int, str]]:
        return await self._searcher.run(lambda db: _listed(db, query))

    async def count_listed(self) -> int:
        return await self._reader.run(lambda db: int(db.execute("SELECT count(*) FROM listing").fetchone()[0]))

    async def listed_as(self, journal: str) -> Listed | None:
        query = "SELECT plan_id, state, needs, created_at, text FROM listing WHERE journal = ?"
        found = await self._reader.run(lambda db: db.execute(query, (journal,)).fetchone())
        return listed_from(journal, found) if found else None

    # ------------------------------------------------------------ what a prune takes away

    async def remove(self, removal: Removal) -> None:
        await self._write(lambda db: _remove(db, removal))

    async def purge(self, limit: int) -> Purged:
        return await self._write(lambda db: purge(db, limit))

    async def sizes(self, after: str, limit: int, older_than: float) -> Sequence[tuple[str, int]]:
        before = time.time() - older_than
        return await self._searcher.run(lambda db: contents_table.sizes(db, after, limit, before))

    async def drop_contents(self, digests: Sequence[str], older_than: float) -> Sequence[str]:
        before = time.time() - older_than
        return await self._write(lambda db: contents_table.drop_contents(db, digests, before))

    async def maps(self, after: str, limit: int) -> Sequence[str]:
        query = "SELECT DISTINCT key FROM map_part WHERE key > ? ORDER BY key LIMIT ?"
        return await self._searcher.run(lambda db: [row[0] for row in db.execute(query, (after, limit))])

    async def drop_map(self, key: str) -> None:
        await self._write(lambda db: db.execute("DELETE FROM map_part WHERE key = ?", (key,)))

    async def shrink(self) -> bool:
        return await self._writer.run(shrink)

    async def close(self) -> None:
        await self._searcher.close()
        await self._reader.close()
        await self._writer.close()
        self._ownership.release()

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Does work in one transaction. Raises OwnershipLost, with nothing written, when the journal is lost."""

        def owned(db: sqlite3.Connection) -> T:
            # guard: each write asks for its owner -> pass
            self._ownership.check(db)
            return work(db)

        return await self._writer.run(lambda db: _transaction(db, lambda: owned(db)))


class _Connection:
    """A connection and the one thread that uses it."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"sqlite-{name}")
        self._db: sqlite3.Connection | None = None

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Runs `work` in the thread. It runs to its end even when the caller is cancelled: a commit has no middle."""
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._thread, self._work, work))

    def _work(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            if self._db is None:
                self._db = sqlite3.connect(self._path, isolation_level=None, timeout=10.0)
            return work(self._db)
        except sqlite3.Error as error:
            # guard: a broken journal is told from a busy one -> if False:
            if getattr(error, "sqlite_errorcode", 0) & _PRIMARY in _BROKEN:
                raise JournalBroken(
                    f"expected a journal that can be read, but {self._path} is broken ({error}): restore a backup with "
                    "`signoff restore FILE --into DIR`, and start on that data directory"
                ) from error
            # Of a disk that is full when it begins, SQLite says no more than "disk I/O error".
            # guard: a full disk is said -> why = ""
            why = "; the disk is full" if _is_full(self._path.parent) else ""
            raise StorageFailed(f"the journal {self._path} refused: {error}{why}") from error

    async def close(self) -> None:
        def close(db: sqlite3.Connection) -> None:
            db.close()
            self._db = None

        if self._db is not None:
            await self.run(close)
        self._thread.shutdown()


def _is_full(folder: Path) -> bool:
    """Tells whether a disk has no room left for a write."""
    try:
        return shutil.disk_usage(folder).free < NEEDED
    except OSError:
        return False  # then it is the folder that is missing


def _connect_writer(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA auto_vacuum=INCREMENTAL")  # of a new file: then a prune gives room back to the disk
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")  # a commit is on the disk when it returns; group commit makes it cheap
    # guard: older journal ->
    #     if db.execute("PRAGMA user_version").fetchone()[0] == 0:
    #         _migrate(db)
    _migrate(db)


def _migrate(db: sqlite3.Connection) -> None:
    """Runs the numbered scripts that have not run on the file. Its user_version is the number of the last one."""
    folder = resources.files("runner_svc.store") / "migrations"
    scripts = sorted((file.name, file.read_text()) for file in folder.iterdir() if file.name.endswith(".sql"))
    version = db.execute("PRAGMA user_version").fetchone()[0]
    # guard: newer journal -> if version < 0:
    if version > len(scripts):
        raise ConfigurationError(
            f"expected a journal of version {len(scripts)} or older, but it has version {version}: upgrade signoff"
        )
    for number, (_, script) in enumerate(scripts, start=1):
        if number > version:
            db.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")
    for table, values in _SINGLE_ROWS.items():
        # guard: a row that is missing is made anew -> pass
        db.execute(f"INSERT INTO {table} SELECT {values} WHERE NOT EXISTS (SELECT 1 FROM {table})")


def _append(
    db: sqlite3.Connection,
    rows: Sequence[Row],
    contents: Mapping[str, bytes],
    listed: Sequence[Listed],
    named: Sequence[str],
) -> None:
    # guard: next row only -> (removed)
    _check_sequences(db, rows)
    # guard: what an event names stays -> contents_table.put_contents(db, contents, {}, ())
    contents_table.put_contents(db, contents, {}, named)
    db.executemany(
        "INSERT INTO event (journal, sequence, body) VALUES (?, ?, ?)",
        [(row.journal, row.sequence, row.body) for row in rows],
    )
    # guard: the index is kept with the journal -> pass
    _list(db, listed)


def _list(db: sqlite3.Connection, listed: Sequence[Listed]) -> None:
    db.executemany(
        "INSERT INTO listing (journal, plan_id, state, needs, created_at, text) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (journal) DO UPDATE SET state = excluded.state, needs = excluded.needs",
        [(each.journal, each.plan_id, each.state, each.needs, each.created_at, each.text) for each in listed],
    )


def _list_anew(db: sqlite3.Connection, listed: Sequence[Listed], is_whole: bool) -> None:
    db.execute("DELETE FROM listing")
    _list(db, listed)
    db.execute("UPDATE listing_state SET is_whole = ?", (is_whole,))


def _listed(db: sqlite3.Connection, query: ListingQuery) -> list[tuple[int, str]]:
    values: list[object] = []

    def mark(value: object) -> str:
        values.append(value)
        return "?"

    where = conditions(query, mark, contains="instr")
    found = db.execute(
        f"SELECT number, journal FROM listing WHERE {where} ORDER BY number DESC LIMIT {query.limit:d}", values
    )
    return found.fetchall()


def _remove(db: sqlite3.Connection, removal: Removal) -> None:
    _check_sequences(db, [removal.row])
    remove(db, removal)


def _check_sequences(db: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Raises StorageFailed for a gap: the uniqueness of (journal, sequence) alone would allow one."""
    heads: dict[str, int] = {}
    for row in rows:
        if row.journal not in heads:
            heads[row.journal] = _head(db, row.journal)
        if row.sequence != heads[row.journal] + 1:
            expected = heads[row.journal] + 1
            raise StorageFailed(f"expected row {expected} of journal {row.journal!r}, but got {row.sequence}")
        heads[row.journal] = row.sequence


def _head(db: sqlite3.Connection, journal: str) -> int:
    """Returns the last sequence of a journal."""
    query = f"SELECT coalesce(max(sequence), 0) FROM event WHERE journal = ? AND {NOT_REMOVED}"
    return int(db.execute(query, (journal,)).fetchone()[0])


def _put_map(db: sqlite3.Connection, rows: Sequence[tuple[str, int, bytes]]) -> None:
    db.executemany("INSERT OR IGNORE INTO map_part VALUES (?, ?, ?)", rows)


def _put_checkpoint(db: sqlite3.Connection, taken: Checkpoint) -> None:
    position = "(SELECT coalesce(max(position), 0) FROM event)"
    db.execute(f"UPDATE runner_checkpoint SET position = {position}, body = ?", (taken.runner,))
    db.executemany(
        "INSERT INTO execution_checkpoint (journal, body) VALUES (?, ?)"
        " ON CONFLICT (journal) DO UPDATE SET body = excluded.body",
        taken.executions,
    )
    db.executemany("INSERT OR REPLACE INTO task_checkpoint VALUES (?, ?, ?)", taken.tasks)


def _checkpointed(db: sqlite3.Connection) -> Checkpointed:
    position, runner = db.execute("SELECT position, body FROM runner_checkpoint").fetchone()
    executions = [row[0] for row in db.execute(checkpointed_in_order())]
    return Checkpointed(position=position, runner=runner, executions=executions)


def _transaction(db: sqlite3.Connection, write: Callable[[], T]) -> T:
    # guard (4 lines): one transaction a turn ->
    #     try:
    #         done = write()
    db.execute("BEGIN IMMEDIATE")
    try:
        done = write()
        db.execute("COMMIT")
    except BaseException:  # also errors of Python, such as a number that is too large for a column
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return done
