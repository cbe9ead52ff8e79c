"""Writes files below a folder, by names that come from outside: no name and no link leads out of the folder."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from signoff.files.writing import NotAFile, replace_in

_FOLDER = os.O_RDONLY | os.O_DIRECTORY


class Inside:
    """Writes and removes files in a folder and those below it. It never blocks, and touches only regular files.

    The folders on the way to a file stay open for the next one, until the `with` ends: many files written together cost
    half as much. Not for two threads at once.

        with Inside(Path("db")) as inside:
            inside.write("plan", "task", "output.json", body=b"{}")
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
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

    def remove(self, *names: str) -> None:
        """Removes folder/name/…/name if it is there. Raises OSError as `write` does."""
        self._check(names)
        with contextlib.suppress(FileNotFoundError):
            self._once_more(lambda: self._remove(names))

    def _remove(self, names: Sequence[str]) -> None:
        self._go(names[:-1], make=False)
        self._regular(names)
        os.unlink(names[-1], dir_fd=self._open[-1][1])

    def _once_more(self, act: Callable[[], None]) -> None:
        """Acts, and acts again when a folder that stayed open since the last file has been removed or replaced."""
        known = bool(self._open)
        try:
            act()
        except FileNotFoundError:
            # guard (2 lines): a folder that went meanwhile is made again -> raise
            if not known:
                raise
            self._close_from(0)
            act()

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
            # guard: names stay inside -> if False:
            if not encoded or encoded.startswith(b".") or b"/" in encoded or b"\0" in encoded:
                raise NotAFile(f"expected a name in {self._folder}, but got {name[:200]!a}")

    def _close_from(self, first: int) -> None:
        while len(self._open) > first:
            os.close(self._open.pop()[1])
