"""Opens files and folders below a folder by their paths: no link is followed, and nothing but a file is read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from signoff.manifest.manifest import shown

PIECE = 1024 * 1024  # bytes that are read at once

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # to open a pipe would wait for its writer


class FilesRefused(Exception):
    """Files cannot be a candidate; the text says which, and why. The same files would be refused again."""


@contextmanager
def opened_folder(root: Path, names: tuple[str, ...] = ()) -> Iterator[int]:
    """Opens a folder below a root, name by name. Yields its descriptor. Raises OSError, also for a link."""
    descriptor = os.open(root, _FOLDER)
    try:
        for name in names:
            # guard: no link in a folder of files is followed ->
            #     below = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=descriptor)
            below = os.open(name, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def opened_file(root: Path, path: str) -> Iterator[int]:
    """Opens a regular file below a root for reading. Raises OSError for a link, FilesRefused for another kind."""
    *folders, name = path.split("/")
    with opened_folder(root, tuple(folders)) as folder:
        descriptor = os.open(name, _FILE, dir_fd=folder)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FilesRefused(f"expected a file at {shown(path)}, but it is a folder, a device or a pipe")
        yield descriptor
    finally:
        os.close(descriptor)


def pieces_of(descriptor: int, size: int, path: str) -> Iterator[bytes]:
    """Yields just so many bytes of a file from its beginning. Raises FilesRefused when it has become shorter."""
    at = 0
    while at < size:
        piece = os.pread(descriptor, min(PIECE, size - at), at)
        if not piece:
            raise FilesRefused(f"{shown(path)} was changed while it was read: it had {size:,} bytes, and now {at:,}")
        at += len(piece)
        yield piece
