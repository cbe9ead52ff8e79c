"""Results with files, read through the client: pieces, ranges, whole files on a disk, and what a runner gets wrong."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from signoff.client.client import Client
from signoff.client.result_files import ResultOf, files_of
from signoff.client.values import by_plan
from signoff.errors import Unavailable
from signoff.files.writing import NotAFile
from signoff.manifest.manifest import Manifest
from tests.support.servers.fake_runner import PLAN_ID, FakeRunner, listening, signed_off, with_files

FILES = {"report.md": b"# Sales\n" * 400, "charts/a.png": b"\x89PNG" + bytes(3000), "empty.txt": b"", ".hidden": b"h"}
RESULT = ResultOf(ref=by_plan(PLAN_ID), task_id="a")


def runner(**files: bytes) -> FakeRunner:
    state, manifest = with_files("a", FILES, main="report.md")
    bodies = {sha256(body).hexdigest(): body for body in FILES.values()}
    return FakeRunner(tasks=[state, signed_off("b", b"one")], contents={"a": manifest, "b": b"one"}, bodies=bodies)


@asynccontextmanager
async def asking(of: FakeRunner) -> AsyncIterator[tuple[Client, Manifest]]:
    async with listening(of) as address, Client(runner=address) as client:
        manifest = files_of(await client.artifact(RESULT.ref, "a"))
        assert manifest is not None
        yield client, manifest


def damaged(of: FakeRunner, path: str, body: bytes) -> None:
    of.bodies[sha256(FILES[path]).hexdigest()] = body


async def test_a_result_tells_its_files_and_one_content_has_none() -> None:
    async with asking(runner()) as (client, manifest):
        assert [file.path for file in manifest.files] == sorted(FILES)
        assert manifest.main == "report.md"
        assert files_of(await client.artifact(RESULT.ref, "b")) is None


async def test_a_file_comes_in_pieces_and_in_ranges() -> None:
    async with asking(runner()) as (client, manifest):
        entry, whole = manifest.by_path["charts/a.png"], FILES["charts/a.png"]
        pieces = [piece async for piece in client.file(RESULT, entry)]
        assert (b"".join(pieces), len(pieces)) == (whole, 4)
        ranged = [piece async for piece in client.file(RESULT, entry, offset=2, length=1500)]
        assert b"".join(ranged) == whole[2:1502]
        assert [piece async for piece in client.file(RESULT, manifest.by_path["empty.txt"])] == []


async def test_all_files_are_written_below_a_folder(tmp_path: Path) -> None:
    async with asking(runner()) as (client, manifest):
        await client.save_files(RESULT, manifest, tmp_path / "out")
    found = {str(file.relative_to(tmp_path / "out")): file.read_bytes() for file in _files(tmp_path / "out")}
    assert found == FILES


async def test_a_file_that_is_not_read_to_its_end_does_not_mix_with_the_next() -> None:
    async with asking(runner()) as (client, manifest):
        firsts = {entry.path: await anext(pieces, b"") async for entry, pieces in client.files(RESULT, manifest)}
    assert firsts == {path: body[:1000] for path, body in FILES.items()}


@pytest.mark.guard(name="files arrive whole")
@pytest.mark.parametrize("body", [b"another", b"# Sales\n" * 399, b"# Sales\n" * 401, b"", b"X" * 3200])
async def test_a_file_with_other_bytes_is_not_kept_and_those_before_it_are_whole(tmp_path: Path, body: bytes) -> None:
    of = runner()
    damaged(of, "report.md", body)
    async with asking(of) as (client, manifest):
        with pytest.raises(Unavailable, match=r"the file report\.md arrived damaged"):
            await client.save_files(RESULT, manifest, tmp_path)
        with pytest.raises(Unavailable, match="damaged"):
            [piece async for piece in client.file(RESULT, manifest.by_path["report.md"])]
    assert {file.name: file.read_bytes() for file in _files(tmp_path)} == {
        name.rpartition("/")[2]: FILES[name] for name in FILES if name != "report.md"
    }


async def test_a_result_that_was_replaced_meanwhile_is_told() -> None:
    of = runner()
    async with asking(of) as (client, manifest):
        state, body = with_files("a", {**FILES, "report.md": b"other"}, main="report.md")
        of.tasks[0], of.contents["a"] = state, body
        of.bodies[sha256(b"other").hexdigest()] = b"other"
        with pytest.raises(Unavailable, match=r"the artifact of a was replaced while report\.md was read"):
            [piece async for piece in client.file(RESULT, manifest.by_path["report.md"])]


async def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "charts").symlink_to(tmp_path / "elsewhere")
    async with asking(runner()) as (client, manifest):
        with pytest.raises(NotAFile, match="expected a folder at charts"):
            await client.save_files(RESULT, manifest, tmp_path / "out")
    assert not any((tmp_path / "elsewhere").iterdir())


def _files(folder: Path) -> list[Path]:
    return [Path(where) / name for where, _, names in os.walk(folder) for name in names]
