"""The floor's durable log: results are on the disk before a node that depends on them starts."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

_TABLE = "CREATE TABLE event (position INTEGER PRIMARY KEY, task_id TEXT, phase TEXT, at REAL, payload BLOB)"
_INSERT = "INSERT INTO event (task_id, phase, at, payload) VALUES (?, ?, ?, ?)"

Items = Sequence[Any]


class Log:
    """A log with group commit: one transaction takes all results that came while the last one was written."""

    def __init__(self, path: Path, synchronous: str, then: Callable[[Items], None]) -> None:
        self._then = then
        self._thread = ThreadPoolExecutor(1)
        self._db: sqlite3.Connection = self._thread.submit(_connect, path, synchronous).result()
        self._pending: list[Any] = []
        self._writing: asyncio.Task[None] | None = None

    def add(self, items: Items) -> None:
        """Adds results. Calls `then` with them once they are on the disk."""
        self._pending.extend(items)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        while self._pending:
            items, self._pending = self._pending, []
            await asyncio.get_running_loop().run_in_executor(self._thread, self._commit, items)
            self._then(items)
        self._writing = None

    def _commit(self, items: Items) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany(_INSERT, [(item.id, item.phase, item.at, item.payload) for item in items])
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._thread.submit(self._db.close).result()
        self._thread.shutdown()


def _connect(path: Path, synchronous: str) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute(f"PRAGMA synchronous={synchronous}")
    db.execute(_TABLE)
    return db
