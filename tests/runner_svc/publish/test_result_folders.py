"""The files of results for people: swapped as a whole, written once, removed when their result is none any more."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from runner_svc.core.model.values import Content, ExecutionId
from runner_svc.publish import result_folders
from runner_svc.publish.output_document import Output
from runner_svc.publish.output_files import OutputFiles
from signoff.errors import StorageFailed
from signoff.manifest.manifest import MANIFEST_TYPE, FileEntry, manifest_of, manifest_to_json

KEY = ("p", "a")
LARGE = b"0123456789abcdef" * 100_000  # more than a small file
FIRST = {"report.md": b"# One\n", "charts/a.png": b"\x89PNG", "large.bin": LARGE, ".hidden": b""}


class Bodies:
    """Contents in memory, which come in pieces. It notes what was read."""

    def __init__(self) -> None:
        self.bodies = dict[str, bytes]()
        self.read = list[str]()

    def put(self, body: bytes) -> str:
        digest = sha256(body).hexdigest()
        self.bodies[digest] = body
        return digest

    async def get(self, digest: str) -> bytes:
        if digest not in self.bodies:
            raise StorageFailed(f"expected content {digest} in the store, but it is not there")
        return self.bodies[digest]

    async def stream(self, digest: str, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        body = await self.get(digest)
        self.read.append(digest)
        for begin in range(0, len(body), 400_000):
            yield body[begin : begin + 400_000]


def with_files(bodies: Bodies, files: Mapping[str, bytes]) -> Output:
    entries = [
        FileEntry(path=path, media_type="text/plain", size=len(body), digest=bodies.put(body))
        for path, body in files.items()
    ]
    body = manifest_to_json(manifest_of(entries, "report.md"))
    content = Content(digest=bodies.put(body), size=len(body), media_type=MANIFEST_TYPE, attempt=1)
    return Output(ExecutionId("e1"), *KEY, "report", content)


def one_content(bodies: Bodies, body: bytes) -> Output:
    return Output(ExecutionId("e1"), *KEY, "report", Content(digest=bodies.put(body), size=9, media_type="text/plain"))


def files_in(folder: Path) -> dict[str, bytes]:
    found = [Path(where) / name for where, _, names in os.walk(folder) for name in names]
    return {str(file.relative_to(folder)): file.read_bytes() for file in found}


def names_in(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))  # noqa: PTH208 - iterdir is no list


def index_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "output.json").read_text()))


@pytest.fixture
def task(tmp_path: Path) -> Path:
    return tmp_path / "p" / "a"


async def written(tmp_path: Path, bodies: Bodies, *wishes: Output | None) -> OutputFiles:
    outputs = OutputFiles(tmp_path, bodies)
    for wish in wishes:
        await outputs._write([(KEY, wish)])
    return outputs


async def test_files_lie_beside_an_output_json_that_lists_them(tmp_path: Path, task: Path) -> None:
    outputs = await written(tmp_path, bodies := Bodies(), with_files(bodies, FIRST))
    assert files_in(task / "files") == FIRST
    index = index_of(task)
    assert (index["main"], "content" in index) == ("report.md", False)
    assert {file["path"]: (file["size_bytes"], file["digest"]) for file in index["files"]} == {
        path: (len(body), sha256(body).hexdigest()) for path, body in FIRST.items()
    }
    assert outputs._failed == set()
    assert names_in(task) == ["files", "output.json"]


async def test_a_large_file_is_written_as_it_comes(tmp_path: Path, task: Path) -> None:
    """Memory stays flat: a piece is on the disk before the next is asked for."""
    bodies, sizes = Bodies(), list[int]()
    output = with_files(bodies, {"report.md": b"", "large.bin": LARGE})

    class Watched(Bodies):
        async def stream(self, digest: str, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
            async for piece in bodies.stream(digest):
                sizes.append(sum(map(len, files_in(task).values())))
                yield piece

    watched = Watched()
    watched.bodies = bodies.bodies
    await written(tmp_path, watched, output)
    assert sizes == [0, 400_000, 800_000, 1_200_000]


async def test_equal_files_are_not_written_again_and_those_that_are_none_any_more_go(
    tmp_path: Path, task: Path
) -> None:
    bodies = Bodies()
    await written(tmp_path, bodies, with_files(bodies, FIRST))
    before, bodies.read = (task / "files" / "large.bin").stat().st_ino, []
    second = {"report.md": b"# Two\n", "large.bin": LARGE}
    await written(tmp_path, bodies, with_files(bodies, second))
    assert files_in(task / "files") == second
    assert (task / "files" / "large.bin").stat().st_ino == before
    assert bodies.read == [sha256(b"# Two\n").hexdigest()]


async def test_a_file_that_a_person_has_changed_is_written_again(tmp_path: Path, task: Path) -> None:
    bodies = Bodies()
    await written(tmp_path, bodies, with_files(bodies, FIRST))
    (task / "files" / "report.md").write_bytes(b"# Own\n")
    await written(tmp_path, bodies, with_files(bodies, FIRST))
    assert files_in(task / "files") == FIRST


@pytest.mark.guard(name="files of results that are withdrawn go")
async def test_files_go_with_their_result_and_when_one_content_takes_its_place(tmp_path: Path, task: Path) -> None:
    bodies = Bodies()
    await written(tmp_path, bodies, with_files(bodies, FIRST), one_content(bodies, b"text"))
    assert index_of(task)["content"] == "text"
    assert list(files_in(task)) == ["output.json"]
    await written(tmp_path, bodies, with_files(bodies, FIRST), None)
    assert names_in(task) == []


@pytest.mark.guard(name="no output.json beside other files")
async def test_output_json_is_gone_while_its_files_change(
    tmp_path: Path, task: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A runner that is killed in between makes it again: it looks for what is missing."""
    bodies = Bodies()
    await written(tmp_path, bodies, with_files(bodies, FIRST))

    async def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(result_folders, "_write_missing", killed)
        with pytest.raises(KeyboardInterrupt):
            await written(tmp_path, bodies, with_files(bodies, {"report.md": b"# Two\n"}))
    assert files_in(task) == {f"files/{path}": body for path, body in FIRST.items()}
    assert len(names_in(task)) == 2, "what a killed runner leaves behind"
    await written(tmp_path, bodies, with_files(bodies, {"report.md": b"# Two\n"}))
    assert names_in(task) == ["files", "output.json"]


