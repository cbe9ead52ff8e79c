"""The promises of an object store."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

MARKER = "journal-id"  # the name of the object that tells whose the others are
PIECE_BYTES = 256 * 1024  # the most that a read holds in memory: there may be 64 of them, and clients that wait


class Objects(Protocol):
    """Objects by the SHA-256 of their bytes. Every method may raise StorageFailed."""

    where: str  #: the folder or the URL, for messages

    async def open(self) -> None:
        """Makes the store ready. It changes nothing that is there: another runner may be using it."""

    async def owner(self) -> str:
        """Returns the id of the journal that the objects belong to; empty: none has taken them yet."""

    async def take(self, journal: str) -> None:
        """Writes down, in the object MARKER, that the objects belong to a journal. Call it while they have no owner."""

    async def remove_unfinished(self) -> None:
        """Removes what was being put when an earlier runner died."""

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
        """Removes objects; those that are not there are passed over. One that is refused does not keep the others."""

    def listed(self, before: float = math.inf) -> AsyncIterator[Sequence[str]]:
        """Yields the digests of objects that were put before a Unix time, some at a time, in no particular order."""

    async def close(self) -> None: ...
