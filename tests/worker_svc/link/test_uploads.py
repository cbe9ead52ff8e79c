"""The files of a candidate come to the runner whole, however often the way breaks."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from signoff.errors import InvalidField, NotServing, StaleLease, TooManyStreams
from signoff.manifest.manifest import manifest_from_json
from signoff.rpc.addresses import Route
from tests.support.servers.scripted_runner import ScriptedRunner
from worker_svc.assignment import LeaseEnded
from worker_svc.files.collecting import FilesLimit
from worker_svc.files.opening import PIECE, FilesRefused
from worker_svc.link.patience import Patience, Pauses
from worker_svc.link.uploads import ASKED_AT_ONCE, Uploads

AT_ONCE = Pauses(jitter=lambda _least, _most: 0.0)
FILES = {"a.md": b"# Mars", "charts/x.png": hashlib.shake_128(b"x").digest(2 * PIECE + 1), "empty": b""}


@pytest.fixture
async def runner() -> AsyncIterator[ScriptedRunner]:
    async with ScriptedRunner() as listening:
        yield listening


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path, content in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    return tmp_path


async def brought(runner: ScriptedRunner, folder: Path, *, limit: FilesLimit | None = None) -> bytes:
    progress: list[None] = []
    uploads = Uploads(Route(runner.address), "L1", Patience(AT_ONCE))
    manifest = await uploads.bring(folder, tuple(FILES), "a.md", limit or FilesLimit(), lambda: progress.append(None))
    assert progress
    return manifest


def kept_by(runner: ScriptedRunner) -> set[bytes]:
    return set(runner.files.kept.values())


async def test_all_files_are_kept_before_the_manifest_is_there(runner: ScriptedRunner, folder: Path) -> None:
    manifest = manifest_from_json(await brought(runner, folder))
    assert [(file.path, file.media_type, file.size) for file in manifest.files] == [
        ("a.md", "text/markdown", 6),
        ("charts/x.png", "image/png", 2 * PIECE + 1),
        ("empty", "text/plain", 0),
    ]
    assert manifest.main == "a.md"
    assert kept_by(runner) == set(FILES.values())
    (stream,) = runner.files.uploads
    assert [message.lease_id for message in stream] == ["L1", *[""] * 4]
    assert [bool(message.digest) for message in stream] == [True, True, False, False, True]
    assert {asked.lease_id for asked in runner.files.asked} == {"L1"}


@pytest.mark.guard(name="only what is missing is sent")
async def test_what_is_there_is_not_sent_again(runner: ScriptedRunner, folder: Path) -> None:
    runner.files.kept[hashlib.sha256(FILES["charts/x.png"]).hexdigest()] = FILES["charts/x.png"]
    await brought(runner, folder)
    assert [len(stream) for stream in runner.files.uploads] == [2]
    await brought(runner, folder)
    assert len(runner.files.uploads) == 1


@pytest.mark.guard(name="contents wait for a runner that is away")
@pytest.mark.parametrize("faults", [[1], [3, 1, 2], [NotServing("stands by")], [TooManyStreams("later"), 2]], ids=str)
async def test_a_broken_stream_goes_on_with_what_is_missing(
    faults: list[int], runner: ScriptedRunner, folder: Path
) -> None:
    runner.files.faults += faults
    await brought(runner, folder)
    assert kept_by(runner) == set(FILES.values())
    sent = [[message.digest for message in stream if message.digest] for stream in runner.files.uploads]
    assert sum(map(len, sent)) < len(FILES) * (len(faults) + 1)


async def test_a_runner_that_was_away_gets_the_files_when_it_is_back(folder: Path) -> None:
    tries: list[float] = []
    async with ScriptedRunner() as first:
        address = first.address
    back = ScriptedRunner(address)

    async def pause(_seconds: float) -> None:
        tries.append(_seconds)
        if len(tries) == 2:
            await back.__aenter__()

    uploads = Uploads(Route(address), "L1", Patience(Pauses(sleep=pause)))
    try:
        await uploads.bring(folder, tuple(FILES), "a.md", FilesLimit(), lambda: None)
        assert kept_by(back) == set(FILES.values())
    finally:
        await back.__aexit__(None, None, None)


@pytest.mark.guard(name="a lease that has ended ends its uploads")
@pytest.mark.guard(name="a status that comes after its write has failed")
async def test_a_stale_lease_ends_the_upload(runner: ScriptedRunner, folder: Path) -> None:
    runner.files.faults.append(StaleLease("expected a lease that is held"))
    with pytest.raises(LeaseEnded):
        await brought(runner, folder)


async def test_files_that_the_runner_refuses_are_refused_with_its_words(runner: ScriptedRunner, folder: Path) -> None:
    runner.files.faults.append(InvalidField("size_bytes", "a smaller file", "99 bytes"))
    with pytest.raises(FilesRefused, match=r"the runner took no files: .*expected a smaller file, but got 99 bytes"):
        await brought(runner, folder)


async def test_a_runner_that_forgets_files_is_not_asked_for_ever(runner: ScriptedRunner, folder: Path) -> None:
    runner.files.forgets = True
    with pytest.raises(FilesRefused, match="the runner misses 3 files that were sent 5 times"):
        await brought(runner, folder)


async def test_limits_of_the_runner_hold(runner: ScriptedRunner, folder: Path) -> None:
    with pytest.raises(FilesRefused, match="expected at most 2 files, but got 3"):
        await brought(runner, folder, limit=FilesLimit(files=2))
    with pytest.raises(FilesRefused, match="expected at most 100 bytes in all files"):
        await brought(runner, folder, limit=FilesLimit(size=100))
    assert not runner.files.uploads


async def test_many_small_files_travel_in_one_stream_and_are_asked_about_in_pages(
    runner: ScriptedRunner, tmp_path: Path
) -> None:
    names = [f"{number}.txt" for number in range(ASKED_AT_ONCE + 200)]
    for name in names:
        (tmp_path / name).write_text(name)
    uploads = Uploads(Route(runner.address), "L1", Patience(AT_ONCE))
    await uploads.bring(tmp_path, names, names[0], FilesLimit(), lambda: None)
    assert [len(asked.digests) for asked in runner.files.asked] == [ASKED_AT_ONCE, 200] * 2
    assert [len(stream) for stream in runner.files.uploads] == [len(names)]


async def test_equal_files_are_sent_once(runner: ScriptedRunner, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text("same")
    manifest = await Uploads(Route(runner.address), "L1", Patience(AT_ONCE)).bring(
        tmp_path, ["a", "b"], "a", FilesLimit(), lambda: None
    )
    assert len(manifest_from_json(manifest).files) == 2
    assert [len(stream) for stream in runner.files.uploads] == [1]
