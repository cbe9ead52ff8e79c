"""The removal of executions from the SQLite store: for readers at once, from the file in steps.

A journal in the table `removed` is gone for every reader. Its rows leave the file with `purge`, also after a restart.
"""

from __future__ import annotations

import sqlite3

from runner_svc.store.port import Purged, Removal

# guard: what is half removed is gone -> NOT_REMOVED = "1 = 1"
NOT_REMOVED = "journal NOT IN (SELECT journal FROM removed)"
PAGES_AT_ONCE = 1_000  # pages of 4 KiB that are given back in one step, in some milliseconds


def remove(db: sqlite3.Connection, removal: Removal) -> None:
    """Removes executions. The row of the runner's own stands after all of theirs, so no place is given out twice."""
    row = removal.row
    db.execute("INSERT INTO event (journal, sequence, body) VALUES (?, ?, ?)", (row.journal, row.sequence, row.body))
    whole = [(journal,) for journal in removal.whole]
    for table in ("listing", "execution_checkpoint"):
        db.executemany(f"DELETE FROM {table} WHERE journal = ?", whole)
    db.executemany("INSERT OR REPLACE INTO removed VALUES (?, 1)", whole)
    db.executemany("INSERT OR REPLACE INTO removed VALUES (?, 0)", [(journal,) for journal, _ in removal.histories])
    bodies = [(body, journal) for journal, body in removal.histories]
    db.executemany("UPDATE execution_checkpoint SET body = ? WHERE journal = ?", bodies)


def purge(db: sqlite3.Connection, limit: int) -> Purged:
    rows, left = 0, limit
    while left > 0:
        found = db.execute("SELECT journal, is_whole FROM removed LIMIT 1").fetchone()
        if found is None:
            return Purged(rows=rows, is_done=left == limit)
        journal, is_whole = found
        events = "position IN (SELECT position FROM event WHERE journal = ? LIMIT ?)"
        deleted = db.execute(f"DELETE FROM event WHERE {events}", (journal, left)).rowcount
        rows, left = rows + deleted, left - deleted
        if is_whole and left > 0:
            left -= _purge_tasks(db, journal, left)
        if left > 0:
            db.execute("DELETE FROM removed WHERE journal = ?", (journal,))
            left -= 1
    return Purged(rows=rows, is_done=False)


def _purge_tasks(db: sqlite3.Connection, journal: str, limit: int) -> int:
    tasks = "number IN (SELECT number FROM task_checkpoint WHERE journal = ? LIMIT ?)"
    query = f"DELETE FROM task_checkpoint WHERE journal = ? AND {tasks}"
    return db.execute(query, (journal, journal, limit)).rowcount


def shrink(db: sqlite3.Connection) -> bool:
    """Gives free pages back to the disk. A file of an earlier version keeps them, for what is written later."""
    before = _free_pages(db)
    db.execute(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})").fetchall()
    return 0 < _free_pages(db) < before


def _free_pages(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA freelist_count").fetchone()[0])
