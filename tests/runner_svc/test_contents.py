"""Contents that are sent: each is read once for all receivers, and all together have a bound in bytes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from runner_svc import contents
from runner_svc.contents import Contents
from runner_svc.objects.folder import FolderObjects
from runner_svc.store.memory import MemoryStore
from runner_svc.store.port import InObjects
from signoff.errors import StorageFailed, TooManyStreams

BODIES = b"a" * 100, b"b" * 100, b"c" * 100


def digest_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


A, B, C = (digest_of(body) for body in BODIES)


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
    for body in BODIES:
        await made.put_content(digest_of(body), body)
    return made


@pytest.mark.guard(name="a content is read once")
async def test_those_who_want_the_same_share_one_reading(store: CountingStore) -> None:
    kept, got = Contents(store, limit=0), list[bytes]()
    store.go.clear()

    async def send() -> None:
        async with kept.lent(A, 100) as body:
            got.append(body)
            await asyncio.sleep(0)

    sending = [asyncio.create_task(send()) for _ in range(20)]
    await asyncio.sleep(0)
    store.go.set()
    await asyncio.gather(*sending)
    assert (store.reads, len({id(body) for body in got})) == ([A], 1)
    await send()
    assert store.reads == [A, A], "nothing is kept without a user"


@pytest.mark.guard(name="bytes that are sent at once")
async def test_what_does_not_fit_beside_the_others_waits_for_them(
    store: CountingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "LENT_BYTES", 250)
    monkeypatch.setattr(contents, "LARGE_BYTES", 99)
    kept = Contents(store, limit=0)
    async with AsyncExitStack() as stack:
        for digest in (A, A, B, B):
            await stack.enter_async_context(kept.lent(digest, 100))
        waiting = asyncio.create_task(_sent(kept, C))
        await asyncio.wait([waiting], timeout=0.05)
        assert not waiting.done()
    assert await waiting == b"c" * 100


async def test_one_that_finds_no_room_for_too_long_is_refused(
    store: CountingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "LENT_BYTES", 150)
    monkeypatch.setattr(contents, "LARGE_BYTES", 99)
    monkeypatch.setattr(contents, "WAIT", 0.01)
    kept = Contents(store, limit=0)
    async with kept.lent(A, 100):
        with pytest.raises(TooManyStreams, match="expected room for an artifact of 100 bytes, but 100 bytes of others"):
            await _sent(kept, B)
    assert await _sent(kept, B) == b"b" * 100


async def test_one_that_is_larger_than_all_that_may_be_sent_is_sent_alone(
    store: CountingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "LENT_BYTES", 10)
    monkeypatch.setattr(contents, "LARGE_BYTES", 99)
    assert await _sent(Contents(store, limit=0), A) == b"a" * 100


@pytest.mark.parametrize(
    ("size", "to_worker"),
    [
        pytest.param(99, False, marks=pytest.mark.guard(name="small contents wait for no room")),
        pytest.param(100, True, marks=pytest.mark.guard(name="workers read beside clients")),
    ],
)
async def test_clients_with_large_contents_leave_room_to_small_ones_and_to_workers(
    store: CountingStore, monkeypatch: pytest.MonkeyPatch, size: int, to_worker: bool
) -> None:
    monkeypatch.setattr(contents, "LENT_BYTES", 10)
    monkeypatch.setattr(contents, "LARGE_BYTES", 99)
    monkeypatch.setattr(contents, "WAIT", 0.01)
    kept = Contents(store, limit=0)
    async with kept.lent(A, 100), kept.lent(B, size, to_worker=to_worker) as body:
        assert body == b"b" * 100


async def test_one_that_the_store_has_lost_is_an_error_for_all_and_can_be_asked_for_again(store: CountingStore) -> None:
    kept = Contents(store, limit=0)
    for error in await asyncio.gather(*(_sent(kept, digest_of(b"found")) for _ in range(3)), return_exceptions=True):
        assert isinstance(error, StorageFailed)
        assert error.is_lost
    await store.put_content(digest_of(b"found"), b"found")
    assert await _sent(kept, digest_of(b"found")) == b"found"


async def test_one_who_leaves_while_it_is_read_takes_nothing_from_the_others(store: CountingStore) -> None:
    kept = Contents(store, limit=0)
    store.go.clear()
    first, second = asyncio.create_task(_sent(kept, A)), asyncio.create_task(_sent(kept, A))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    store.go.set()
    assert await second == b"a" * 100
    assert not kept._lent_to_clients._lent


async def _sent(kept: Contents, digest: str) -> bytes:
    async with kept.lent(digest, 100) as body:
        return body


# ---------------------------------------------------------------- large contents


LARGE = b"x" * (contents.LARGE_BYTES + 1)
DIGEST = digest_of(LARGE)


class SlowObjects(FolderObjects):
    """An object store that puts an object, and says so only later."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.has_put, self.go = asyncio.Event(), asyncio.Event()

    async def put(self, digest: str, pieces: AsyncIterator[bytes]) -> None:
        await super().put(digest, pieces)
        self.has_put.set()
        await self.go.wait()


