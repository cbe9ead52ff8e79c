"""Files that people read while we write them.

`write_atomically` writes where a person says: into a device or a pipe, through a link, and a file in one go.
`write_inside` and `remove_inside` are for names that come from elsewhere: they leave a folder by no name and no link,
wait for nothing, and touch nothing but regular files.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

MOST_LINKS = 40  # as many as Linux follows
_LONGEST_START = 60  # characters of a part's name that say what it is a part of: a file's name has at most 255 bytes
_PERMISSIONS = 0o777  # new content is never run as another user: those bits are not kept


class NotAFile(OSError):
    """Something stands where a file is to be, or a name is none of a file."""


def write_atomically(path: Path, *pieces: bytes, durable: bool = True, wait: bool = False) -> None:
    """Writes a file so that readers see the old content or the new one, never a part.

    A link is followed, and stays. A file keeps its permissions, and its owner where that is allowed. A device or a pipe
    is written into; `wait`: also for a pipe to get a reader.

    `durable`: even after a power cut. Raises OSError when the disk refuses; what was there before is then still there.
    """
    old = _stat(path)  # the kernel follows links here, by its own rules about other users' ones
    path.parent.mkdir(parents=True, exist_ok=True)
    target = _followed(path)
    if _process_of(target) is not None:
        _write_into(lambda: _opened_again(target), pieces)
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


def _followed(path: Path) -> Path:
    """Where a chain of links ends. What the kernel only shows as a link, under /proc, is an end."""
    start = path
    for _ in range(MOST_LINKS):
        if _process_of(path) is not None or not path.is_symlink():
            return path
        path = path.parent / path.readlink()
        if not path.parent.is_dir():
            raise NotAFile(f"expected a folder at {path.parent}, where the link {start} leads, but there is none")
    raise NotAFile(f"expected a file, but the links that begin with {start} lead to none")


def _check_takes_bytes(path: Path, found: os.stat_result) -> None:
    """Raises NotAFile for what cannot be written into either."""
    for is_one, name in ((stat.S_ISDIR, "folder"), (stat.S_ISSOCK, "socket")):
        if is_one(found.st_mode):
            raise NotAFile(f"expected a file, a pipe or a device, but {path} is a {name}")


# ---------------------------------------------------------------- into what is there


def _write_into(opened: Callable[[], int], pieces: Sequence[bytes]) -> None:
    with os.fdopen(opened(), "wb") as file:
        file.writelines(pieces)


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
    """The process that has it open, when it names an open file of one, as /dev/stdout and /dev/fd/63 do."""
    found = re.fullmatch(r"/proc/(\d+)(/task/\d+)?/fd", os.path.realpath(path.parent))
    return int(found[1]) if found else None


def _opened_again(path: Path) -> int:
    """Opens what a process has open: a file of this one goes on where it stands, another's at its end."""
    if _process_of(path) != os.getpid():
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOCTTY)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # what was said before comes before
    return os.dup(int(path.name))


# ---------------------------------------------------------------- in its place


def part_name(name: str) -> str:
    """Returns a name beside a file, for what is to take its place; no other process can know it."""
    return f".{name[:_LONGEST_START]}.{secrets.token_hex(8)}.part"


def _replace(path: Path, pieces: Sequence[bytes], old: os.stat_result | None, *, durable: bool) -> None:
    parent = _open_folder(path.parent)
    try:
        _replace_in(parent, path.name, pieces, old, durable=durable)
    finally:
        os.close(parent)


def _replace_in(parent: int, name: str, pieces: Sequence[bytes], old: os.stat_result | None, *, durable: bool) -> None:
    """Writes the new file beside the old one, in a folder that is open, and renames it."""
    part = part_name(name)
    descriptor = _new(parent, part, 0o666 if old is None else 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if old is not None:
                _keep(descriptor, old)
            file.writelines(pieces)
            file.flush()
            if durable:
                os.fsync(descriptor)
        os.rename(part, name, src_dir_fd=parent, dst_dir_fd=parent)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part, dir_fd=parent)
        raise


def _new(parent: int, name: str, mode: int) -> int:
    """Makes a file that was not there, not even as a link."""
    return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode, dir_fd=parent)


def _keep(descriptor: int, old: os.stat_result) -> None:
    """The permissions of the old file, and its owner where this process may say so."""
    with contextlib.suppress(PermissionError):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, old.st_mode & _PERMISSIONS)


# ---------------------------------------------------------------- inside of a folder


def write_inside(folder: Path, *names: str, pieces: Sequence[bytes], durable: bool = False) -> None:
    """Writes folder/name/…/name in one go, and makes the folders in between.

    Raises OSError when that would lead elsewhere or is something else: a name with a stroke in it or a dot at its
    start, a link, a pipe. Never waits for a reader.
    """
    with _way(folder, names, make=True) as parent:
        _replace_in(parent, names[-1], pieces, _regular(folder, names, parent), durable=durable)


def remove_inside(folder: Path, *names: str) -> None:
    """Removes folder/name/…/name if it is there. Raises OSError as `write_inside` does."""
    with contextlib.suppress(FileNotFoundError), _way(folder, names, make=False) as parent:
        if _regular(folder, names, parent) is not None:
            os.unlink(names[-1], dir_fd=parent)


@contextmanager
def _way(folder: Path, names: Sequence[str], *, make: bool) -> Iterator[int]:
    """Opens the folder that the last name is in, name by name, so that no link is followed below `folder`."""
    for name in names:
        _check_name(folder, name)
    way = [_top(folder, make=make)]
    try:
        for name in names[:-1]:
            way.append(_below(way[-1], name, folder, make=make))
        yield way[-1]
    finally:
        for descriptor in way:
            os.close(descriptor)


def _top(folder: Path, *, make: bool) -> int:
    try:
        return _open_folder(folder)
    except FileNotFoundError:
        if not make:
            raise
    folder.mkdir(parents=True, exist_ok=True)
    return _open_folder(folder)


def _below(parent: int, name: str, folder: Path, *, make: bool) -> int:
    """Opens a folder in a folder; a link to one is none."""
    try:
        return _open_folder(name, inside=parent)
    except FileNotFoundError:
        if not make:
            raise
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOTDIR):
            raise
        raise NotAFile(f"expected a folder at {name} in {folder}, but it is none, or a link") from error
    with contextlib.suppress(FileExistsError):  # another writer was faster
        os.mkdir(name, dir_fd=parent)
    return _open_folder(name, inside=parent)


def _open_folder(path: str | Path, *, inside: int | None = None) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | (0 if inside is None else os.O_NOFOLLOW), dir_fd=inside)


def _check_name(folder: Path, name: str) -> None:
    try:
        encoded = os.fsencode(name)
    except UnicodeEncodeError:
        encoded = b""  # half a character
    if not encoded or encoded.startswith(b".") or b"/" in encoded or b"\0" in encoded:
        raise NotAFile(f"expected a name in {folder}, but got {name[:200]!a}")


def _regular(folder: Path, names: Sequence[str], parent: int) -> os.stat_result | None:
    """The file that is there; None when there is none. Raises NotAFile for anything else."""
    try:
        found = os.stat(names[-1], dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        kind = stat.filemode(found.st_mode)
        raise NotAFile(f"expected a file at {folder.joinpath(*names)}, but it is something else ({kind})")
    return found
