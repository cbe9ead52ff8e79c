"""Ownership of a journal file: one runner at a time, by a lock beside it, and by an epoch that each write compares.

The lock keeps a second runner out. A person can remove it, or the journal itself, while a runner works: the epoch and
the place of the file on its disk then tell the runner that what it writes is not kept.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from pathlib import Path

from signoff.errors import ConfigurationError, OwnershipLost, StorageFailed

LOOK_EVERY = 5.0  # seconds between two looks of a runner that writes nothing

#: Without its row, the journal has a new id as well.
_MISSING = """INSERT INTO runner (epoch, journal_id) SELECT ?, lower(hex(randomblob(16)))
    WHERE NOT EXISTS (SELECT 1 FROM runner)"""


class Ownership:
    """A runner's ownership of a journal file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: int | None = None
        self._epoch = 0
        self._place: tuple[int, int] | None = None  # of the file: device and inode

    def lock(self) -> None:
        """Keeps others out. Raises ConfigurationError when another runner has the file, or StorageFailed."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(self._path.with_suffix(".lock"))
        except OSError as error:
            raise StorageFailed(f"cannot open the journal {self._path}: {error}") from error

    def take(self, db: sqlite3.Connection) -> int:
        """Begins an epoch, and returns it."""
        # An epoch counts how often the file was opened. The seconds since 1970 are more than any count: should the row
        # be gone, no epoch comes a second time.
        # guard: an epoch after a row that is missing -> pass
        db.execute(_MISSING, (int(time.time()),))
        self._epoch = int(db.execute("UPDATE runner SET epoch = epoch + 1 RETURNING epoch").fetchall()[0][0])
        self._place = _place(self._path)
        return self._epoch

    def check(self, db: sqlite3.Connection) -> None:
        """Raises OwnershipLost when another runner has opened the file since, or when the file is gone."""
        # guard: a removed journal is missed -> if False:
        if _place(self._path) != self._place:
            raise OwnershipLost(
                f"expected the journal {self._path} to stay where it is while a runner works, but it was removed or "
                "replaced: nothing more would be kept"
            )
        found = db.execute("SELECT max(epoch) FROM runner").fetchone()[0]
        # guard: one epoch writes -> if False:
        if found != self._epoch:
            raise OwnershipLost(
                f"expected this runner to own the journal {self._path} since epoch {self._epoch}, but another one has "
                f"opened it in epoch {found}"
            )

    def release(self) -> None:
        """Lets another runner open the file."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _lock(path: Path) -> int:
    """Locks the file for as long as the process lives; the kernel releases it when the process dies."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        # guard: one runner in a folder -> pass
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        folder = path.parent
        raise ConfigurationError(
            f"expected {folder} to be free, but another runner is using it: end that one, or choose another --data-dir"
        ) from None
    return file


def _place(path: Path) -> tuple[int, int] | None:
    """Returns where a file lies on its disk. None: there is none. Raises StorageFailed when the disk does not say."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StorageFailed(f"cannot look for the journal {path}: {error}") from error
    return found.st_dev, found.st_ino
