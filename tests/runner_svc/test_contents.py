"""Contents that are sent: each is read once for all receivers, and all together have a bound in bytes."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from runner_svc import contents
from runner_svc.contents import Contents
from runner_svc.store.memory import MemoryStore
from runner_svc.store.port import InObjects
from signoff.errors import StorageFailed, TooManyStreams


class CountingStore(MemoryStore):
    """A store that counts its reads, and can be held up."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []
        self.go = asyncio.Event()
        self.go.set()

    async def content(self, digest: str) -> bytes | InObjects | None:
        self.reads.append(digest)
        await self.go.wait()
        return await super().content(digest)


@pytest.fixture
async def store() -> CountingStore:
    made = CountingStore()
    for digest in "abc":
        await made.put_content(digest, digest.encode() * 100)
    return made


@pytest.mark.guard(name="a content is read once")
async def test_those_who_want_the_same_share_one_reading(store: CountingStore) -> None:
    kept, got = Contents(store, limit=0), list[bytes]()
    store.go.clear()

    async def send() -> None:
        async with kept.lent("a", 100) as body:
            got.append(body)
            await asyncio.sleep(0)

    sending = [asyncio.create_task(send()) for _ in range(20)]
    await asyncio.sleep(0)
    store.go.set()
    await asyncio.gather(*sending)
    assert (store.reads, len({id(body) for body in got})) == (["a"], 1)
    await send()
    assert store.reads == ["a", "a"], "nothing is kept without a user"


@pytest.mark.guard(name="bytes that are sent at once")
async def test_what_does_not_fit_beside_the_others_waits_for_them(
    store: CountingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "LENT_BYTES", 250)
    kept = Contents(store, limit=0)
    async with AsyncExitStack() as stack:
        for digest in "aabb":
            await stack.enter_async_context(kept.lent(digest, 100))
        waiting = asyncio.create_task(_sent(kept, "c"))
        await asyncio.wait([waiting], timeout=0.05)
        assert not waiting.done()
    assert await waiting == b"c" * 100


async def test_one_that_finds_no_room_for_too_long_is_refused(
    store: CountingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "LENT_BYTES", 150)
    monkeypatch.setattr(contents, "WAIT", 0.01)
    kept = Contents(store, limit=0)
    async with kept.lent("a", 100):
        with pytest.raises(TooManyStreams, match="expected room for an artifact of 100 bytes, but 100 bytes of others"):
            await _sent(kept, "b")
    assert await _sent(kept, "b") == b"b" * 100


async def test_one_that_is_larger_than_all_that_may_be_sent_is_sent_alone(
    store: CountingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "LENT_BYTES", 10)
    assert await _sent(Contents(store, limit=0), "a") == b"a" * 100


async def test_one_that_the_store_has_lost_is_an_error_for_all_and_can_be_asked_for_again(store: CountingStore) -> None:
    kept = Contents(store, limit=0)
    for error in await asyncio.gather(*(_sent(kept, "x") for _ in range(3)), return_exceptions=True):
        assert isinstance(error, StorageFailed)
    await store.put_content("x", b"found")
    assert await _sent(kept, "x") == b"found"


async def test_one_who_leaves_while_it_is_read_takes_nothing_from_the_others(store: CountingStore) -> None:
    kept = Contents(store, limit=0)
    store.go.clear()
    first, second = asyncio.create_task(_sent(kept, "a")), asyncio.create_task(_sent(kept, "a"))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    store.go.set()
    assert await second == b"a" * 100
    assert not kept._lent


async def _sent(kept: Contents, digest: str) -> bytes:
    async with kept.lent(digest, 100) as body:
        return body
