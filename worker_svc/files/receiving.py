"""Writes the files of an artifact as their bytes come, and compares each of them with the manifest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from signoff.errors import SignoffError
from signoff.manifest.manifest import FileEntry, Manifest, shown
from signoff.v1 import runner_pb2

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


class ReceivedFiles:
    """Files that come one after the other, in the order of their manifest. Blocks: call it in a thread.

    It raises SignoffError for anything but the bytes that the manifest names, and OSError for a disk without room.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder = folder
        self._waiting = iter(manifest.files)
        self._expected: FileEntry | None = None  # of the file that comes
        self._file = -1
        self._size = 0
        self._digest = hashlib.sha256()
        self._made = {folder}  # folders

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _where: TracebackType | None) -> None:
        self._close()

    def take(self, messages: Iterable[runner_pb2.GetArtifactResponse]) -> None:
        for message in messages:
            if message.HasField("file"):
                self._finish()
                self._begin(message.file)
            if message.chunk:
                self._add(message.chunk)

    def end(self) -> None:
        """Takes note that nothing more comes."""
        self._finish()
        if (missing := next(self._waiting, None)) is not None:
            raise SignoffError(f"expected a file {shown(missing.path)}, but the runner sent none")

    def _begin(self, told: runner_pb2.FileEntry) -> None:
        expected = next(self._waiting, None)
        # guard: a worker takes only the files of the manifest -> if expected is None:
        if expected is None or (told.path, told.digest) != (expected.path, expected.digest):
            wanted = f"a file {shown(expected.path)} with SHA-256 {expected.digest}" if expected else "no more files"
            raise SignoffError(f"expected {wanted}, but the runner sent {shown(told.path)} with SHA-256 {told.digest}")
        self._expected, self._size, self._digest = expected, 0, hashlib.sha256()
        place = self._folder / expected.path
        if place.parent not in self._made:
            place.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(place.parent)
        self._file = os.open(place, _NEW, 0o600)

    def _add(self, chunk: bytes) -> None:
        if self._expected is None:
            raise SignoffError(f"expected the name of a file first, but the runner sent {len(chunk):,} bytes")
        self._size += len(chunk)
        if self._size > self._expected.size:
            raise SignoffError(f"{self._wanted(self._expected)}, but the runner sent {self._size:,} bytes or more")
        self._digest.update(chunk)
        left = memoryview(chunk)
        while left:
            left = left[os.write(self._file, left) :]

    def _finish(self) -> None:
        """Compares the file that has come with what was expected."""
        expected, self._expected = self._expected, None
        self._close()
        digest = self._digest.hexdigest()
        # guard: each file of an input has its digest -> if False:
        if expected is not None and (self._size, digest) != (expected.size, expected.digest):
            got = f"{self._size:,} bytes with SHA-256 {digest}"
            raise SignoffError(f"{self._wanted(expected)}, but the runner sent {got}")

    @staticmethod
    def _wanted(file: FileEntry) -> str:
        return f"expected {shown(file.path)} with {file.size:,} bytes and SHA-256 {file.digest}"

    def _close(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)
