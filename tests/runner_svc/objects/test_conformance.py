"""Promises of every object store: the same tests over a folder, and over S3 by a server on this machine."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from runner_svc.contents import Contents
from runner_svc.objects.bucket import BucketObjects
from runner_svc.objects.choice import objects_at
from runner_svc.objects.folder import FolderObjects
from runner_svc.objects.port import PIECE_BYTES, Objects
from runner_svc.store.memory import MemoryStore
from signoff.errors import ConfigurationError, StorageFailed


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """Serves S3 with an empty bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["folder", "s3"])
async def objects(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Objects]:
    made: Objects
    if request.param == "folder":
        made = FolderObjects(tmp_path / "objects")
    else:
        made = bucket(request.getfixturevalue("s3"), tmp_path.name.replace("_", "-").lower()[-60:].strip("-"))
    await made.open()
    yield made
    await made.close()


def bucket(endpoint: str, name: str) -> BucketObjects:
    import httpx

    httpx.put(f"{endpoint}/{name}", headers={"Authorization": "AWS4-HMAC-SHA256 Credential=k/x/us-east-1/s3/aws4"})
    return BucketObjects(
        f"s3://{name}/runs",
        access_key_id="key",
        secret_access_key="secret",
        endpoint=endpoint,
        region="us-east-1",
        client_options={"allow_http": True},
    )


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def whole(objects: Objects, digest: str, start: int, end: int) -> bytes:
    found = [piece async for piece in objects.read(digest, start, end)]
    assert all(len(piece) <= PIECE_BYTES for piece in found)
    return b"".join(found)


async def listed(objects: Objects) -> list[str]:
    return sorted([digest async for page in objects.listed() for digest in page])


def digest_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


BODY = os.urandom(3 * PIECE_BYTES + 17)


async def test_an_object_is_read_whole_and_in_ranges(objects: Objects) -> None:
    digest = digest_of(BODY)
    await objects.put(digest, pieces(BODY[:5], BODY[5 : 2 * PIECE_BYTES], BODY[2 * PIECE_BYTES :]))
    assert await whole(objects, digest, 0, len(BODY)) == BODY
    assert await whole(objects, digest, 7, 9) == BODY[7:9]
    assert await whole(objects, digest, PIECE_BYTES - 1, len(BODY)) == BODY[PIECE_BYTES - 1 :]
    assert await whole(objects, digest, 9, 9) == b""


async def test_an_object_that_is_put_again_stays_what_it_is(objects: Objects) -> None:
    digest = digest_of(b"one")
    for _ in range(2):
        await objects.put(digest, pieces(b"one"))
    assert await whole(objects, digest, 0, 3) == b"one"
    assert await listed(objects) == [digest]


async def test_objects_are_listed_and_removed(objects: Objects) -> None:
    digests = sorted(digest_of(body) for body in (b"one", b"two", b"three"))
    for body in (b"one", b"two", b"three"):
        await objects.put(digest_of(body), pieces(body))
    assert await listed(objects) == digests
    await objects.delete([digests[0], digest_of(b"unknown"), digests[2]])
    assert await listed(objects) == [digests[1]]
    with pytest.raises(StorageFailed, match=digests[0]) as caught:
        await whole(objects, digests[0], 0, 3)
    assert caught.value.is_lost


async def test_an_object_whose_bytes_do_not_come_to_an_end_leaves_nothing_behind(objects: Objects) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield BODY
        raise ConnectionError("the worker is gone")

    with pytest.raises((ConnectionError, StorageFailed), match="the worker is gone"):
        await objects.put(digest_of(BODY), broken())
    assert await listed(objects) == []


async def test_a_name_that_is_no_digest_is_refused(objects: Objects) -> None:
    with pytest.raises(StorageFailed, match="expected the digest of an object"):
        await objects.put("../escape", pieces(b"x"))
    assert await listed(objects) == []


@pytest.mark.guard(name="half an object is gone after a restart")
async def test_half_an_object_is_gone_after_a_restart(tmp_path: Path) -> None:
    (tmp_path / "incoming").mkdir()
    (tmp_path / "incoming" / "half").write_bytes(b"half")
    await Contents(MemoryStore(), FolderObjects(tmp_path)).open_objects()
    assert not (tmp_path / "incoming").exists()


@pytest.mark.guard(name="the folder of what is being put is made again")
async def test_the_folder_of_what_is_being_put_is_made_again(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path / "objects")
    await objects.open()
    (tmp_path / "objects" / "incoming").rmdir()
    await objects.put(digest_of(b"one"), pieces(b"one"))
    assert await listed(objects) == [digest_of(b"one")]
    shutil.rmtree(tmp_path / "objects")
    with pytest.raises(StorageFailed, match="refused"):
        await objects.put(digest_of(b"one"), pieces(b"one"))


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed, match=r"cannot open the object store .*file/objects"):
        await FolderObjects(tmp_path / "file" / "objects").open()


async def test_a_bucket_that_does_not_answer_is_named(s3: str) -> None:
    absent = BucketObjects(
        "s3://absent/runs",
        access_key_id="key",
        secret_access_key="secret",
        endpoint=s3,
        region="us-east-1",
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )
    with pytest.raises(StorageFailed, match="s3://absent/runs cannot be listed"):
        await absent.open()


def test_a_url_that_leads_nowhere_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="expected the URL of an object store, but got 'gopher://x'"):
        objects_at("gopher://x")


@pytest.mark.guard(name="an object is on the disk before an event names it")
async def test_an_object_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = FolderObjects(tmp_path)
    await objects.open()
    synced, sync = list[bool](), os.fsync

    def watched(descriptor: int) -> None:
        if os.path.isfile(f"/proc/self/fd/{descriptor}"):  # noqa: PTH113 - by its descriptor
            synced.append((tmp_path / digest_of(b"one")[:2] / digest_of(b"one")).exists())
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    await objects.put(digest_of(b"one"), pieces(b"one"))
    assert synced == [False]
