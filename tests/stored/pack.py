"""A data folder as one small file, and back."""

from __future__ import annotations

import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

from signoff.files.data_directory import JOURNAL

_LEFT_OUT = {"logs", "journal.lock", "runner.address", "journal.db-wal", "journal.db-shm"}


def pack(data: Path, archive: Path) -> None:
    """Writes a data folder that no runner uses any more; SQLite's log goes into the journal first."""
    if (data / JOURNAL).exists():
        with closing(sqlite3.connect(data / JOURNAL)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            db.execute("VACUUM")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with tarfile.open(archive, "w:xz", preset=9) as tar:
        for path in sorted(data.rglob("*")):
            if not _LEFT_OUT.intersection(path.relative_to(data).parts) and path.is_file():
                tar.add(path, str(path.relative_to(data)), filter=_nameless)


def _nameless(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Returns an entry without the user who made it."""
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


def unpack(archive: Path, data: Path) -> None:
    """Makes the data folder again."""
    data.mkdir(parents=True)
    with tarfile.open(archive, "r:xz") as tar:
        tar.extractall(data, filter="data")


def copied(data: Path, to: Path) -> Path:
    """Copies a data folder that no runner uses."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(data, to, ignore=shutil.ignore_patterns("*.lock", "runner.address"))
    return to
