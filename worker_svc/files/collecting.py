"""Finds the files that a task's patterns match in the folder that a program or a function has written."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from signoff.manifest.manifest import MAX_FILES, MAX_FILES_BYTES, BadManifest, check_apart, shown
from signoff.manifest.patterns import matches, may_hold
from signoff.plan.inputs import problem_of_path
from worker_svc.files.aside import Tick
from worker_svc.files.opening import FilesRefused, opened_folder

MOST_LOOKED_AT = 100_000  # entries of folders
_MOST_NAMED = 5  # files in an error


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesLimit:
    """The most files that a candidate may have."""

    files: int = MAX_FILES
    size: int = MAX_FILES_BYTES  #: bytes of all of them together


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """The files of a candidate."""

    paths: tuple[str, ...]  #: in their order
    main: str


def collected(folder: Path, patterns: Sequence[str], limit: FilesLimit, tick: Tick) -> Collected:
    """Returns the files below a folder that the patterns match. Blocks: call it in a thread.

    Raises FilesRefused for what cannot be a candidate, and OSError for a disk that cannot be read.
    """
    paths, size = list[str](), 0
    for path, status in _found(folder, patterns, tick):
        paths.append(path)
        size += status.st_size
        if len(paths) > limit.files:
            raise FilesRefused(f"expected at most {limit.files:,} files that match {_listed(patterns)}, but got more")
        if size > limit.size:
            raise FilesRefused(f"expected at most {limit.size:,} bytes in all files, but got {size:,} or more")
    paths.sort()
    for pattern in patterns:
        if not any(matches(path, pattern) for path in paths):
            raise FilesRefused(f"expected a file that matches {shown(pattern)} in outputs/, but {_there(paths)}")
    try:
        check_apart(paths)
    except BadManifest as problem:
        raise FilesRefused(str(problem)) from None
    return Collected(paths=tuple(paths), main=next(path for path in paths if matches(path, patterns[0])))


def _found(root: Path, patterns: Sequence[str], tick: Tick) -> Iterator[tuple[str, os.stat_result]]:
    """Yields the files that match, with their status. Of other entries only the folders that may hold some are read."""
    looked_at, pending = 0, list[tuple[str, ...]]()
    if root.is_dir() and not root.is_symlink():
        pending.append(())
    while pending:
        above = pending.pop()
        with opened_folder(root, above) as descriptor:
            for name in _names_in(descriptor):
                tick()
                looked_at += 1
                if looked_at > MOST_LOOKED_AT:
                    raise FilesRefused(
                        f"expected at most {MOST_LOOKED_AT:,} files and folders in outputs/, but got more"
                    )
                path = "/".join((*above, name))
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                is_wanted = any(matches(path, pattern) for pattern in patterns)
                may_be_above = any(may_hold(path, pattern) for pattern in patterns)
                if stat.S_ISDIR(status.st_mode) and may_be_above:
                    _check_path(path)
                    pending.append((*above, name))
                elif is_wanted and not stat.S_ISDIR(status.st_mode):
                    _check_path(path)
                    # guard: only files are results -> pass
                    _check_kind(path, status)
                    yield path, status
                elif may_be_above and stat.S_ISLNK(status.st_mode):
                    raise FilesRefused(f"expected files and folders, but {shown(path)} is a link")


def _names_in(descriptor: int) -> list[str]:
    with os.scandir(descriptor) as entries:
        return [entry.name for entry in entries]


def _check_path(path: str) -> None:
    if problem := problem_of_path(path):
        raise FilesRefused(f"{problem}: {path[:200]!a}")
    try:
        path.encode()
    except UnicodeEncodeError:
        raise FilesRefused(f"expected a name in UTF-8, but got {os.fsencode(path)[:200]!r}") from None


def _check_kind(path: str, status: os.stat_result) -> None:
    """Raises FilesRefused for links, and for what is no file at all."""
    if stat.S_ISLNK(status.st_mode):
        raise FilesRefused(f"expected a file, but {shown(path)} is a link: write the file itself")
    if not stat.S_ISREG(status.st_mode):
        raise FilesRefused(f"expected a file, but {shown(path)} is {_KINDS.get(stat.S_IFMT(status.st_mode), 'none')}")
    if status.st_nlink > 1:
        raise FilesRefused(f"expected a file of its own, but {shown(path)} has {status.st_nlink} names: copy the file")


_KINDS = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}


def _there(paths: Sequence[str]) -> str:
    return f"only {_listed(paths)} matched" if paths else "no file there matches any pattern"


def _listed(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _MOST_NAMED:,} more" if len(paths) > _MOST_NAMED else ""
    return ", ".join(map(shown, paths[:_MOST_NAMED])) + more
