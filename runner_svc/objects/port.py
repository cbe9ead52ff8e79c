"""The promises of an object store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

PIECE_BYTES = 256 * 1024  # the most that a read holds in memory: there may be 64 of them, and clients that wait


class Objects(Protocol):
    """Objects by the SHA-256 of their bytes. Every method may raise StorageFailed."""

    async def open(self) -> None:
        """Makes the store ready, and removes what was being put when an earlier runner died."""

    async def put(self, digest: str, pieces: AsyncIterator[bytes]) -> None:
        """Keeps the bytes; once it returns they survive the end of the process and of the machine.

        Whatever ends it before, also an error that `pieces` raises, nothing is left behind. Putting an object again
        changes nothing.
        """

    def read(self, digest: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Yields the bytes from one place up to another, in pieces of at most PIECE_BYTES.

        Raises StorageFailed, which says `is_lost` for an object that is not there or ends before.
        """

    async def delete(self, digests: Sequence[str]) -> None:
        """Removes objects; those that are not there are passed over."""

    def listed(self) -> AsyncIterator[Sequence[str]]:
        """Yields the digests of all objects, some at a time, in no particular order."""

    async def close(self) -> None: ...
