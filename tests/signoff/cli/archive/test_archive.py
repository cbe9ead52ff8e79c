"""`signoff backup` and `signoff restore`: the members of an archive, and what is refused with nothing left of it."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import random
import signal
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from signoff.cli.archive.restore import restore
from signoff.cli.show.output import CommandOutput
from signoff.errors import ConfigurationError
from signoff.v1 import runner_pb2
from tests.support.draws import so_many
from tests.support.processes.commands import ROOT, signoff, start_signoff
from tests.support.servers.fake_runner import FakeRunner, listening
from tests.support.servers.service import until

PLAN = ROOT / "examples" / "feedback" / "plan.json"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs a plan, and backs it up."""
    folder = tmp_path_factory.mktemp("backed")

    async def make() -> None:
        ran = await signoff("run", PLAN, "--model", "mock", cwd=folder)
        assert ran.code == 0, ran.err
        backed = await signoff("backup", "a.tar", cwd=folder)
        assert backed.code == 0, backed.err

    asyncio.run(make())
    return folder / "a.tar"


async def restored(archive: Path, folder: Path, *more: str) -> tuple[int, str]:
    result = await signoff("restore", archive, "--into", folder / "new", *more, cwd=folder)
    return result.code, result.out if result.code == 0 else result.err


def test_an_archive_has_the_journal_the_plans_and_a_manifest_with_digests(archive: Path) -> None:
    with tarfile.open(archive) as tar:
        names = tar.getnames()
        assert names == [
            "store/000001",
            *(f"plans/feedback/{name}" for name in ("plan.json", "execution.json", "map.pb")),
            "plan-files/feedback",
            "manifest.json",
        ]
        manifest = json.load(tar.extractfile("manifest.json") or io.BytesIO())
    assert [member["name"] for member in manifest["members"]] == names[:-1]
    assert (manifest["format"], manifest["plans"], manifest["executions"]) == (1, 1, 0)
    assert archive.stat().st_mode & 0o777 == 0o600


@pytest.mark.long
async def test_what_was_restored_answers_as_what_was_backed_up_and_goes_on(archive: Path, tmp_path: Path) -> None:
    code, said = await restored(archive, tmp_path, "--json")
    assert code == 0, said
    assert json.loads(said)["events"] > 10
    of_old, of_new = ("--data-dir", archive.parent / "db"), ("--data-dir", tmp_path / "new")
    for command in (("status", "--json"), ("status", "feedback", "--json"), ("story", "feedback", "1", "--json")):
        before = await signoff(*command, *of_old, cwd=archive.parent)
        after = await signoff(*command, *of_new, cwd=tmp_path)
        assert (after.code, after.out) == (0, before.out.replace(str(archive.parent / "db"), str(tmp_path / "new")))
    again = await signoff("run", PLAN, "--model", "mock", "--new", *of_new, cwd=tmp_path)
    assert again.code == 0, again.err
    assert "kept" in again.out
    assert names_in(tmp_path) == ["new"]


# ---------------------------------------------------------------- what is refused


Change = Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes]]


def rewritten(archive: Path, to: Path, change: Change) -> Path:
    """Writes an archive with other members."""
    with tarfile.open(archive) as tar, tarfile.open(to, "w") as out:
        for info in tar:
            body = (tar.extractfile(info) or io.BytesIO()).read()
            other, body = change(info, body)
            other.size = len(body)
            out.addfile(other, io.BytesIO(body))
    return to


def refused(archive: Path, folder: Path, why: str) -> None:
    """Checks that an archive is refused in one line, and that nothing is left of it."""
    before = names_in(folder)
    with pytest.raises(ConfigurationError) as refusal:
        restore(archive, folder / "new", CommandOutput())
    assert why in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert names_in(folder) == before


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.guard(name="what is restored is what was backed up")
def test_an_archive_with_another_byte_is_refused(archive: Path, tmp_path: Path) -> None:
    def change(info: tarfile.TarInfo, body: bytes) -> tuple[tarfile.TarInfo, bytes]:
        return (info, bytes([body[0] ^ 1]) + body[1:] if info.name == "plans/feedback/plan.json" else body)

    refused(rewritten(archive, tmp_path / "a.tar", change), tmp_path, "is not what the manifest says")


@pytest.mark.guard(name="no member leads out of the folder")
@pytest.mark.parametrize(
    "name", ["plans/../../x", "/etc/x", "plans/feedback/../x", "plan-files/..", "store/../x", "plans/feedback/x", "x"]
)
def test_a_name_that_no_backup_writes_is_refused(name: str, archive: Path, tmp_path: Path) -> None:
    refused(with_member(archive, tmp_path, name), tmp_path, "which no backup writes")


@pytest.mark.guard(name="no member leads out of the folder")
@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_a_member_that_is_no_file_is_refused(kind: bytes, archive: Path, tmp_path: Path) -> None:
    made = with_member(archive, tmp_path, "plans/feedback/plan.json", kind)
    refused(made, tmp_path, "which no backup writes")


