"""Contents that leases bring, events name and prunes drop, in any order: as a few sets say that it must be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner_svc.contents import LARGE_BYTES, Contents
from runner_svc.objects.folder import FolderObjects
from runner_svc.store.memory import MemoryStore
from runner_svc.store.port import Row, Store
from runner_svc.store.sqlite import SqliteStore
from tests.support.work.brought_files import digest_of

LEASES = ("l1", "l2", "l3")
BODIES = {digest_of(body): body for body in (b"a", b"b", b"c", b"x" * (LARGE_BYTES + 1), b"y" * (LARGE_BYTES + 2))}
DIGESTS = tuple(BODIES)
NOW = -1.0  # seconds: older than a second ahead


@dataclass(slots=True)
class Expected:
    """The contents that must be there, by a few sets."""

    kept: set[str] = field(default_factory=set)
    staged: dict[str, set[str]] = field(default_factory=dict)  #: by digest: the leases that have brought it

    def there_for(self, lease: str) -> set[str]:
        return self.kept | {digest for digest, leases in self.staged.items() if lease in leases}

    def keep(self, digests: set[str]) -> None:
        self.kept |= digests
        for digest in digests:
            self.staged.pop(digest, None)


Step = tuple[str, frozenset[str], frozenset[str]]  # what is done, digests, leases
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["bring", "name", "put", "leases end", "prune", "sweep"]),
        st.frozensets(st.sampled_from(DIGESTS), min_size=1, max_size=3),
        st.frozensets(st.sampled_from(LEASES), max_size=2),
    ),
    max_size=14,
)


class Play:
    """A store and its contents, beside what must be there."""

    def __init__(self, store: Store, objects: FolderObjects) -> None:
        self._store, self._contents = store, Contents(store, objects, limit=0)
        self._objects = objects
        self._expected = Expected()
        self._sequence = 0

    async def step(self, what: str, digests: frozenset[str], leases: frozenset[str]) -> None:
        steps: dict[str, Callable[[], Awaitable[None]]] = {
            "bring": lambda: self._bring(digests, leases),
            "name": lambda: self._name(set(digests)),
            "put": lambda: self._put(set(digests)),
            "leases end": lambda: self._end(set(leases)),
            "prune": lambda: self._prune(digests),
            "sweep": self._sweep,
        }
        await steps[what]()
        await self.check()

    async def _bring(self, digests: frozenset[str], leases: frozenset[str]) -> None:
        for lease in sorted(leases):
            for digest in sorted(digests):
                await self._contents.put(digest, BODIES[digest], lease)
                if digest not in self._expected.kept:
                    self._expected.staged.setdefault(digest, set()).add(lease)

    async def _name(self, digests: set[str]) -> None:
        digests &= {*self._expected.staged}  # a candidate names what is there
        self._sequence += 1
        await self._store.append([Row("e", self._sequence, b"event")], {}, (), sorted(digests))
        self._expected.keep(digests)

    async def _put(self, digests: set[str]) -> None:
        for digest in sorted(digests):
            await self._contents.put(digest, BODIES[digest])
        self._expected.keep(digests)

    async def _end(self, living: set[str]) -> None:
        while await self._contents.drop_staged(living, NOW):
            pass
        for digest, leases in list(self._expected.staged.items()):
            leases &= living
            if not leases:
                del self._expected.staged[digest]

    async def _prune(self, digests: frozenset[str]) -> None:
        gone = await self._contents.drop(sorted(digests), NOW)
        assert {*gone} == digests & self._expected.kept
        self._expected.kept -= digests

    async def _sweep(self) -> None:
        assert await self._contents.sweep(0) == 0, "no object is without a row"

    async def check(self) -> None:
        for lease in ("", *LEASES):
            there = await self._contents.sizes(DIGESTS, lease)
            assert {**there} == {digest: len(BODIES[digest]) for digest in self._expected.there_for(lease)}
        for digest in {*self._expected.kept, *self._expected.staged}:
            assert await self._contents.get(digest) == BODIES[digest]
        large = {digest for digest, body in BODIES.items() if len(body) > LARGE_BYTES}
        stored = {digest async for page in self._objects.listed() for digest in page}
        assert stored == large & {*self._expected.kept, *self._expected.staged}


def play(store: Store, folder: Path, steps: list[Step]) -> None:
    async def all_steps() -> None:
        objects = FolderObjects(folder)
        await store.open()
        await objects.open()
        try:
            made = Play(store, objects)
            for step in steps:
                await made.step(*step)
        finally:
            await store.close()

    asyncio.run(all_steps())


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_in_any_order_what_is_named_stays_and_what_is_not_goes_with_its_leases(
    kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    @settings(max_examples=60 if kind == "memory" else 25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(STEPS)
    def plays(steps: list[Step]) -> None:
        folder = tmp_path_factory.mktemp("play")
        play(MemoryStore() if kind == "memory" else SqliteStore(folder / "journal.db"), folder / "objects", steps)

    plays()
