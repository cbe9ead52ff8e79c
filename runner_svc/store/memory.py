"""The store without a disk: the reference for the others, and the store of tests."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import islice

from runner_svc.store.port import Checkpoint, Checkpointed, Listed, ListingQuery, Row
from signoff.errors import StorageFailed


class MemoryStore:
    """A store in dicts, which lives as long as the object does."""

    def __init__(self) -> None:
        self._epoch = 0
        self._rows: list[Row] = []
        self._journals: dict[str, list[Row]] = {}
        self._contents: dict[str, bytes] = {}
        self._maps: dict[str, tuple[bytes, ...]] = {}
        self._covered = 0
        self._runner = b""
        self._executions: dict[str, bytes] = {}
        self._tasks: dict[str, dict[int, bytes]] = {}
        self._listed: dict[str, Listed] = {}
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

    async def append(self, rows: Sequence[Row], contents: Mapping[str, bytes], listed: Sequence[Listed] = ()) -> None:
        heads: dict[str, int] = {}
        for row in rows:
            head = heads.get(row.journal, len(self._journals.get(row.journal, ())))
            if row.sequence != head + 1:
                raise StorageFailed(f"expected row {head + 1} of journal {row.journal!r}, but got {row.sequence}")
            heads[row.journal] = row.sequence
        for row in rows:
            self._journals.setdefault(row.journal, []).append(row)
        self._rows.extend(rows)
        self._contents.update(contents)
        self._listed.update({each.journal: each for each in listed})

    async def everything(self, after: int, limit: int) -> tuple[Sequence[Row], int]:
        rows = self._rows[after : after + limit]
        return rows, after + len(rows)

    async def read(self, journal: str, after: int, limit: int) -> Sequence[Row]:
        return self._journals.get(journal, [])[after : after + limit]

    async def heads(self, journals: Sequence[str]) -> Mapping[str, int]:
        return {journal: len(self._journals.get(journal, ())) for journal in journals}

    async def put_content(self, digest: str, body: bytes) -> None:
        self._contents.setdefault(digest, body)

    async def content(self, digest: str) -> bytes | None:
        return self._contents.get(digest)

    async def content_sizes(self, digests: Sequence[str]) -> Mapping[str, int]:
        return {digest: len(self._contents[digest]) for digest in digests if digest in self._contents}

    async def put_map(self, key: str, parts: Sequence[bytes]) -> None:
        self._maps.setdefault(key, tuple(parts))

    async def map_parts(self, key: str) -> Sequence[bytes] | None:
        return self._maps.get(key)

    async def map_part(self, key: str, after: int) -> tuple[int, bytes] | None:
        parts, number = self._maps.get(key, ()), after + 1
        return (number, parts[number]) if number < len(parts) else None

    async def checkpoint(self, taken: Checkpoint) -> None:
        self._covered, self._runner = len(self._rows), taken.runner
        self._executions.update(taken.executions)
        for journal, number, body in taken.tasks:
            self._tasks.setdefault(journal, {})[number] = body

    async def checkpointed(self) -> Checkpointed:
        return Checkpointed(position=self._covered, runner=self._runner, executions=[*self._executions.values()])

    async def checkpointed_tasks(self, journal: str) -> Sequence[tuple[int, bytes]]:
        return [*self._tasks.get(journal, {}).items()]

    async def is_listed(self) -> bool:
        return self._is_listed

    async def list_anew(self, listed: Sequence[Listed], *, is_whole: bool = True) -> None:
        self._listed, self._is_listed = {each.journal: each for each in listed}, is_whole

    async def listed(self, query: ListingQuery) -> Sequence[tuple[int, str]]:
        rows = [(number, each) for number, each in enumerate(self._listed.values(), 1) if _lets_through(query, each)]
        found = (
            (number, each.journal) for number, each in reversed(rows) if query.older is None or number < query.older
        )
        return [*islice(found, query.limit)]

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
