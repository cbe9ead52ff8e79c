"""The objects of a store belong to one journal: no other runner removes them, also not one whose journal is lost."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from runner_svc.contents import KEPT_FOR, LARGE_BYTES, Contents
from runner_svc.objects.folder import FolderObjects
from runner_svc.objects.port import MARKER, Objects
from runner_svc.store.memory import MemoryStore
from runner_svc.store.sqlite import SqliteStore
from signoff.errors import ConfigurationError
from tests.runner_svc.objects.test_conformance import bucket, listed, objects, pieces, s3

__all__ = ["objects", "s3"]  # fixtures

LARGE = b"x" * (LARGE_BYTES + 1)
DIGEST = hashlib.sha256(LARGE).hexdigest()
LOST = hashlib.sha256(b"lost").hexdigest()


def age(folder: Path) -> None:
    """Makes all objects of a folder as old as a sweep asks for."""
    for file in folder.glob("??/*"):
        os.utime(file, (0, 0), follow_symlinks=False)


async def orphan(objects: FolderObjects) -> None:
    """Puts an object that no row tells of, a while ago."""
    await objects.put(LOST, pieces(b"lost"))
    age(Path(objects.where))


async def opened(objects: Objects, store: MemoryStore | None = None) -> Contents:
    contents = Contents(store or MemoryStore(), objects)
    await contents.open_objects()
    return contents


@pytest.fixture
async def folder(tmp_path: Path) -> FolderObjects:
    made = FolderObjects(tmp_path / "objects")
    await made.open()
    return made


async def test_the_first_journal_that_opens_a_store_owns_it(objects: Objects) -> None:
    store = MemoryStore()
    assert await objects.owner() == ""
    await (await opened(objects, store)).put(DIGEST, LARGE)
    assert await objects.owner() == await store.journal_id()
    await opened(objects, store)
    assert await listed(objects) == [DIGEST], "the marker is no object"


async def test_objects_of_another_journal_are_refused_and_stay(objects: Objects) -> None:
    mine, other = MemoryStore(), MemoryStore()
    await (await opened(objects, mine)).put(DIGEST, LARGE)
    with pytest.raises(ConfigurationError, match=f"of this journal .*{await other.journal_id()}") as caught:
        await opened(objects, other)
    assert await mine.journal_id() in str(caught.value)
    assert objects.where in str(caught.value)
    assert await listed(objects) == [DIGEST]


@pytest.mark.guard(name="objects of another journal are kept")
async def test_a_runner_that_is_refused_removes_nothing_of_the_other(folder: FolderObjects) -> None:
    await opened(folder)
    await orphan(folder)
    being_put = Path(folder.where) / "incoming" / "part"
    being_put.parent.mkdir(exist_ok=True)
    being_put.write_bytes(b"half")
    with pytest.raises(ConfigurationError):
        await opened(folder, MemoryStore())
    assert await listed(folder) == [LOST]
    assert being_put.exists()


async def test_a_lost_journal_does_not_take_its_objects_along(folder: FolderObjects, tmp_path: Path) -> None:
    file = tmp_path / "journal.db"
    for content in (b"", None):
        store = SqliteStore(file)
        await store.open()
        contents = Contents(store, folder)
        if content is None:
            with pytest.raises(ConfigurationError, match="choose another place with --objects"):
                await contents.open_objects()
        else:
            await contents.open_objects()
            await contents.put(DIGEST, LARGE)
        await store.close()
        file.write_bytes(b"")
        age(Path(folder.where))
    assert await listed(folder) == [DIGEST]


@pytest.mark.guard(name="objects that no journal is known to own are kept")
async def test_objects_of_an_earlier_version_that_no_row_names_are_kept(folder: FolderObjects) -> None:
    await orphan(folder)
    with capture_logs() as logs:
        contents = await opened(folder)
    assert [log["event"] for log in logs] == ["objects_of_another_journal"]
    assert (await listed(folder), await folder.owner()) == ([LOST], "")
    await contents.put(DIGEST, LARGE)
    assert await contents.get(DIGEST) == LARGE


async def test_objects_of_an_earlier_version_are_those_of_the_journal_that_knows_most_of_them(
    folder: FolderObjects,
) -> None:
    store = MemoryStore()
    await Contents(store, folder).put(DIGEST, LARGE)
    await orphan(folder)
    await opened(folder, store)
    assert (await listed(folder), await folder.owner()) == ([DIGEST], await store.journal_id())


async def test_a_young_object_without_a_row_stays_for_an_hour(folder: FolderObjects) -> None:
    store = MemoryStore()
    contents = await opened(folder, store)
    await folder.put(LOST, pieces(b"lost"))
    assert await contents.sweep() == 0
    file = Path(folder.where) / LOST[:2] / LOST
    os.utime(file, (0, file.stat().st_mtime - KEPT_FOR - 1))
    assert await contents.sweep() == 1


async def test_objects_of_a_bucket_have_an_age(s3: str) -> None:
    made = bucket(s3, "ages")
    await made.put(LOST, pieces(b"lost"))
    assert [page async for page in made.listed(before=1.0) if page] == []
    assert await listed(made) == [LOST]


async def test_a_marker_that_a_power_cut_has_emptied_is_written_again(folder: FolderObjects) -> None:
    (Path(folder.where) / MARKER).touch()
    store = MemoryStore()
    await opened(folder, store)
    assert await folder.owner() == await store.journal_id()


async def test_the_first_of_two_that_take_a_folder_at_once_has_it(folder: FolderObjects) -> None:
    await folder.take("first")
    await folder.take("second")
    assert await folder.owner() == "first"


@pytest.mark.guard(name="only folders of objects are looked into")
async def test_only_folders_of_objects_are_looked_into(folder: FolderObjects) -> None:
    path = Path(folder.where)
    (path / "lost+found").symlink_to("nowhere")
    (path / "loop").symlink_to("loop")
    (path / "notes.txt").touch()
    await orphan(folder)
    (path / LOST[:2] / DIGEST).symlink_to("nowhere")
    assert sorted(await listed(folder)) == sorted([LOST, DIGEST])


@pytest.mark.guard(name="what cannot be tidied up keeps no runner from starting")
async def test_an_orphan_that_cannot_be_removed_keeps_no_runner_from_starting(folder: FolderObjects) -> None:
    await opened(folder, store := MemoryStore())
    stuck = Path(folder.where) / "ab" / ("ab" + "0" * 62)
    stuck.mkdir(parents=True)
    await orphan(folder)
    age(Path(folder.where))
    with capture_logs() as logs:
        await opened(folder, store)
    assert [log["event"] for log in logs] == ["objects_not_swept"]
    assert await listed(folder) == [stuck.name], "the others are gone"