@pytest.mark.guard(name="an object whose row is to come stays")
async def test_no_sweep_takes_an_object_whose_row_is_still_to_come(tmp_path: Path) -> None:
    objects, store = SlowObjects(tmp_path), MemoryStore()
    await objects.open()
    kept = Contents(store, objects, limit=0)
    putting = asyncio.create_task(kept.put(DIGEST, LARGE))
    await objects.has_put.wait()
    assert await kept.sweep(0) == 0
    objects.go.set()
    await putting
    assert await kept.sweep(0) == 0
    assert await kept.get(DIGEST) == LARGE


async def test_a_large_content_is_gone_from_the_object_store_when_it_is_dropped(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path)
    await objects.open()
    kept = Contents(MemoryStore(), objects, limit=0)
    await kept.put(DIGEST, LARGE)
    assert await kept.drop([DIGEST], -1) == [DIGEST]
    assert [digest async for page in objects.listed() for digest in page] == []
    with pytest.raises(StorageFailed, match="it is not there"):
        await kept.get(DIGEST)


async def test_a_runner_that_has_lost_its_object_store_says_how_to_go_on(tmp_path: Path) -> None:
    objects, store = FolderObjects(tmp_path), MemoryStore()
    await objects.open()
    await Contents(store, objects).put(DIGEST, LARGE)
    with pytest.raises(StorageFailed, match="none is set: start the runner with --objects again"):
        await Contents(store).get(DIGEST)


async def test_contents_of_earlier_versions_stay_where_they_are(tmp_path: Path) -> None:
    objects, store = FolderObjects(tmp_path), MemoryStore()
    await objects.open()
    await store.put_content(DIGEST, LARGE)
    kept = Contents(store, objects, limit=0)
    assert b"".join([piece async for piece in kept.sent(DIGEST, len(LARGE), 5, 7)]) == LARGE[5:12]
    assert [piece async for piece in kept.stream(DIGEST, len(LARGE))] == []


# ---------------------------------------------------------------- contents that have changed


@pytest.mark.guard(name="bytes that have changed are a lost content")
async def test_bytes_that_have_changed_in_the_store_are_a_lost_content(store: CountingStore) -> None:
    await store.put_content(digest_of(LARGE), b"L" * len(LARGE))
    await store.put_content(digest_of(b"good"), b"evil")
    kept = Contents(store)
    for digest in (digest_of(b"good"), digest_of(LARGE)):
        for _ in range(2):
            with pytest.raises(StorageFailed, match=f"{digest} in the store, but it is damaged") as caught:
                await kept.get(digest)
            assert caught.value.is_lost
        with pytest.raises(StorageFailed, match="damaged"):
            [piece async for piece in kept.stream(digest, 1)]


@pytest.mark.guard(name="an object that has changed is a lost content")
async def test_an_object_that_has_changed_is_never_read_whole(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path)
    await objects.open()
    kept = Contents(MemoryStore(), objects)
    await kept.put(DIGEST, LARGE)
    (tmp_path / DIGEST[:2] / DIGEST).write_bytes(b"y" + LARGE[1:])
    read = list[bytes]()

    async def send() -> None:
        async for piece in kept.sent(DIGEST, len(LARGE)):
            read.append(piece)

    with pytest.raises(StorageFailed, match="damaged") as caught:
        await send()
    assert caught.value.is_lost
    assert 0 < len(b"".join(read)) < len(LARGE), "the last piece is kept back"
    with pytest.raises(StorageFailed, match="damaged"):
        await kept.get(DIGEST)


async def test_an_object_that_is_lost_says_so(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path)
    await objects.open()
    kept = Contents(MemoryStore(), objects)
    await kept.put(DIGEST, LARGE)
    (tmp_path / DIGEST[:2] / DIGEST).write_bytes(LARGE[:-1])
    with pytest.raises(StorageFailed, match="it ends before") as caught:
        await kept.get(DIGEST)
    assert caught.value.is_lost
    (tmp_path / DIGEST[:2] / DIGEST).unlink()
    with pytest.raises(StorageFailed, match="has lost") as caught:
        await kept.get(DIGEST)
    assert caught.value.is_lost
