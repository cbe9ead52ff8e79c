"""Objects as files of a folder.

ab/ab12…        an object, below the first two digits of its digest
incoming/…      what is being put, until it is whole and on the disk
journal-id      the id of the journal that the objects belong to
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from runner_svc.objects.port import MARKER, PIECE_BYTES
from signoff.errors import StorageFailed, content_lost
from signoff.manifest.manifest import is_digest

_INCOMING = "incoming"
_FOLDER = re.compile("[0-9a-f]{2}")


class FolderObjects:
    """An object store in a folder, which one runner uses at a time."""

    def __init__(self, folder: Path) -> None:
        self.where = str(folder)
        self._folder = folder
        self._incoming = folder / _INCOMING

    async def open(self) -> None:
        await asyncio.to_thread(self._open)

    def _open(self) -> None:
        try:
            self._incoming.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageFailed(f"cannot open the object store {self._folder}: {error}") from error

    async def owner(self) -> str:
        return await asyncio.to_thread(self._owner)

    def _owner(self) -> str:
        try:
            return (self._folder / MARKER).read_text(encoding="ascii", errors="replace").strip()
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise StorageFailed(f"cannot read whose the object store {self._folder} is: {error}") from error

    async def take(self, journal: str) -> None:
        await asyncio.to_thread(self._take, journal)

    def _take(self, journal: str) -> None:
        try:
            descriptor = self._new_marker()
            if descriptor is not None:
                try:
                    _write_whole(descriptor, journal.encode())
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
                _sync(self._folder)
        except OSError as error:
            raise StorageFailed(f"cannot take the object store {self._folder}: {error}") from error

    def _new_marker(self) -> int | None:
        """Opens the marker to be written; None: another runner has written it meanwhile."""
        file = self._folder / MARKER
        try:
            return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            # One without bytes is left by a power cut.
            return None if self._owner() else os.open(file, os.O_WRONLY)

    async def remove_unfinished(self) -> None:
        # guard: half an object is gone after a restart -> pass
        await asyncio.to_thread(shutil.rmtree, self._incoming, ignore_errors=True)

    async def put(self, digest: str, pieces: AsyncIterator[bytes]) -> None:
        part, file = self._incoming / secrets.token_hex(8), self._file(digest)
        try:
            descriptor = await asyncio.to_thread(_new_file, part)
            try:
                async for piece in pieces:
                    await asyncio.to_thread(_write_whole, descriptor, piece)
                # guard: an object is on the disk before an event names it -> pass
                await asyncio.to_thread(os.fsync, descriptor)
            finally:
                os.close(descriptor)
            await asyncio.to_thread(_put_in_place, part, file)
        except OSError as error:
            raise StorageFailed(f"the object store {self._folder} refused {digest}: {error}") from error
        finally:
            with contextlib.suppress(FileNotFoundError):
                part.unlink()

    async def read(self, digest: str, start: int, end: int) -> AsyncIterator[bytes]:
        try:
            descriptor = await asyncio.to_thread(os.open, self._file(digest), os.O_RDONLY)
            try:
                while start < end:
                    piece = await asyncio.to_thread(os.pread, descriptor, min(PIECE_BYTES, end - start), start)
                    if not piece:
                        raise content_lost(f"expected {end - start} more bytes of object {digest}, but it ends before")
                    yield piece
                    start += len(piece)
            finally:
                os.close(descriptor)
        except FileNotFoundError as error:
            raise content_lost(f"the object store {self._folder} has lost {digest}: {error}") from error
        except OSError as error:
            raise StorageFailed(f"the object store {self._folder} did not give {digest}: {error}") from error

    async def delete(self, digests: Sequence[str]) -> None:
        await asyncio.to_thread(self._delete, digests)

    def _delete(self, digests: Sequence[str]) -> None:
        refusal: OSError | None = None
        for digest in digests:
            try:
                with contextlib.suppress(FileNotFoundError):
                    self._file(digest).unlink()
            except OSError as error:
                refusal = error
        if refusal is not None:
            raise StorageFailed(f"the object store {self._folder} refused to remove objects: {refusal}") from refusal

    async def listed(self, before: float = math.inf) -> AsyncIterator[Sequence[str]]:
        try:
            names = await asyncio.to_thread(_names, self._folder)
            # guard: only folders of objects are looked into -> for name in names:
            for name in filter(_FOLDER.fullmatch, names):
                yield await asyncio.to_thread(_digests, self._folder / name, before)
        except OSError as error:
            raise StorageFailed(f"cannot list the object store {self._folder}: {error}") from error

    async def close(self) -> None:
        """Does nothing: no file stays open."""

    def _file(self, digest: str) -> Path:
        if not is_digest(digest):
            raise StorageFailed(f"expected the digest of an object, but got {digest[:80]!r}")
        return self._folder / digest[:2] / digest


def _new_file(path: Path) -> int:
    # guard: the folder of what is being put is made again -> pass
    path.parent.mkdir(exist_ok=True)  # not its parents: a disk that is not mounted any more is not to be hidden
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)


def _write_whole(descriptor: int, piece: bytes) -> None:
    left = memoryview(piece)
    while left:
        left = left[os.write(descriptor, left) :]


def _put_in_place(part: Path, file: Path) -> None:
    """Renames a whole object to its name, so that it is there after a power cut."""
    if not file.parent.is_dir():
        file.parent.mkdir(exist_ok=True)
        _sync(file.parent.parent)
    part.rename(file)
    _sync(file.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _names(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def _digests(folder: Path, before: float) -> list[str]:
    """Returns the objects of a folder that were put before a Unix time."""
    with os.scandir(folder) as entries:
        objects = [each for each in entries if is_digest(each.name)]
        return [each.name for each in objects if each.stat(follow_symlinks=False).st_mtime <= before]
