"""The store without a disk: the reference for the others, and the store of tests."""

from __future__ import annotations

import asyncio
import math
import time
import uuid
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from itertools import islice

from runner_svc.store.port import Checkpoint, Checkpointed, InObjects, Listed, ListingQuery, Purged, Removal, Row
from signoff.errors import StorageFailed


class MemoryStore:
    """A store in dicts, which lives as long as the object does."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """`clock`: tells the seconds by which contents age."""
        self._clock = clock
        self._epoch = 0
        self._journal_id = uuid.uuid4().hex
        self._rows: list[Row] = []
        self._places: list[int] = []  # of the rows, in order: what a prune takes away leaves gaps
        self._journals: dict[str, list[Row]] = {}
        self._contents: dict[str, bytes] = {}
        self._objects: dict[str, int] = {}  # sizes of the contents that lie in the object store
        self._put_at: dict[str, float] = {}
        self._staged: dict[str, dict[str, float]] = {}  # by digest: the leases that brought it, and when
        self._maps: dict[str, tuple[bytes, ...]] = {}
        self._last = 0  # the place of the last row that was ever added
        self._covered = 0
        self._runner = b""
        self._executions: dict[str, bytes] = {}
        self._tasks: dict[str, dict[int, bytes]] = {}
        self._listed: dict[str, Listed] = {}
        self._numbers: dict[str, int] = {}  # of the index, by journal: they stay
        self._is_listed = False

    @property
    def rows(self) -> Sequence[Row]:
        """Everything that was committed, in order; for tests."""
        return self._rows

    async def open(self) -> int:
        self._epoch += 1
        return self._epoch

    async def owned(self) -> None:
        await asyncio.get_running_loop().create_future()  # no other runner can take it while this process lives

    async def journal_id(self) -> str:
        return self._journal_id

    async def append(
        self,
        rows: Sequence[Row],
        contents: Mapping[str, bytes],
        listed: Sequence[Listed] = (),
        named: Sequence[str] = (),
    ) -> None:
        heads: dict[str, int] = {}
        for row in rows:
            head = heads.get(row.journal, len(self._journals.get(row.journal, ())))
            if row.sequence != head + 1:
                raise StorageFailed(f"expected row {head + 1} of journal {row.journal!r}, but got {row.sequence}")
            heads[row.journal] = row.sequence
        for row in rows:
            self._journals.setdefault(row.journal, []).append(row)
            self._place(row)
        self._put(contents, {})
        for digest in named:
            self._staged.pop(digest, None)
        self._listed.update({each.journal: each for each in listed})
        self._number(listed)

    def _place(self, row: Row) -> None:
        self._last += 1
        self._rows.append(row)
        self._places.append(self._last)

    def _put(self, contents: Mapping[str, bytes], objects: Mapping[str, int]) -> None:
        self._insert(contents, objects)
        for digest in (*contents, *objects):
            self._staged.pop(digest, None)

    def _insert(self, contents: Mapping[str, bytes], objects: Mapping[str, int]) -> None:
        self._contents |= {digest: body for digest, body in contents.items() if digest not in self._objects}
        self._objects |= {digest: size for digest, size in objects.items() if digest not in self._contents}
        self._put_at.update(dict.fromkeys((*contents, *objects), self._clock()))

    async def everything(self, after: int, limit: int) -> tuple[Sequence[Row], int]:
        start = bisect_right(self._places, after)
        rows = self._rows[start : start + limit]
        return rows, self._places[start + len(rows) - 1] if rows else after

    async def read(self, journal: str, after: int, limit: int) -> Sequence[Row]:
        return self._journals.get(journal, [])[after : after + limit]

    async def heads(self, journals: Sequence[str]) -> Mapping[str, int]:
        return {journal: len(self._journals.get(journal, ())) for journal in journals}

    async def journals(self, until: int) -> Sequence[str]:
        return sorted({row.journal for row in self._rows[: bisect_right(self._places, until)]})

    async def put_content(self, digest: str, body: bytes) -> None:
        self._put({digest: body}, {})

    async def put_object(self, digest: str, size: int) -> None:
        self._put({}, {digest: size})

    async def stage(self, lease: str, contents: Mapping[str, bytes], objects: Mapping[str, int]) -> None:
        own = [digest for digest in (*contents, *objects) if not self._is_kept(digest)]
        self._insert(contents, objects)
        for digest in own:
            self._staged.setdefault(digest, {})[lease] = self._clock()

    def _is_kept(self, digest: str) -> bool:
        return digest in self._put_at and digest not in self._staged

    async def drop_staged(self, leases: Set[str], older_than: float) -> Sequence[tuple[str, int]]:
        before, gone = self._clock() - older_than, list[tuple[str, int]]()
        for digest, staged in list(self._staged.items()):
            for lease in [lease for lease, at in staged.items() if at < before and lease not in leases]:
                del staged[lease]
            if not staged:
                del self._staged[digest]
                gone.append((digest, self._size(digest)))
                self._forget(digest)
        return gone

    def _size(self, digest: str) -> int:
        return self._objects[digest] if digest in self._objects else len(self._contents[digest])

    def _forget(self, digest: str) -> None:
        self._contents.pop(digest, None)
        self._objects.pop(digest, None)
        del self._put_at[digest]

    async def content(self, digest: str) -> bytes | InObjects | None:
        return InObjects(self._objects[digest]) if digest in self._objects else self._contents.get(digest)

    async def is_object(self, digest: str) -> bool:
        return digest in self._objects

    async def known_contents(self, digests: Sequence[str]) -> Set[str]:
        return {digest for digest in digests if digest in self._put_at}

    async def renew_contents(self, digests: Sequence[str], lease: str = "") -> Mapping[str, int]:
        known = [digest for digest in digests if digest in self._put_at]
        self._put_at.update(dict.fromkeys(known, self._clock()))
        there = (digest for digest in known if self._is_kept(digest) or lease in self._staged.get(digest, ()))
        return {digest: self._size(digest) for digest in there}

    async def put_map(self, key: str, parts: Sequence[bytes]) -> None:
        self._maps.setdefault(key, tuple(parts))

    async def map_parts(self, key: str) -> Sequence[bytes] | None:
        return self._maps.get(key)

    async def map_part(self, key: str, after: int) -> tuple[int, bytes] | None:
        parts, number = self._maps.get(key, ()), after + 1
        return (number, parts[number]) if number < len(parts) else None

    async def checkpoint(self, taken: Checkpoint) -> None:
        self._covered, self._runner = self._last, taken.runner
        self._executions.update(taken.executions)
        for journal, number, body in taken.tasks:
            self._tasks.setdefault(journal, {})[number] = body

    async def checkpointed(self) -> Checkpointed:
        order = sorted(self._executions, key=lambda journal: self._numbers.get(journal, math.inf))
        executions = [self._executions[journal] for journal in order]
        return Checkpointed(position=self._covered, runner=self._runner, executions=executions)

    async def checkpointed_tasks(self, journal: str) -> Sequence[tuple[int, bytes]]:
        return [*self._tasks.get(journal, {}).items()]

    async def checkpointed_task(self, journal: str, number: int) -> bytes | None:
        return self._tasks.get(journal, {}).get(number)

    async def is_listed(self) -> bool:
        return self._is_listed

    async def list_anew(self, listed: Sequence[Listed], *, is_whole: bool = True) -> None:
        self._listed, self._is_listed = {each.journal: each for each in listed}, is_whole
        self._numbers.clear()
        self._number(listed)

    def _number(self, listed: Iterable[Listed]) -> None:
        for each in listed:
            self._numbers.setdefault(each.journal, len(self._numbers) + 1)

    async def listed(self, query: ListingQuery) -> Sequence[tuple[int, str]]:
        rows = [(self._numbers[each.journal], each) for each in self._listed.values() if _lets_through(query, each)]
        found = (
            (number, each.journal) for number, each in reversed(rows) if query.older is None or number < query.older
        )
        return [*islice(found, query.limit)]

    async def count_listed(self) -> int:
        return len(self._listed)

    async def listed_as(self, journal: str) -> Listed | None:
        return self._listed.get(journal)

    # ------------------------------------------------------------ what a prune takes away

    async def remove(self, removal: Removal) -> None:
        own = removal.row
        if own.sequence != len(self._journals.get(own.journal, ())) + 1:
            raise StorageFailed(f"expected another row of the runner's own journal, but got {own.sequence}")
        self._journals.setdefault(own.journal, []).append(own)
        self._place(own)
        gone = {*removal.whole, *(journal for journal, _ in removal.histories)}
        stay = [number for number, row in enumerate(self._rows) if row.journal not in gone]
        self._rows, self._places = [self._rows[n] for n in stay], [self._places[n] for n in stay]
        for journal in gone:
            self._journals.pop(journal, None)
        for journal in removal.whole:
            for kept in (self._executions, self._tasks, self._listed):
                kept.pop(journal, None)
        self._executions.update(removal.histories)

    async def purge(self, limit: int) -> Purged:
        return Purged(rows=0, is_done=True)  # memory is given back at once

    async def sizes(self, after: str, limit: int, older_than: float) -> Sequence[tuple[str, int]]:
        found = sorted(digest for digest in self._put_at if digest > after and self._is_older(digest, older_than))
        return [(digest, self._size(digest)) for digest in found[:limit]]

    def _is_older(self, digest: str, older_than: float) -> bool:
        return self._is_kept(digest) and self._put_at[digest] < self._clock() - older_than

    async def drop_contents(self, digests: Sequence[str], older_than: float) -> Sequence[str]:
        gone = [digest for digest in digests if self._is_older(digest, older_than)]
        for digest in gone:
            self._forget(digest)
        return gone

    async def maps(self, after: str, limit: int) -> Sequence[str]:
        return sorted(key for key in self._maps if key > after)[:limit]

    async def drop_map(self, key: str) -> None:
        self._maps.pop(key, None)

    async def shrink(self) -> bool:
        return False

    async def close(self) -> None:
        """Does nothing: there is nothing to release."""


def _lets_through(query: ListingQuery, row: Listed) -> bool:
    return row.journal in query.besides or (
        query.plan_id in ("", row.plan_id)
        and (not query.states or row.state in query.states)
        and (not query.needs or bool(row.needs & query.needs))
        and (query.created_from is None or row.created_at >= query.created_from)
        and (query.created_before is None or row.created_at < query.created_before)
        and query.text in row.text
    )
