"""The promises of a store. The memory store is the reference; one conformance suite runs over all stores."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

StandsBy = Callable[[str], Awaitable[None]]  # receives the store's owner when it is first seen and when it changes

PUT_AGAIN_AFTER = 600  # seconds after which putting a content again makes it young: each time would write its row again


STAGED_AT_ONCE = 500  # contents brought under leases that are dropped in one transaction


@dataclass(frozen=True, slots=True)
class InObjects:
    """The answer to a question for the bytes of a content: they lie in the object store."""

    size: int  #: bytes


@dataclass(frozen=True, slots=True)
class Row:
    """One event of one journal, as bytes. The runner's own journal has the empty name."""

    journal: str
    sequence: int  #: 1-based, without gaps
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A row of the index of executions: what lists are filtered by."""

    journal: str
    plan_id: str
    state: int
    needs: int  #: bits
    created_at: float  #: Unix time in seconds
    text: str  #: in small letters, without NUL


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingQuery:
    """A question to the index. Filters that are empty let everything through."""

    older: int | None  #: only rows with a smaller number
    limit: int
    plan_id: str = ""
    states: Sequence[int] = ()
    needs: int = 0  #: any of these bits
    created_from: float | None = None
    created_before: float | None = None
    text: str = ""  #: a part of the row's text
    besides: Sequence[str] = ()  #: journals that are let through by all filters but `older`


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Changes of the state since the last checkpoint; bodies are opaque to the store."""

    runner: bytes
    executions: Sequence[tuple[str, bytes]]  #: journal and body, in the order the executions were created
    tasks: Sequence[tuple[str, int, bytes]]  #: journal, number and body


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpointed:
    """The state as the last checkpoint left it, without the tasks."""

    position: int  #: the position of the last row that it covers; 0: there is no checkpoint
    runner: bytes
    executions: Sequence[bytes]  #: in the order in which the executions were created


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """The executions that a prune takes away, and the row of the runner's own journal that says so."""

    row: Row
    whole: Sequence[str] = ()  #: journals of which nothing stays
    histories: Sequence[tuple[str, bytes]] = ()  #: journals of which only the checkpoint stays, with its new body


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """The result of one step of a purge."""

    rows: int
    is_done: bool  #: nothing is left to purge


