"""Writes files that people may be reading at the same time.

`write_atomically` writes to a path that a person named: a file atomically, also through a link, or into a device or a
pipe. Names that come from outside are for `signoff.files.folders`.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

MOST_LINKS = 40  # as many as Linux follows
_LONGEST_START = 60  # characters of a part's name that say what it is a part of
_LONGEST_START_BYTES = 200  # of them: a file's name has at most 255 bytes, and 23 of a part's say that it is one
_PERMISSIONS = 0o777  # new content is never run as another user: those bits are not kept


class NotAFile(OSError):
    """Something else is where a file should be, or a name cannot be a file's."""


def write_atomically(path: Path, *pieces: bytes, durable: bool = True, wait: bool = False) -> None:
    """Writes a file so that readers see the old content or the new one, never a part.

    A link is followed, and stays. A file keeps its permissions, and its owner where that is allowed. A device or a pipe
    is written into; with `wait`, a pipe may take its time to get a reader.

    With `durable`, the file survives a power cut. Raises OSError when the disk refuses; the old content is then still
    there.
    """
    old = _stat(path)  # the kernel follows links here, by its own rules about other users' ones
    path.parent.mkdir(parents=True, exist_ok=True)
    # guard: links are followed -> target = path
    target = end_of_links(path)
    if _process_of(target) is not None:
        _write_into(lambda: _opened_again(target), pieces)
    # guard: written into what is no file -> elif True:
    elif old is None or stat.S_ISREG(old.st_mode):
        _replace(target, pieces, old, durable=durable)
    else:
        _check_takes_bytes(path, old)
        _write_into(lambda: _opened(path, wait=wait), pieces)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None  # or a link to what is not there


def end_of_links(path: Path) -> Path:
    """Returns the end of a chain of links. An entry under /proc, which only looks like a link, is an end.

    Raises NotAFile when it leads into no folder, or round and round.
    """
    start = path
    for _ in range(MOST_LINKS):
        if _process_of(path) is not None or not path.is_symlink():
            return path
        path = path.parent / path.readlink()
        if not path.parent.is_dir():
            raise NotAFile(f"expected a folder at {path.parent}, where the link {start} leads, but there is none")
    raise NotAFile(f"expected a file, but the links that begin with {start} lead to none")


def _check_takes_bytes(path: Path, found: os.stat_result) -> None:
    """Raises NotAFile for a folder or a socket, which take no bytes."""
    for is_one, name in ((stat.S_ISDIR, "folder"), (stat.S_ISSOCK, "socket")):
        if is_one(found.st_mode):
            raise NotAFile(f"expected a file, a pipe or a device, but {path} is a {name}")


# ---------------------------------------------------------------- into what is there


def _write_into(opened: Callable[[], int], pieces: Sequence[bytes]) -> None:
    descriptor = opened()
    try:
        _write_whole(descriptor, pieces)
    finally:
        os.close(descriptor)


def _write_whole(descriptor: int, pieces: Sequence[bytes]) -> None:
    """Writes all bytes, where one call may take only some. A file object costs two system calls more."""
    for piece in pieces:
        left = memoryview(piece)
        while left:
            left = left[os.write(descriptor, left) :]


def _opened(path: Path, *, wait: bool) -> int:
    """Opens a pipe or a device. Raises NotAFile when a pipe has no reader that could be waited for."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOCTTY | (0 if wait else os.O_NONBLOCK))
    except OSError as error:
        if not wait and path.is_fifo():
            raise NotAFile(f"expected a reader at the pipe {path}, but it has none") from error
        raise
    os.set_blocking(descriptor, True)
    return descriptor


def _process_of(path: Path) -> int | None:
    """Returns the process whose open file a path names, as /dev/stdout and /dev/fd/63 do; None for other paths."""
    found = re.fullmatch(r"/proc/(\d+)(/task/\d+)?/fd", os.path.realpath(path.parent))
    return int(found[1]) if found else None


def _opened_again(path: Path) -> int:
    """Opens a process's open file again: this process's goes on where it stands, another's is appended to."""
    if _process_of(path) != os.getpid():
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOCTTY)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # what was said before comes before
    return os.dup(int(path.name))


# ---------------------------------------------------------------- in its place


def part_name(name: str) -> str:
    """Returns a name beside a file, for what is to take its place; no other process can know it."""
    return f".{_start_of(name)}.{secrets.token_hex(8)}.part"


def _start_of(name: str) -> str:
    """Returns the beginning of a file's name, of whole characters."""
    return os.fsencode(name[:_LONGEST_START])[:_LONGEST_START_BYTES].decode(errors="ignore")


def is_part_of(part: str, name: str) -> bool:
    """Tells whether a name is that of a part of a file, which a process that was killed has left behind."""
    start, _, end = part.removeprefix(f".{_start_of(name)}").partition(".part")
    return bool(part.startswith(".") and not end and re.fullmatch(r"\.[0-9a-f]{16}", start) and part.endswith(".part"))


def _replace(path: Path, pieces: Sequence[bytes], old: os.stat_result | None, *, durable: bool) -> None:
    parent = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        replace_in(parent, path.name, pieces, old, durable=durable)
    finally:
        os.close(parent)


def replace_in(parent: int, name: str, pieces: Sequence[bytes], old: os.stat_result | None, *, durable: bool) -> None:
    """Writes the new file beside the old one, in a folder that is open, and renames it. Raises OSError."""
    part = PartFile(parent, name, old)
    try:
        for piece in pieces:
            part.write(piece)
        part.take_place(durable=durable)
    except BaseException:
        part.drop()
        raise


class PartFile:
    """A new file beside the old one, in a folder that is open: it takes the old one's place once it is whole.

    Either `take_place` or `drop` ends it; `drop` after a failed `take_place` as well.
    """

    def __init__(self, parent: int, name: str, old: os.stat_result | None) -> None:
        self._parent, self._name, self._part = parent, name, part_name(name)
        self._descriptor = _new(parent, self._part, 0o666 if old is None else 0o600)
        try:
            if old is not None:
                _keep(self._descriptor, old)
        except BaseException:
            self.drop()
            raise

    def write(self, piece: bytes) -> None:
        """Writes the next bytes. Raises OSError."""
        _write_whole(self._descriptor, (piece,))

    def take_place(self, *, durable: bool) -> None:
        """Closes the file and gives it its name. Raises OSError."""
        if durable:
            os.fsync(self._descriptor)
        self._close()
        os.rename(self._part, self._name, src_dir_fd=self._parent, dst_dir_fd=self._parent)

    def drop(self) -> None:
        """Closes the file and removes it."""
        self._close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._part, dir_fd=self._parent)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def _new(parent: int, name: str, mode: int) -> int:
    """Makes a file that was not there, not even as a link."""
    # guard: a part is a new file -> return os.open(name, os.O_WRONLY | os.O_CREAT, mode, dir_fd=parent)
    return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode, dir_fd=parent)


def _keep(descriptor: int, old: os.stat_result) -> None:
    """Keeps the permissions of the old file, and its owner where this process may set it."""
    with contextlib.suppress(PermissionError):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, old.st_mode & _PERMISSIONS)
