"""The files of a result for people: db/{plan_id}/{task_id}/files/, which takes the place of the one before as a whole.

The new files are written beside the old folder, and the folders are swapped when all are there. output.json is gone
from before the first file until after the swap: so it is missing, and is made again, when the runner is killed in
between, and no reader ever finds it beside the files of another result. What a killed runner has left behind goes with
the next write.

Memory stays flat: small files are written a few megabytes at a time, large ones piece by piece. A file that is there
already, with the same bytes, is not written again.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from typing import Protocol

from signoff.errors import StorageFailed
from signoff.files.data_directory import OUTPUT_FILES, OUTPUT_JSON
from signoff.files.trees import InsideTrees
from signoff.files.writing import PartFile
from signoff.manifest.manifest import FileEntry, Manifest

SMALL = 1024 * 1024  # bytes of a file that is written together with others
BATCH, BATCH_BYTES = 200, 8 * 1024 * 1024  # small files, and their bytes, that one thread call writes

_NEW, _OLD = f"{OUTPUT_FILES}.new-", f"{OUTPUT_FILES}.old-"

Names = tuple[str, ...]


class ContentReader(Protocol):
    """Contents by their digests."""

    async def get(self, digest: str) -> bytes:
        """Returns the bytes of a content. Raises StorageFailed when they are lost."""
        ...

    def stream(self, digest: str, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Yields the bytes of a content piece by piece. Raises StorageFailed as `get` does."""
        ...


async def write_files(folder: Path, key: Names, manifest: Manifest, contents: ContentReader, document: bytes) -> None:
    """Writes the files of a result, then output.json. Raises OSError or StorageFailed: the new files are gone then."""
    place = _Place(folder, key)
    await asyncio.to_thread(place.begin)
    try:
        missing = await asyncio.to_thread(place.take_over, manifest.files)
        await _write_missing(place, missing, contents)
        await asyncio.to_thread(place.swap, document)
    except Exception:
        await asyncio.to_thread(place.clean)
        raise


async def _write_missing(place: _Place, missing: Sequence[FileEntry], contents: ContentReader) -> None:
    """Writes the files that are not there yet."""
    small = list[tuple[FileEntry, bytes]]()
    for entry in missing:
        if entry.size > SMALL:
            await _write_large(place, entry, contents)
            continue
        small.append((entry, b"".join([piece async for piece in contents.stream(entry.digest)])))
        if len(small) == BATCH or sum(file.size for file, _ in small) > BATCH_BYTES:
            await asyncio.to_thread(place.write_small, small)
            small = []
    await asyncio.to_thread(place.write_small, small)


async def _write_large(place: _Place, entry: FileEntry, contents: ContentReader) -> None:
    digest = hashlib.sha256()
    with ExitStack() as stack:
        part = await asyncio.to_thread(stack.enter_context, place.writing(entry))

        def take(piece: bytes) -> None:
            digest.update(piece)
            part.write(piece)

        async for piece in contents.stream(entry.digest):
            await asyncio.to_thread(take, piece)
        _check(entry, digest.hexdigest())


def _check(entry: FileEntry, digest: str) -> None:
    # guard: files for people are whole -> if False:
    if digest != entry.digest:
        raise StorageFailed(f"expected the file {entry.path} with digest {entry.digest} in the store, but got {digest}")


class _Place:
    """The folder of one task's output. Its methods are for one thread at a time."""

    def __init__(self, folder: Path, key: Names) -> None:
        self._folder, self._key = folder, key
        self._new = f"{_NEW}{secrets.token_hex(8)}"
        self._inside = InsideTrees(folder)

    def begin(self) -> None:
        """Removes output.json and what a killed runner has left behind, and makes the new folder."""
        with self._inside as inside:
            inside.names_in(*self._key, OUTPUT_FILES)  # refuses a link or a file in its place
            # guard: no output.json beside other files -> pass
            inside.remove(*self._key, OUTPUT_JSON)
            remove_leftovers(inside, self._key)
            inside.make_folder(*self._key, self._new)

    def take_over(self, files: Sequence[FileEntry]) -> list[FileEntry]:
        """Gives the files that are there already a second name in the new folder; returns the others."""
        missing = list[FileEntry]()
        with self._inside as inside:
            for entry in files:
                try:
                    is_there = self._has(inside, entry)
                    if is_there:
                        inside.link(self._names(OUTPUT_FILES, entry), self._names(self._new, entry))
                except OSError:  # a link or a pipe is in its place, or the disk has no second names
                    is_there = False
                if not is_there:
                    missing.append(entry)
        return missing

    def _has(self, inside: InsideTrees, entry: FileEntry) -> bool:
        old = self._names(OUTPUT_FILES, entry)
        return inside.size(*old) == entry.size and inside.digest(*old) == entry.digest

    def write_small(self, files: Sequence[tuple[FileEntry, bytes]]) -> None:
        with self._inside as inside:
            for entry, body in files:
                _check(entry, hashlib.sha256(body).hexdigest())
                inside.write(*self._names(self._new, entry), body=body)

    def writing(self, entry: FileEntry) -> AbstractContextManager[PartFile]:
        return self._inside.writing(*self._names(self._new, entry))

    def swap(self, document: bytes) -> None:
        """Puts the new folder into the place of the old one, and writes output.json."""
        old = f"{_OLD}{secrets.token_hex(8)}"
        with self._inside as inside:
            if OUTPUT_FILES in inside.names_in(*self._key):
                inside.rename_folder((*self._key, OUTPUT_FILES), old)
            inside.rename_folder((*self._key, self._new), OUTPUT_FILES)
            inside.write(*self._key, OUTPUT_JSON, body=document)
            inside.remove_folder(*self._key, old)

    def clean(self) -> None:
        """Removes the new folder."""
        with self._inside as inside:
            remove_leftovers(inside, self._key)

    def _names(self, folder: str, entry: FileEntry) -> Names:
        return (*self._key, folder, *entry.path.split("/"))


def remove_leftovers(inside: InsideTrees, key: Names) -> None:
    """Removes the folders that a write has left behind which did not come to its end."""
    for name in inside.names_in(*key):
        if name.startswith((_NEW, _OLD)):
            with suppress(OSError):  # it is something that a person has put there
                inside.remove_folder(*key, name)


def remove_files(inside: InsideTrees, key: Names) -> None:
    """Removes the files of a result that is none any more, or is one content now."""
    names = inside.names_in(*key)
    if len(names) > 1:  # besides output.json, the usual case is nothing
        remove_leftovers(inside, key)
    if OUTPUT_FILES in names:
        inside.remove_folder(*key, OUTPUT_FILES)