def with_member(archive: Path, folder: Path, name: str, kind: bytes = tarfile.REGTYPE) -> Path:
    """Adds a member at the beginning, which the manifest names as well."""
    body = b"" if kind != tarfile.REGTYPE else b"x"
    entry = {"name": name, "size": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    with tarfile.open(archive) as tar, tarfile.open(folder / "a.tar", "w") as out:
        added = tarfile.TarInfo(name)
        added.type, added.size, added.linkname = kind, len(body), "/etc/passwd"
        out.addfile(added, io.BytesIO(body))
        for info in tar:
            rest = (tar.extractfile(info) or io.BytesIO()).read()
            if info.name == "manifest.json":
                manifest = json.loads(rest)
                manifest["members"].insert(0, entry)
                rest = json.dumps(manifest).encode()
                info.size = len(rest)
            out.addfile(info, io.BytesIO(rest))
    return folder / "a.tar"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"format": 2}, "upgrade signoff"),
        ({"version": "99.0"}, "upgrade signoff"),
        ({"format": "1"}, "its manifest cannot be read"),
        ({"version": 7}, "its manifest cannot be read"),
        ({"members": [7]}, "its manifest cannot be read"),
        ({"members": []}, "names 0 members"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    change: dict[str, Any], why: str, archive: Path, tmp_path: Path
) -> None:
    def written(info: tarfile.TarInfo, body: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if info.name == "manifest.json":
            body = json.dumps(json.loads(body) | change).encode()
        return (info, body)

    refused(rewritten(archive, tmp_path / "a.tar", written), tmp_path, why)


@pytest.mark.parametrize("seed", range(so_many(3, long=40)))
def test_an_archive_that_was_cut_off_is_refused(seed: int, archive: Path, tmp_path: Path) -> None:
    whole = archive.read_bytes()
    end = len(whole.rstrip(b"\0"))
    (tmp_path / "a.tar").write_bytes(whole[: random.Random(seed).randrange(end)])
    refused(tmp_path / "a.tar", tmp_path, "a.tar is not: ")


@pytest.mark.parametrize("content", [b"", b"no archive", bytes(20_000)])
def test_what_is_no_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(content)
    refused(tmp_path / "a.tar", tmp_path, "a.tar is not: ")


def test_an_archive_that_is_not_there_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere.tar", tmp_path, "No such file")


@pytest.mark.guard(name="a restore overwrites nothing")
def test_a_folder_with_something_in_it_is_left_alone(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "mine").write_text("mine")
    refused(archive, tmp_path, "expected --into to be a new or an empty folder")
    assert (tmp_path / "new" / "mine").read_text() == "mine"


def test_the_objects_of_another_journal_are_not_restored_into(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNOFF_RUNNER_OBJECTS", str(tmp_path / "objects"))
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects" / "journal-id").write_text("another")
    refused(archive, tmp_path, "they are of another one (another): choose another place with --objects")
    (tmp_path / "objects" / "journal-id").unlink()
    assert restore(archive, tmp_path / "new", CommandOutput()) == 0
    assert len((tmp_path / "objects" / "journal-id").read_text()) == 32


def test_an_empty_folder_is_restored_into(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    assert restore(archive, tmp_path / "new", CommandOutput()) == 0
    assert names_in(tmp_path / "new") == [".signoff", "feedback"]


# ---------------------------------------------------------------- a backup that is cut off


class CutRunner(FakeRunner):
    """Ends a backup before its end, or never."""

    async def BackUp(self, request: Any, context: Any) -> Any:
        self.asked.append(request)
        yield runner_pb2.BackUpResponse(events=runner_pb2.BackedUpEvents())
        if self.looks:
            await asyncio.get_running_loop().create_future()


@pytest.mark.guard(name="a backup without an end is none")
async def test_a_backup_that_was_cut_off_leaves_the_older_one(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_text("the older one")
    async with listening(CutRunner()) as address:
        cut = await signoff("backup", "a.tar", "--runner", address, cwd=tmp_path)
    assert cut.code != 0
    assert "cut off before its end" in cut.err
    assert names_in(tmp_path) == ["a.tar"]
    assert read(tmp_path / "a.tar") == "the older one"


class LosingRunner(FakeRunner):
    """Has lost one of two contents."""

    async def BackUp(self, request: Any, context: Any) -> Any:
        good, lost = (hashlib.sha256(body).hexdigest() for body in (b"good", b"lost"))
        for content in (
            runner_pb2.BackedUpContent(digest=lost, last=True),
            runner_pb2.BackedUpContent(digest=good, piece=b"good", last=True),
        ):
            yield runner_pb2.BackUpResponse(content=content)
        yield runner_pb2.BackUpResponse(end=runner_pb2.BackedUpEnd(contents=1))


@pytest.mark.guard(name="a backup without a content says so")
async def test_a_content_that_is_lost_is_named_and_the_archive_is_whole_without_it(tmp_path: Path) -> None:
    async with listening(LosingRunner()) as address:
        backed = await signoff("backup", "a.tar", "--json", "--runner", address, cwd=tmp_path)
    lost = hashlib.sha256(b"lost").hexdigest()
    assert (backed.code, json.loads(backed.out)["lost"]) == (1, [lost])
    assert f"expected the content {lost}, but the runner has lost its bytes" in backed.err
    code, said = await restored(tmp_path / "a.tar", tmp_path, "--json")
    assert (code, json.loads(said)["contents"]) == (0, 1)


def read(file: Path) -> str:
    return file.read_text()


async def test_a_backup_that_a_person_ends_leaves_nothing(tmp_path: Path) -> None:
    runner = CutRunner(looks=1)
    async with listening(runner) as address:
        process = await start_signoff("backup", "a.tar", "--runner", address, cwd=tmp_path)
        await until(lambda: bool(names_in(tmp_path)), "the backup has begun")
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 130
    assert names_in(tmp_path) == []


async def test_only_a_file_is_backed_up_into(tmp_path: Path) -> None:
    async with listening(FakeRunner()) as address:
        for name in (".", "/dev/null", "nowhere/a.tar"):
            ended = await signoff("backup", name, "--runner", address, cwd=tmp_path)
            assert ended.code == 2, ended.err
