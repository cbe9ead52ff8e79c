"""The contents of the SQLite store: put, brought under leases, renewed, and dropped.

A content that was brought under a lease stands in the table `staged` as well, until an event names it. It is taken out
of there, too, when it is put without a lease.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence, Set

from runner_svc.store.port import PUT_AGAIN_AFTER, STAGED_AT_ONCE, InObjects

_SIZE = "coalesce(object_size, length(body))"
# guard: what no event has named is there for its lease alone -> KEPT = "1 = 1"
KEPT = "digest NOT IN (SELECT digest FROM staged)"


def put_contents(
    db: sqlite3.Connection, contents: Mapping[str, bytes], objects: Mapping[str, int], named: Iterable[str]
) -> None:
    """Keeps contents; one that is there becomes young again, for an event may be about to speak of it.

    `objects`: the sizes of those that lie in the object store. `named`: contents that were brought under leases, and
    that an event names from now on.
    """
    _insert(db, contents, objects)
    digests = [*contents, *objects, *named]
    db.executemany("DELETE FROM staged WHERE digest = ?", [(digest,) for digest in digests])


def stage(db: sqlite3.Connection, lease: str, contents: Mapping[str, bytes], objects: Mapping[str, int]) -> None:
    """Keeps contents that were brought under a lease, for as long as that lasts."""
    digests = [*contents, *objects]
    # A content that is kept already stays kept: only those that are absent, or another lease's, are the lease's own.
    own = [
        digest
        for digest in digests
        if not db.execute(f"SELECT 1 FROM content WHERE digest = ? AND {KEPT}", (digest,)).fetchone()
    ]
    _insert(db, contents, objects)
    now = int(time.time())
    db.executemany("INSERT OR REPLACE INTO staged VALUES (?, ?, ?)", [(lease, digest, now) for digest in own])


def _insert(db: sqlite3.Connection, contents: Mapping[str, bytes], objects: Mapping[str, int]) -> None:
    now = int(time.time())
    rows: list[tuple[str, bytes, int | None, int, int]] = []
    rows += [(digest, body, None, now, PUT_AGAIN_AFTER) for digest, body in contents.items()]
    rows += [(digest, b"", size, now, PUT_AGAIN_AFTER) for digest, size in objects.items()]
    # guard: a content that is put again is young -> again = "put_at = put_at WHERE put_at < excluded.put_at - ?"
    again = "put_at = excluded.put_at WHERE put_at < excluded.put_at - ?"
    db.executemany(
        "INSERT INTO content (digest, body, object_size, put_at) VALUES (?, ?, ?, ?)"
        f" ON CONFLICT (digest) DO UPDATE SET {again}",
        rows,
    )


def content(db: sqlite3.Connection, digest: str) -> bytes | InObjects | None:
    found = db.execute("SELECT body, object_size FROM content WHERE digest = ?", (digest,)).fetchone()
    if found is None:
        return None
    body, size = found
    return body if size is None else InObjects(size)


def renew(db: sqlite3.Connection, digests: Sequence[str]) -> None:
    """Makes contents young again."""
    now = int(time.time())
    db.execute(
        f"UPDATE content SET put_at = ? WHERE digest IN ({_marks(digests)}) AND put_at < ?",
        (now, *digests, now - PUT_AGAIN_AFTER),
    )


def sizes_of(db: sqlite3.Connection, digests: Sequence[str], lease: str) -> Mapping[str, int]:
    """Returns the sizes of the contents that are there for a lease; for no lease: of those that are kept."""
    own = "digest IN (SELECT digest FROM staged WHERE lease = ?)"
    query = f"SELECT digest, {_SIZE} FROM content WHERE digest IN ({_marks(digests)}) AND ({KEPT} OR {own})"
    return dict(db.execute(query, (*digests, lease)).fetchall())


def known(db: sqlite3.Connection, digests: Sequence[str]) -> Set[str]:
    query = f"SELECT digest FROM content WHERE digest IN ({_marks(digests)})"
    return {row[0] for row in db.execute(query, tuple(digests))}


def sizes(db: sqlite3.Connection, after: str, limit: int, before: float) -> list[tuple[str, int]]:
    """Returns digests and sizes of kept contents that were last put before a time, in order."""
    query = f"SELECT digest, {_SIZE} FROM content WHERE digest > ? AND put_at < ? AND {KEPT} ORDER BY digest LIMIT ?"
    return db.execute(query, (after, before, limit)).fetchall()


def drop_contents(db: sqlite3.Connection, digests: Sequence[str], before: float) -> list[str]:
    """Removes kept contents that were last put before a time. Returns the digests of those that are gone."""
    query = f"DELETE FROM content WHERE digest = ? AND put_at < ? AND {KEPT} RETURNING digest"
    return [row[0] for digest in digests for row in db.execute(query, (digest, before)).fetchall()]


def drop_staged(db: sqlite3.Connection, leases: Set[str], before: float) -> list[tuple[str, int]]:
    """Removes some contents that were brought under other leases than these before a time, and their sizes."""
    staged = db.execute("SELECT lease, digest FROM staged WHERE staged_at < ?", (before,)).fetchall()
    gone: list[tuple[str, str]] = []
    for lease, digest in staged:
        # guard: what a living lease has brought stays -> if True:
        if lease not in leases:
            gone.append((lease, digest))
        if len(gone) == STAGED_AT_ONCE:
            break
    db.executemany("DELETE FROM staged WHERE lease = ? AND digest = ?", gone)
    query = f"DELETE FROM content WHERE digest = ? AND {KEPT} RETURNING digest, {_SIZE}"
    return [tuple(row) for digest in {digest for _, digest in gone} for row in db.execute(query, (digest,)).fetchall()]


def _marks(digests: Sequence[str]) -> str:
    return ", ".join("?" * len(digests))
