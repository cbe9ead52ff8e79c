"""The folder of this process for temporary files: inputs with files, and the folders of attempts.

The folder is locked for as long as the process lives. A worker that starts removes the folders whose locks are free:
their processes have ended without doing so. A process id would not tell it, for ids are given anew, and containers that
share a disk have the same.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

PREFIX = "signoff-worker-"  # of the folder's name


@cache
def scratch() -> Path:
    """Returns the folder of this process, which is made at the first call and removed at the end of the process.

    Raises OSError when it cannot be made.
    """
    folder, lock = _made(Path(tempfile.gettempdir()).resolve())
    atexit.register(_remove, folder, lock, os.getpid())
    return folder


def new_folder() -> Path:
    """Makes a folder of its own in the folder of this process. Raises OSError."""
    folder = scratch() / secrets.token_hex(8)
    folder.mkdir(mode=0o700)
    return folder


def remove_left_overs(base: Path | None = None) -> int:
    """Removes the folders of workers that were killed. Returns how many there were.

    `base`: where to look; None: among the system's temporary files.
    """
    removed = 0
    for folder in _folders(base or Path(tempfile.gettempdir())):
        # guard: only folders of dead workers are removed -> lock = os.open(folder, os.O_RDONLY)
        lock = _locked(folder)
        if lock is None:
            continue
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)
        removed += 1
    if removed:
        log.info("left_overs_removed", folders=removed)
    return removed


def _made(base: Path) -> tuple[Path, int]:
    """Makes and locks a folder. Another worker may look for left-overs just then, and take it for one."""
    while True:
        folder = base / f"{PREFIX}{secrets.token_hex(8)}"
        folder.mkdir(mode=0o700)
        lock = _locked(folder)
        if lock is not None and _is_at(folder, lock):
            return folder, lock
        if lock is not None:
            os.close(lock)


def _locked(folder: Path) -> int | None:
    """Locks a folder of this user. Returns the descriptor that holds the lock; None: it is locked, gone, or no folder.

    No link is followed: other users may write where temporary files are.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        if os.fstat(descriptor).st_uid == os.geteuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
    except OSError:
        pass  # its process lives
    os.close(descriptor)
    return None


def _is_at(folder: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(folder.stat(follow_symlinks=False), os.fstat(descriptor))
    except OSError:
        return False


def _folders(base: Path) -> Iterator[Path]:
    with suppress(OSError):
        yield from sorted(base.glob(f"{PREFIX}*"))


def _remove(folder: Path, lock: int, owner: int) -> None:
    """Removes the folder of this process. A child that was forked from it leaves it alone."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            os.close(lock)
