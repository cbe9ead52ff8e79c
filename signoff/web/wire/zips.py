"""Zip files that are made while they are sent: nothing of them is kept, and memory stays flat.

The larger headers of ZIP64 are used where a file needs them, and for the directory of very many files.
"""

from __future__ import annotations

import zipfile
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC

from google.protobuf.timestamp_pb2 import Timestamp

LEVEL = 1  # of compression: a worker of the door's loop must not be busy for long
BIG = 2**31 - 2**20  # bytes, from which on a file takes the larger headers
OLDEST, NEWEST = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)  # that a zip file can tell

_PACKED = frozenset(  # already: to pack them again takes time for nothing
    {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "application/zip", "application/gzip",
     "video/mp4", "audio/mpeg"}
)  # fmt: skip


class _Sink:
    """Takes what the zip file writes, and hands it on. It cannot seek, so the file is written front to back."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        return None

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


class ZipStream:
    """A zip file in the making. What is ready is yielded by `add`, and returned by `end`."""

    def __init__(self) -> None:
        self._sink = _Sink()
        self._file = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL)  # type: ignore[call-overload]

    async def add(
        self, path: str, at: Timestamp, media_type: str, size: int, chunks: AsyncGenerator[bytes, None]
    ) -> AsyncGenerator[bytes, None]:
        """Adds a file. An error of its chunks leaves the zip file broken off, without a directory."""
        entry = zipfile.ZipInfo(path, _moment(at))
        entry.compress_type = zipfile.ZIP_STORED if media_type in _PACKED else zipfile.ZIP_DEFLATED
        entry.external_attr = 0o644 << 16
        async with aclosing(chunks):
            with self._file.open(entry, "w", force_zip64=size >= BIG) as writer:
                async for chunk in chunks:
                    writer.write(chunk)
                    yield self._sink.take()
        yield self._sink.take()

    def add_text(self, path: str, body: bytes) -> None:
        """Adds a small file."""
        self._file.writestr(path, body)

    def end(self) -> bytes:
        """Writes the directory, and returns all that is left."""
        self._file.close()
        return self._sink.take()


def _moment(at: Timestamp) -> tuple[int, int, int, int, int, int]:
    moment = at.ToDatetime(UTC)
    own = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
    return min(NEWEST, max(OLDEST, own))