class Store(Protocol):
    """Journals, contents and maps.

    Every method may raise StorageFailed; then nothing that it was to write is visible, now or after a restart.
    When a write has returned, its data survives the end of the process and of the machine.
    """

    async def open(self) -> int:
        """Makes the store ready, migrating an older one forward. Returns the epoch, which grows with every open.

        Raises ConfigurationError when the store is from a newer version. Raises it also when another runner has the
        store open, unless this one stands by until it is free.
        """

    async def owned(self) -> None:
        """Waits for as long as this runner owns the store. Raises OwnershipLost once another one has taken it.

        So it does once the file of the store is gone. Writes are refused with OwnershipLost from then on.
        """

    async def journal_id(self) -> str:
        """Returns the id that was made with the store, and that no other store has."""

    async def append(
        self,
        rows: Sequence[Row],
        contents: Mapping[str, bytes],
        listed: Sequence[Listed] = (),
        named: Sequence[str] = (),
    ) -> None:
        """Adds rows and contents, and renews rows of the index, in one transaction: all of them, or nothing.

        `named`: contents that were brought under leases, and that the rows name; from now on they are kept. Raises
        StorageFailed also for a row that is not the next one of its journal.
        """

    async def everything(self, after: int, limit: int) -> tuple[Sequence[Row], int]:
        """Returns rows of all journals as they were committed, and the position to go on after; begin after 0."""

    async def read(self, journal: str, after: int, limit: int) -> Sequence[Row]:
        """Returns rows of one journal with a sequence larger than `after`, in order."""

    async def heads(self, journals: Sequence[str]) -> Mapping[str, int]:
        """Returns the last sequence of each journal; 0 for one without rows."""

    async def journals(self, until: int) -> Sequence[str]:
        """Returns the names of all journals whose first row stands at a position or before it, in no order of time."""

    async def put_content(self, digest: str, body: bytes) -> None:
        """Keeps bytes under their SHA-256; putting them again changes nothing but their age."""

    async def put_object(self, digest: str, size: int) -> None:
        """Keeps a content whose bytes lie in the object store, as `put_content` does."""

    async def stage(self, lease: str, contents: Mapping[str, bytes], objects: Mapping[str, int]) -> None:
        """Keeps contents that were brought under a lease until an event names them, or the lease has ended.

        Until then they count as absent for everyone else. `objects`: sizes of those that lie in the object store. A
        content that is kept already stays so.
        """

    async def drop_staged(self, leases: Set[str], older_than: float) -> Sequence[tuple[str, int]]:
        """Removes contents that no event has named, of all leases but these, once they are so many seconds old.

        Returns digests and sizes of those that are gone, at most STAGED_AT_ONCE; none: nothing is left to remove.
        """

    async def content(self, digest: str) -> bytes | InObjects | None: ...

    async def is_object(self, digest: str) -> bool:
        """Tells whether a content lies in the object store, without reading it."""

    async def known_contents(self, digests: Sequence[str]) -> Set[str]:
        """Returns those of at most 1,000 digests that have a content, whether or not an event has named it."""

    async def renew_contents(self, digests: Sequence[str], lease: str = "") -> Mapping[str, int]:
        """Makes the contents that are there young again, as putting them does. Returns their sizes in bytes.

        `lease`: those that were brought under it are there, too. At most 1,000 are named at once.
        """

    async def put_map(self, key: str, parts: Sequence[bytes]) -> None:
        """Keeps the MapParts of a map, serialized, in order; putting them again changes nothing."""

    async def map_parts(self, key: str) -> Sequence[bytes] | None: ...

    async def map_part(self, key: str, after: int) -> tuple[int, bytes] | None:
        """Returns the first part with a number larger than `after`, and its number; begin after -1. None: no part."""

    async def checkpoint(self, taken: Checkpoint) -> None:
        """Keeps, in one transaction, the state after everything that was appended so far.

        Bodies replace those of the same execution or task from earlier checkpoints.
        """

    async def checkpointed(self) -> Checkpointed:
        """Returns the last checkpoint. Its executions are in the order of the index; those that it lacks come last."""

    async def checkpointed_tasks(self, journal: str) -> Sequence[tuple[int, bytes]]:
        """Returns number and body of the tasks of one execution, in no particular order."""

    async def checkpointed_task(self, journal: str, number: int) -> bytes | None:
        """Returns the body of one task of an execution; None: it has none."""

    async def is_listed(self) -> bool:
        """Tells whether the index has all executions. It has not in a store that an earlier version has written."""

    async def list_anew(self, listed: Sequence[Listed], *, is_whole: bool = True) -> None:
        """Replaces the index by the rows of all executions, in the order of their creation.

        `is_whole`: all of them are right, and it need not be done again.
        """

    async def listed(self, query: ListingQuery) -> Sequence[tuple[int, str]]:
        """Returns number and journal of the executions that a query lets through, the newest first.

        Numbers grow in the order of creation, and stay.
        """

    async def count_listed(self) -> int:
        """Returns how many rows the index has."""

    async def listed_as(self, journal: str) -> Listed | None:
        """Returns the row of an execution in the index."""

    # ------------------------------------------------------------ what a prune takes away

    async def remove(self, removal: Removal) -> None:
        """Adds the row and takes executions away, in one transaction: all of it, or nothing.

        Their rows are gone at once for every reader, and so is all else of those that go whole. The disk is given back
        by `purge`, whenever that comes. The others keep their tasks and their rows of the index.
        """

    async def purge(self, limit: int) -> Purged:
        """Takes about `limit` rows of removed executions off the disk. Call it until it is done."""

    async def sizes(self, after: str, limit: int, older_than: float) -> Sequence[tuple[str, int]]:
        """Returns digests and sizes of kept contents, in the order of their digests; begin after "".

        Only contents that were last put more than `older_than` seconds ago. A content that is put again within
        PUT_AGAIN_AFTER may stay as old as it was.
        """

    async def drop_contents(self, digests: Sequence[str], older_than: float) -> Sequence[str]:
        """Removes kept contents, but for those that were put since. Returns the digests of those that are gone."""

    async def maps(self, after: str, limit: int) -> Sequence[str]:
        """Returns keys of maps in their order; begin after ""."""

    async def drop_map(self, key: str) -> None: ...

    async def shrink(self) -> bool:
        """Gives some of the room of what was removed back to the disk. Returns True when there is more to give."""

    async def close(self) -> None:
        """Closes the store, so that another runner can open it."""