@pytest.mark.guard(name="files for people are whole")
@pytest.mark.parametrize("path", ["report.md", "large.bin"])
async def test_a_file_that_the_store_has_damaged_costs_only_its_own_result(
    tmp_path: Path, task: Path, path: str
) -> None:
    bodies = Bodies()
    output = with_files(bodies, FIRST)
    bodies.bodies[sha256(FIRST[path]).hexdigest()] = b"other bytes"
    outputs = OutputFiles(tmp_path, bodies)
    await outputs._write([(KEY, output), (("p", "b"), one_content(bodies, b"text"))])
    assert outputs._failed == {KEY}
    assert index_of(tmp_path / "p" / "b")["content"] == "text"
    assert names_in(task) == [], "nothing of a result that is not whole stays"


@pytest.mark.parametrize("what", ["link", "file"])
async def test_what_stands_where_the_files_are_to_be_stays(tmp_path: Path, task: Path, what: str) -> None:
    for folder in (task, tmp_path / "elsewhere"):
        folder.mkdir(parents=True)
    if what == "link":
        (task / "files").symlink_to(tmp_path / "elsewhere")
    else:
        (task / "files").write_text("mine")
    outputs = await written(tmp_path, bodies := Bodies(), with_files(bodies, FIRST))
    assert outputs._failed == {KEY}
    assert names_in(tmp_path / "elsewhere") == []
    assert names_in(task) == ["files"]


async def test_what_only_says_that_it_is_a_manifest_is_in_output_json_as_it_is(tmp_path: Path, task: Path) -> None:
    bodies = Bodies()
    content = Content(digest=bodies.put(b"no manifest"), size=11, media_type=MANIFEST_TYPE)
    await written(tmp_path, bodies, Output(ExecutionId("e1"), *KEY, "report", content))
    assert index_of(task)["content"] == "no manifest"
