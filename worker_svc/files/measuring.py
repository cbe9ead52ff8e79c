"""Measures files: the size, the digest and the media type of each, as their manifest names them."""

from __future__ import annotations

import codecs
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from signoff.manifest.manifest import FileEntry, shown
from signoff.plan.inputs import media_type_of
from worker_svc.files.aside import Tick
from worker_svc.files.opening import FilesRefused, opened_file, pieces_of


def measured(folder: Path, paths: Sequence[str], tick: Tick) -> list[FileEntry]:
    """Returns an entry for each file below a folder. Blocks: call it in a thread.

    Raises FilesRefused for a file that changes while it is read, and OSError.
    """
    return [_measured(folder, path, tick) for path in paths]


def _measured(folder: Path, path: str, tick: Tick) -> FileEntry:
    digest, text = hashlib.sha256(), TextTest()
    with opened_file(folder, path) as descriptor:
        before = os.fstat(descriptor)
        for piece in pieces_of(descriptor, before.st_size, path):
            tick()
            digest.update(piece)
            text.add(piece)
        check_unchanged(descriptor, before, path)
    media_type = media_type_of(path, is_text=text.is_text())
    return FileEntry(path=path, media_type=media_type, size=before.st_size, digest=digest.hexdigest())


def check_unchanged(descriptor: int, before: os.stat_result, path: str) -> None:
    """Raises FilesRefused when a file is not as it was."""
    now = os.fstat(descriptor)
    # guard: a file that changes while it is read is refused -> if False:
    if (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        grown = f"it had {before.st_size:,} bytes, and now {now.st_size:,}"
        raise FilesRefused(f"{shown(path)} was changed while it was read: {grown}")


class TextTest:
    """Tells whether a file that comes in pieces is a text in UTF-8."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._is_text = True

    def add(self, piece: bytes) -> None:
        self._is_text = self._is_text and b"\0" not in piece and self._decodes(piece, final=False)

    def is_text(self) -> bool:
        """Tells it of the whole file: nothing more comes."""
        return self._is_text and self._decodes(b"", final=True)

    def _decodes(self, piece: bytes, *, final: bool) -> bool:
        try:
            self._decoder.decode(piece, final)
        except UnicodeDecodeError:
            return False
        return True
