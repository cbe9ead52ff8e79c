"""What a store promises. Memory is the reference; one conformance suite runs over all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

StandsBy = Callable[[str], Awaitable[None]]  # is told whose the store is, when that is first seen and when it changes


@dataclass(frozen=True, slots=True)
class Row:
    """One event of one journal, as bytes. The runner's own journal has the empty name."""

    journal: str
    sequence: int  #: 1-based, without gaps
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What has changed in the state since the last checkpoint; bodies are opaque to the store."""

    runner: bytes
    executions: Sequence[tuple[str, bytes]]  #: journal and body, in the order the executions were created
    tasks: Sequence[tuple[str, int, bytes]]  #: journal, number and body


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpointed:
    """The state as the last checkpoint left it, without the tasks."""

    position: int  #: of the last row that it covers; 0: there is no checkpoint
    runner: bytes
    executions: Sequence[bytes]  #: in the order the executions were created


class Store(Protocol):
    """Journals, contents and maps.

    Every method may raise StorageFailed; then nothing of what it was asked to write is visible, now or after a restart.
    What a write has returned from survives the end of the process and of the machine.
    """

    async def open(self) -> int:
        """Makes the store ready, migrating it forward when it is older. Returns the epoch: it grows with every open.

        Raises ConfigurationError when another runner has it open, unless it was made to stand by until it is free, or
        when it is from a newer version.
        """

    async def owned(self) -> None:
        """Waits for as long as the store is this runner's. Raises OwnershipLost once another one has taken it."""

    async def append(self, rows: Sequence[Row], contents: Mapping[str, bytes]) -> None:
        """Adds rows and contents in one transaction: all of them, or nothing.

        Raises StorageFailed also when a row is not the next one of its journal.
        """

    async def everything(self, after: int, limit: int) -> tuple[Sequence[Row], int]:
        """Rows of all journals in the order they were committed, and the position to go on after; begin after 0."""

    async def read(self, journal: str, after: int, limit: int) -> Sequence[Row]:
        """Rows of one journal with a sequence larger than `after`, in order."""

    async def heads(self, journals: Sequence[str]) -> Mapping[str, int]:
        """The last sequence of each of these journals; 0 for one without rows."""

    async def put_content(self, digest: str, body: bytes) -> None:
        """Keeps bytes under their SHA-256; putting them again changes nothing."""

    async def content(self, digest: str) -> bytes | None: ...

    async def put_map(self, key: str, parts: Sequence[bytes]) -> None:
        """Keeps the MapParts of a map, serialized, in order; putting them again changes nothing."""

    async def map_parts(self, key: str) -> Sequence[bytes] | None: ...

    async def map_part(self, key: str, after: int) -> tuple[int, bytes] | None:
        """The first part with a number larger than `after`, and its number; begin after -1. None: there is none."""

    async def checkpoint(self, taken: Checkpoint) -> None:
        """Keeps, in one transaction, the state as of everything that was appended so far.

        Bodies replace those of the same execution or task from earlier checkpoints.
        """

    async def checkpointed(self) -> Checkpointed: ...

    async def checkpointed_tasks(self, journal: str) -> Sequence[tuple[int, bytes]]:
        """Number and body of the tasks of one execution, in no particular order."""

    async def close(self) -> None:
        """Lets another runner open it."""
