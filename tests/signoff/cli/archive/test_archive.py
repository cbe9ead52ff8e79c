"""`signoff backup` and `signoff restore`: the members of an archive, and what is refused with nothing left of it."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import io
import json
import os
import random
import signal
import socket
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from signoff.cli.archive.archive import ArchiveWriter
from signoff.cli.archive.backup import backup
from signoff.cli.archive.restore import restore
from signoff.cli.remote.find_runner import RunnerLocation
from signoff.cli.show.output import CommandOutput
from signoff.errors import ConfigurationError
from signoff.v1 import runner_pb2
from tests.support.draws import so_many
from tests.support.processes.commands import ROOT, environment, signoff, start_signoff
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


SAYS = pytest.mark.guard(name="a manifest says what it must")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"format": 2}, "upgrade signoff"),
        ({"version": "99.0"}, "upgrade signoff"),
        ({"format": "1"}, "its manifest cannot be read"),
        ({"version": 7}, "its manifest cannot be read"),
        ({"members": [7]}, "its manifest cannot be read"),
        pytest.param({"events": "x"}, "its manifest cannot be read", marks=SAYS),
        pytest.param({"contents": None}, "its manifest cannot be read", marks=SAYS),
        pytest.param({"made_at": []}, "its manifest cannot be read", marks=SAYS),
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


def test_a_message_that_is_none_is_refused(archive: Path, tmp_path: Path) -> None:
    bad = b"\xff\xff\xff\xff"
    body = len(bad).to_bytes(4, "big") + bad

    def written(info: tarfile.TarInfo, rest: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if info.name == "store/000001":
            return (info, body)
        if info.name == "manifest.json":
            manifest = json.loads(rest)
            first = next(member for member in manifest["members"] if member["name"] == "store/000001")
            first |= {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}
            rest = json.dumps(manifest).encode()
        return (info, rest)

    refused(rewritten(archive, tmp_path / "a.tar", written), tmp_path, "a part of the store that cannot be read")


def test_an_archive_that_is_given_up_is_ended_while_its_file_is_open() -> None:
    class Full(io.BytesIO):
        """A file on a disk that is full."""

        def write(self, piece: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    writer = ArchiveWriter(Full())
    with pytest.raises(OSError, match="No space"):
        writer.add("store/000001", io.BytesIO(bytes(1 << 20)), 1 << 20)
    writer.give_up()
    assert writer._tar.closed  # type: ignore[attr-defined]


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
    older = written(tmp_path / "a.tar")
    async with listening(CutRunner()) as address:
        cut = await signoff("backup", "a.tar", "--runner", address, cwd=tmp_path)
    assert cut.code != 0
    assert "cut off before its end" in cut.err
    assert names_in(tmp_path) == ["a.tar"]
    assert content_of(tmp_path / "a.tar") == older


def written(file: Path) -> bytes:
    """Writes the beginning of an archive, as a backup that was cut off may have left it. Returns its bytes."""
    with tarfile.open(file, "w") as tar:
        info = tarfile.TarInfo("store/000001")
        info.size = 1
        tar.addfile(info, io.BytesIO(b"x"))
    return file.read_bytes()


def content_of(file: Path) -> bytes:
    return file.read_bytes()


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
        for name in (".", "/dev/null", "nowhere/a.tar", "new/"):
            ended = await signoff("backup", name, "--runner", address, cwd=tmp_path)
            assert ended.code == 2, ended.err


# ---------------------------------------------------------------- what stands there


class WholeRunner(FakeRunner):
    """Sends a backup of nothing."""

    async def BackUp(self, request: Any, context: Any) -> Any:
        self.asked.append(request)
        yield runner_pb2.BackUpResponse(end=runner_pb2.BackedUpEnd())


def backed_up(file: Path, data_dir: Path) -> list[str]:
    """Runs `signoff backup` in this process. Returns the lines of its notes."""
    notes = io.StringIO()

    async def run() -> None:
        async with listening(WholeRunner()) as address:
            where = RunnerLocation(runner=address, data_dir=data_dir)
            assert await backup(file, where, CommandOutput(out=io.StringIO(), err=notes)) == 0

    asyncio.run(run())
    return notes.getvalue().splitlines()


def with_plan(data_dir: Path) -> Path:
    """Makes a data directory with a plan. Returns the folder of the plan."""
    folder = data_dir / "p"
    folder.mkdir(parents=True)
    for name in ("plan.json", "execution.json", "map.pb"):
        (folder / name).write_text(name)
    return folder


@pytest.mark.guard(name="a backup replaces nothing but an archive")
@pytest.mark.parametrize("content", [b"{}", bytes(2000), b"x" * 2000])
def test_another_file_is_not_replaced_by_a_backup(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"expected a new file, or an archive .* but .*plan\.json is another"):
        backed_up(tmp_path / "plan.json", tmp_path / "db")
    assert content_of(tmp_path / "plan.json") == content


@pytest.mark.guard(name="a backup replaces nothing but an archive")
def test_an_archive_of_another_program_is_not_replaced_by_a_backup(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("photos/1"))
    with pytest.raises(ConfigurationError, match="is another file"):
        backed_up(tmp_path / "a.tar", tmp_path / "db")


@pytest.mark.parametrize("earlier", ["whole", "cut off", "empty"])
def test_an_earlier_archive_is_replaced_by_a_backup(earlier: str, tmp_path: Path) -> None:
    file = tmp_path / "a.tar"
    if earlier == "whole":
        backed_up(file, tmp_path / "db")
    else:
        file.write_bytes(written(file)[:700] if earlier == "cut off" else b"")
    with_plan(tmp_path / "db")
    backed_up(file, tmp_path / "db")
    with tarfile.open(file) as tar:
        assert "plans/p/plan.json" in tar.getnames()


@pytest.mark.guard(name="a backup stays out of what it reads")
@pytest.mark.parametrize("name", [".signoff/journal.db", ".signoff/new", "p/a.tar", "link.tar"])
def test_nothing_is_written_into_the_data_directory_that_is_backed_up(name: str, tmp_path: Path) -> None:
    data_dir = tmp_path / "db"
    with_plan(data_dir)
    (data_dir / ".signoff").mkdir()
    (data_dir / ".signoff" / "journal.db").touch()
    file = data_dir / name if name != "link.tar" else tmp_path / name
    if name == "link.tar":
        file.symlink_to("db/a.tar")
    with pytest.raises(ConfigurationError, match="expected a file outside of the data directory"):
        backed_up(file, data_dir)
    assert content_of(data_dir / ".signoff" / "journal.db") == b""
    assert sorted(names_in(data_dir)) == [".signoff", "p"]


@pytest.mark.guard(name="a backup follows a link")
@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_stays_and_a_backup_takes_the_place_of_its_end(is_there: bool, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    real, link = tmp_path / "folder" / "real.tar", tmp_path / "link.tar"
    if is_there:
        written(real)
    link.symlink_to("folder/real.tar")
    backed_up(link, tmp_path / "db")
    assert link.is_symlink()
    with tarfile.open(real) as tar:
        assert tar.getnames() == ["store/000001", "manifest.json"]
    assert names_in(real.parent) == ["real.tar"]


def put_no_files(folder: Path) -> None:
    """Puts a pipe, a folder and a socket where files of the plan `p` should be, below the present folder."""
    (folder / "plan.json").unlink()
    os.mkfifo(folder / "plan.json")
    (folder / "execution.json").unlink()
    (folder / "execution.json").mkdir()
    Path("db/.signoff/files").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("db/.signoff/files/p")


async def test_what_is_no_file_in_the_folder_of_a_plan_is_left_out_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    put_no_files(with_plan(tmp_path / "db"))
    async with listening(WholeRunner()) as address:
        process = await start_signoff("backup", "a.tar", "--runner", address, cwd=tmp_path)
        try:
            async with asyncio.timeout(60):
                _, notes = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
    assert process.returncode == 0, notes
    assert [line.split(": ")[2] for line in notes.decode().splitlines()] == [
        f"expected a file at db/{name}, but it is something else"
        for name in ("p/plan.json", "p/execution.json", ".signoff/files/p")
    ]
    with tarfile.open(tmp_path / "a.tar") as tar:
        assert tar.getnames() == ["store/000001", "plans/p/map.pb", "manifest.json"]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = with_plan(tmp_path / "db")
    (folder / "plan.json").unlink()
    (folder / "plan.json").symlink_to("plan.json")
    with pytest.raises(ConfigurationError, match=r"expected a file that can be read, but .*plan\.json cannot be: Too"):
        backed_up(tmp_path / "a.tar", tmp_path / "db")
    assert names_in(tmp_path) == ["db"]


async def test_a_disk_that_is_full_is_told_in_one_line(tmp_path: Path) -> None:
    (with_plan(tmp_path / "db") / "plan.json").write_bytes(bytes(2_000_000))
    async with listening(WholeRunner()) as address:
        program = (
            "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000));"
            "from signoff.cli import main; main(sys.argv[1:])"
        )
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", program, "backup", "a.tar", "--runner", address),
            cwd=tmp_path,
            env=environment(),
            stderr=asyncio.subprocess.PIPE,
        )
        _, notes = await process.communicate()
    assert process.returncode == 2
    assert notes.decode() == "signoff: expected an archive that can be written, but got [Errno 27] File too large\n"
    assert names_in(tmp_path) == ["db"]
