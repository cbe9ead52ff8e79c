"""Folders of files that take the place of others as a whole, below a folder that no name and no link leads out of."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from signoff.files.folders import Inside


class InsideTrees(Inside):
    """Also lists, renames and removes folders. No link is followed anywhere."""

    def __init__(self, folder: Path, *, hidden: bool = True) -> None:
        super().__init__(folder, hidden=hidden)

    def names_in(self, *names: str) -> list[str]:
        """Returns the names in a folder, in no order; none when it is not there."""
        self._check(names)
        try:
            return self._once_more(lambda: self._listed(names))
        except FileNotFoundError:
            return []

    def _listed(self, names: Sequence[str]) -> list[str]:
        self._go(names, make=False)
        return os.listdir(self._open[-1][1])  # noqa: PTH208 - iterdir takes no descriptor

    def make_folder(self, *names: str) -> None:
        """Makes a folder that was not there, and those above it. Raises OSError."""
        self._check(names)
        self._once_more(lambda: self._go(names, make=True))

    def link(self, source: Sequence[str], target: Sequence[str]) -> None:
        """Gives a file a second name, in place of a copy. Raises OSError, also where the disk has no such names."""
        self._check((*source, *target))
        self._go(source[:-1], make=False)
        self._regular(source)
        parent = os.dup(self._open[-1][1])
        try:
            self._go(target[:-1], make=True)
            here = self._open[-1][1]
            os.link(source[-1], target[-1], src_dir_fd=parent, dst_dir_fd=here, follow_symlinks=False)
        finally:
            os.close(parent)

    def rename_folder(self, folder: Sequence[str], name: str) -> None:
        """Gives a folder another name beside itself. Raises OSError."""
        self._check((*folder, name))
        self._go(folder[:-1], make=False)
        here = self._open[-1][1]
        os.rename(folder[-1], name, src_dir_fd=here, dst_dir_fd=here)
        self._close_from(0)  # one of those that are open may have another name now

    def remove_folder(self, *names: str) -> None:
        """Removes a folder with all that is in it, if it is there. Raises OSError for a link, or for no folder."""
        self._check(names)
        with contextlib.suppress(FileNotFoundError):
            self._go(names[:-1], make=False)
            shutil.rmtree(names[-1], dir_fd=self._open[-1][1])
            self._close_from(0)

    def remove_if_empty(self, *names: str) -> None:
        """Removes a folder that has nothing in it."""
        self._check(names)
        try:
            self._go(names[:-1], make=False)
            os.rmdir(names[-1], dir_fd=self._open[-1][1])
            self._close_from(0)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
