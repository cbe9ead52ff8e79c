"""Writes files below a folder, by names that come from outside: no name and no link leads out of the folder.

`Inside` reads, writes and removes files. `signoff.files.trees` moves and removes whole folders of them.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from signoff.files.writing import NotAFile, PartFile, replace_in

_FOLDER = os.O_RDONLY | os.O_DIRECTORY
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe is opened at once, and then refused

Result = TypeVar("Result")


class Inside:
    """Writes and removes files in a folder and those below it. It never blocks, and touches only regular files.

    The folders on the way to a file stay open for the next one, until the `with` ends: many files written together cost
    half as much. Not for two threads at once.

        with Inside(Path("db")) as inside:
            inside.write("plan", "task", "output.json", body=b"{}")

    `hidden`: names may begin with a dot.
    """

    def __init__(self, folder: Path, *, hidden: bool = False) -> None:
        self._folder, self._hidden = folder, hidden
        self._open: list[tuple[str, int]] = []  # the folder itself, and one in the other: name, descriptor

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _where: TracebackType | None) -> None:
        self._close_from(0)

    def write(self, *names: str, body: bytes) -> None:
        """Writes folder/name/…/name atomically, and makes the folders in between. Not durable against a power cut.

        Raises OSError when a name has a slash in it or a dot at its start, or when a link or a pipe is in the way.
        """
        self._check(names)
        self._once_more(lambda: self._write(names, body))

    def _write(self, names: Sequence[str], body: bytes) -> None:
        new = self._go(names[:-1], make=True)
        old = None
        if not new:
            with contextlib.suppress(FileNotFoundError):
                old = self._regular(names)
        replace_in(self._open[-1][1], names[-1], (body,), old, durable=False)

    @contextlib.contextmanager
    def writing(self, *names: str) -> Iterator[PartFile]:
        """Gives a new file to write piece by piece. It takes its place at the end of the block; not after an error.

        Other files may be written meanwhile. Raises OSError as `write` does.
        """
        self._check(names)
        parent, part = self._once_more(lambda: self._part(names))
        try:
            yield part
            part.take_place(durable=False)
        except BaseException:
            # guard: a part that failed is gone -> raise
            part.drop()
            raise
        finally:
            os.close(parent)

    def _part(self, names: Sequence[str]) -> tuple[int, PartFile]:
        """Returns a new part, and the folder that it is in, which stays open for it."""
        new = self._go(names[:-1], make=True)
        old = None
        if not new:
            with contextlib.suppress(FileNotFoundError):
                old = self._regular(names)
        parent = os.dup(self._open[-1][1])
        try:
            return parent, PartFile(parent, names[-1], old)
        except BaseException:
            os.close(parent)
            raise

    def digest(self, *names: str) -> str:
        """Returns the SHA-256 of a file in hex; empty when there is none. Raises OSError as `write` does."""
        self._check(names)
        try:
            return self._once_more(lambda: self._digest(names))
        except FileNotFoundError:
            return ""

    def _digest(self, names: Sequence[str]) -> str:
        self._go(names[:-1], make=False)
        self._regular(names)
        with os.fdopen(os.open(names[-1], _FILE, dir_fd=self._open[-1][1]), "rb", buffering=0) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def size(self, *names: str) -> int:
        """Returns the size of a file in bytes; -1 when there is none. Raises OSError as `write` does."""
        self._check(names)

        def size() -> int:
            self._go(names[:-1], make=False)
            return self._regular(names).st_size

        try:
            return self._once_more(size)
        except FileNotFoundError:
            return -1

    def read(self, *names: str, at_most: int) -> bytes | None:
        """Returns the bytes of a file; None when there is none. Raises OSError as `write` does, or for more."""
        self._check(names)
        try:
            return self._once_more(lambda: self._read(names, at_most))
        except FileNotFoundError:
            return None

    def _read(self, names: Sequence[str], at_most: int) -> bytes:
        self._go(names[:-1], make=False)
        self._regular(names)
        with os.fdopen(os.open(names[-1], _FILE, dir_fd=self._open[-1][1]), "rb") as file:
            body = file.read(at_most + 1)
        if len(body) > at_most:
            path = self._folder.joinpath(*names)
            raise NotAFile(f"expected a file of at most {at_most:,} bytes at {path}, but it is larger")
        return body

    def append(self, *names: str, body: bytes) -> None:
        """Writes at the end of a file, which is made when there is none. Raises OSError as `write` does."""
        self._check(names)
        self._once_more(lambda: self._append(names, body))

    def _append(self, names: Sequence[str], body: bytes) -> None:
        self._go(names[:-1], make=True)
        with contextlib.suppress(FileNotFoundError):
            self._regular(names)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        with os.fdopen(os.open(names[-1], flags, 0o666, dir_fd=self._open[-1][1]), "ab") as file:
            file.write(body)

    def remove(self, *names: str) -> None:
        """Removes folder/name/…/name if it is there. Raises OSError as `write` does."""
        self._check(names)
        with contextlib.suppress(FileNotFoundError):
            self._once_more(lambda: self._remove(names))

    def _remove(self, names: Sequence[str]) -> None:
        self._go(names[:-1], make=False)
        self._regular(names)
        os.unlink(names[-1], dir_fd=self._open[-1][1])

    def _once_more(self, act: Callable[[], Result]) -> Result:
        """Acts, and acts again when a folder that stayed open since the last file has been removed or replaced."""
        known = bool(self._open)
        try:
            return act()
        except FileNotFoundError:
            # guard (2 lines): a folder that went meanwhile is made again -> raise
            if not known:
                raise
            self._close_from(0)
            return act()

    def _go(self, way: Sequence[str], *, make: bool) -> bool:
        """Opens the folders of a path, name by name, so that no link is followed. Tells whether the last is new."""
        if not self._open:
            self._open.append(("", self._top(make=make)))
        same = 0
        while same < min(len(way), len(self._open) - 1) and self._open[same + 1][0] == way[same]:
            same += 1
        self._close_from(same + 1)
        new = False
        for name in way[same:]:
            new = make and self._made(name)
            self._open.append((name, self._below(name)))
        return new

    def _top(self, *, make: bool) -> int:
        if make:
            self._folder.mkdir(parents=True, exist_ok=True)
        return os.open(self._folder, _FOLDER)

    def _made(self, name: str) -> bool:
        try:
            os.mkdir(name, dir_fd=self._open[-1][1])
        except FileExistsError:
            return False
        return True

    def _below(self, name: str) -> int:
        """Opens a folder in the one that was opened last. Raises NotAFile for a link, or for no folder."""
        try:
            # guard: no link is followed inside -> return os.open(name, _FOLDER, dir_fd=self._open[-1][1])
            return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=self._open[-1][1])
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                raise
            raise NotAFile(f"expected a folder at {name} in {self._folder}, but it is none, or a link") from error

    def _regular(self, names: Sequence[str]) -> os.stat_result:
        """Returns the status of the regular file that is there. Raises NotAFile for anything else."""
        found = os.stat(names[-1], dir_fd=self._open[-1][1], follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode):
            path, kind = self._folder.joinpath(*names), stat.filemode(found.st_mode)
            raise NotAFile(f"expected a file at {path}, but it is something else ({kind})")
        return found

    def _check(self, names: Sequence[str]) -> None:
        for name in names:
            try:
                encoded = os.fsencode(name)
            except UnicodeEncodeError:
                encoded = b""  # half a character
            is_hidden = encoded.startswith(b".") and not (self._hidden and encoded not in (b".", b".."))
            # guard: names stay inside -> if False:
            if not encoded or is_hidden or b"/" in encoded or b"\0" in encoded:
                raise NotAFile(f"expected a name in {self._folder}, but got {name[:200]!a}")

    def _close_from(self, first: int) -> None:
        while len(self._open) > first:
            os.close(self._open.pop()[1])
