"""Workers that bring files in wrong ways: others get their turn in bounded time, and nothing of it stays.

Streams that do not fit their own words are refused one by one in tests/runner_svc/services/test_files.py.
"""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, suppress
from pathlib import Path

import grpc
import pytest

from runner_svc.leftovers import Leftovers
from runner_svc.objects.folder import FolderObjects
from runner_svc.services import upload_places
from runner_svc.services.content_uploads import AT_ONCE as INPUTS_AT_ONCE
from runner_svc.services.file_uploads import FileUploads
from runner_svc.services.upload_places import AT_ONCE, MOST_OPEN, OF_A_WORKER
from runner_svc.store.memory import MemoryStore
from signoff.errors import StaleLease, UploadStalled
from signoff.manifest.manifest import (
    MAX_FILES,
    MAX_FILES_BYTES,
    BadManifest,
    FileEntry,
    Manifest,
    manifest_from_json,
    manifest_to_json,
)
from signoff.v1 import runner_pb2, worker_pb2
from tests.runner_svc.services.test_late_results import until_event
from tests.runner_svc.services.test_runner_service import refused
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, RawWorker, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running
from tests.support.work.brought_files import CHUNK, bring, candidate_of, digest_of, files_in, manifest_body, messages

WITHIN = 5.0  # seconds for an honest worker beside hostile ones
STALL = 0.2  # seconds
MOST_TRACED = 100 * 1024 * 1024  # bytes that the reader of a manifest may take
ROGUES = AT_ONCE // OF_A_WORKER  # workers that hold all places together
PLANS = PlannerOfTexts(one="a", wide="; ".join(f"t{number}" for number in range(ROGUES + 1)))

Request = runner_pb2.UploadFilesRequest


@pytest.fixture
def objects(tmp_path: Path) -> FolderObjects:
    return FolderObjects(tmp_path / "objects")


@pytest.fixture
async def runner(tmp_path: Path, objects: FolderObjects) -> AsyncIterator[Running]:
    await objects.open()
    async with running(PLANS, tmp_path / "db", store=MemoryStore(), objects=objects) as serving:
        yield serving


def begun(lease: str, size: int = 2) -> Request:
    """Begins a file whose first byte comes, and no other."""
    return Request(lease_id=lease, digest=digest_of(b"xy"), size_bytes=size, chunk=b"x")


async def and_then_silence(*requests: Request) -> AsyncIterator[Request]:
    for request in requests:
        yield request
    await asyncio.Event().wait()


async def silent_streams(runner: Running, open_calls: AsyncExitStack, lease: str, count: int) -> None:
    """Opens streams that say little or nothing; each ends with the stack."""
    for _ in range(count):
        call = runner.stub.UploadFiles()
        open_calls.callback(call.cancel)
        if lease:
            await call.write(begun(lease))


async def rogues(runner: Running, stack: AsyncExitStack, count: int) -> list[str]:
    """Connects workers that do nothing with what they are given. Returns their leases."""
    leases = []
    for number in range(count):
        rogue: RawWorker = await stack.enter_async_context(raw_worker(runner, EXECUTOR, f"rogue {number}"))
        leases.append((await rogue.assigned()).lease_id)
    return leases


# ---------------------------------------------------------------- places


async def test_streams_that_are_merely_open_keep_no_honest_worker_waiting(runner: Running) -> None:
    await runner.start("one")
    async with AsyncExitStack() as stack, raw_worker(runner, EXECUTOR, "w1") as worker:
        lease = (await worker.assigned()).lease_id
        await silent_streams(runner, stack, "", 5 * AT_ONCE)
        await silent_streams(runner, stack, "never.0.1", 5 * AT_ONCE)
        async with asyncio.timeout(WITHIN):
            assert (await bring(runner, lease, {"a": b"honest"})).files == 1


async def test_streams_of_inputs_that_are_merely_open_keep_no_client_waiting(runner: Running) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(5 * INPUTS_AT_ONCE):
            stack.callback(runner.stub.UploadContent().cancel)
        body = runner_pb2.UploadContentRequest(digest=digest_of(b"honest"), chunk=b"honest")
        async with asyncio.timeout(WITHIN):
            assert (await runner.stub.UploadContent(iter([body]))).size_bytes == 6


@pytest.mark.guard(name="a worker leaves places to others")
async def test_a_worker_that_leaves_all_its_streams_half_open_keeps_no_other_waiting(runner: Running) -> None:
    await runner.start("wide")
    async with AsyncExitStack() as stack:
        (lease,) = await rogues(runner, stack, 1)
        await silent_streams(runner, stack, lease, MOST_OPEN)
        honest = await stack.enter_async_context(raw_worker(runner, EXECUTOR, "honest"))
        async with asyncio.timeout(WITHIN):
            assert (await bring(runner, (await honest.assigned()).lease_id, {"a": b"honest"})).files == 1


async def test_when_rogues_hold_all_places_an_honest_worker_gets_one_as_they_stall(runner: Running) -> None:
    await runner.start("wide")
    uploads = FileUploads(runner.engine, stall=STALL)
    async with AsyncExitStack() as stack:
        leases = await rogues(runner, stack, ROGUES)
        honest = await stack.enter_async_context(raw_worker(runner, EXECUTOR, "honest"))
        stalled = [
            asyncio.create_task(uploads.take(and_then_silence(begun(lease))))
            for lease in leases
            for _ in range(OF_A_WORKER)
        ]
        await runner.engine.ask(lambda _: None)
        async with asyncio.timeout(WITHIN):
            assert (await uploads.take(messages((await honest.assigned()).lease_id, [b"honest"]))).files == 1
        ends = await asyncio.gather(*stalled, return_exceptions=True)
        assert [type(end) for end in ends] == [UploadStalled] * AT_ONCE


@pytest.mark.guard(name="a worker has few uploads")
async def test_a_worker_can_open_few_streams_that_wait(runner: Running) -> None:
    await runner.start("one")
    async with AsyncExitStack() as stack, raw_worker(runner, EXECUTOR, "w1") as worker:
        lease = (await worker.assigned()).lease_id
        uploads = FileUploads(runner.engine)
        opened = [asyncio.create_task(uploads.take(and_then_silence(begun(lease)))) for _ in range(MOST_OPEN + 1)]
        stack.callback(lambda: [upload.cancel() for upload in opened])
        async with asyncio.timeout(WITHIN):
            done, _ = await asyncio.wait(opened, return_when=asyncio.FIRST_COMPLETED)
        assert [str(upload.exception()) for upload in done] == [
            f"expected at most {MOST_OPEN} uploads of files of one worker to be open, but got one more"
        ]


async def test_a_stream_of_pieces_without_bytes_ends_in_time(runner: Running) -> None:
    await runner.start("one")

    async def endless(lease: str) -> AsyncGenerator[Request, None]:
        yield begun(lease)
        while True:
            await asyncio.sleep(0)
            yield Request()

    async with raw_worker(runner, EXECUTOR, "w1") as worker:
        lease = (await worker.assigned()).lease_id
        async with asyncio.timeout(WITHIN), aclosing(endless(lease)) as stream:
            with pytest.raises(UploadStalled, match="16,384 bytes a second, but got 1 bytes"):
                await FileUploads(runner.engine, stall=STALL).take(stream)


async def test_a_gibibyte_that_is_announced_and_does_not_come_takes_nothing(
    runner: Running, objects: FolderObjects, tmp_path: Path
) -> None:
    await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "w1") as worker:
        lease = (await worker.assigned()).lease_id
        with pytest.raises(UploadStalled):
            await FileUploads(runner.engine, stall=STALL).take(and_then_silence(begun(lease, MAX_FILES_BYTES)))
        assert [page async for page in objects.listed() if page] == []
        assert list((tmp_path / "objects" / "incoming").iterdir()) == []
        assert (await bring(runner, lease, {"a": b"honest"})).files == 1


# ---------------------------------------------------------------- leases


@pytest.mark.guard(name="an upload ends with its lease")
async def test_a_stream_ends_soon_after_its_lease(runner: Running) -> None:
    ref = await runner.start("one")
    ended = asyncio.Event()

    async def goes_on(lease: str) -> AsyncIterator[Request]:
        yield begun(lease, MAX_FILES_BYTES)
        await ended.wait()
        for _ in range(100):
            yield Request(chunk=b"x")

    async with raw_worker(runner, EXECUTOR, "w1") as worker:
        lease = (await worker.assigned()).lease_id
        upload = asyncio.create_task(FileUploads(runner.engine, fresh_for=0).take(goes_on(lease)))
        await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=ref))
        await worker.hear("cancel")
        ended.set()
        with pytest.raises(StaleLease):
            await upload


@pytest.mark.guard(name="what a lease brings is bounded")
@pytest.mark.parametrize(("bound", "most"), [("MAX_FILES", 2), ("MAX_FILES_BYTES", 2)])
async def test_a_lease_brings_no_more_in_many_uploads_than_in_few(
    runner: Running, monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    monkeypatch.setattr(upload_places, bound, most)
    await runner.start("wide")
    async with AsyncExitStack() as stack:
        first, second = await rogues(runner, stack, 2)
        for number in range(2 * most):
            await bring(runner, first, {"a": b"%d" % number})
        with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT) as answer:
            await bring(runner, first, {"a": b"x"})
        assert answer.error is not None
        assert "in all uploads under a lease" in str(answer.error.details())
        await bring(runner, second, {"a": b"x"})


async def test_what_a_liar_brings_under_the_lease_of_another_is_not_in_its_result(runner: Running) -> None:
    ref = await runner.start("one")
    honest_files = {"report.md": b"honest"}
    async with raw_worker(runner, EXECUTOR, "w1") as honest, raw_worker(runner, VALIDATOR, "liar") as liar:
        lease = (await honest.assigned()).lease_id
        await bring(runner, lease, {"lie": b"lie"})
        with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT):
            lie = Request(lease_id=lease, digest=digest_of(b"honest"), size_bytes=6, chunk=b"liehon")
            await runner.stub.UploadFiles(_each(lie))
        await bring(runner, lease, honest_files)
        await honest.say(candidate=candidate_of(lease, manifest_body(honest_files)))
        await honest.hear("ack")
        await liar.judge(await liar.assigned())
        assert await files_in(runner, runner_pb2.GetArtifactRequest(ref=ref, task_id="a")) == honest_files
        assert await Leftovers(runner.engine, kept_for=-1).remove() == 1


async def _each(*requests: Request) -> AsyncIterator[Request]:
    for request in requests:
        yield request


# ---------------------------------------------------------------- manifests


def deep_paths(*, last_is_folder: bool) -> bytes:
    """Returns a manifest of 10,000 files, each below 99 folders of its own; at the end, perhaps, a file is a folder."""
    entries = [_entry(f"{n:04}" + f"/{n:04}" * 98 + "/f") for n in range(MAX_FILES - 1)]
    last = f"{MAX_FILES - 2:04}" if last_is_folder else "z"
    files = tuple(sorted([*entries, _entry(last)], key=lambda entry: entry.path))
    return manifest_to_json(Manifest(main=last, files=files))


def _entry(path: str) -> FileEntry:
    return FileEntry(path=path, media_type="a/b", size=0, digest=digest_of(b""))


@pytest.mark.parametrize("last_is_folder", [False, True])
def test_ten_thousand_deep_paths_take_little_memory(last_is_folder: bool) -> None:
    body = deep_paths(last_is_folder=last_is_folder)
    tracemalloc.start()
    try:
        with suppress(BadManifest):
            manifest_from_json(body)
            assert not last_is_folder
        assert tracemalloc.get_traced_memory()[1] < MOST_TRACED
    finally:
        tracemalloc.stop()


async def test_a_manifest_of_ten_thousand_hostile_paths_fails_its_attempt_and_holds_nobody_up(runner: Running) -> None:
    ref = await runner.start("wide")
    async with raw_worker(runner, EXECUTOR, "rogue") as rogue, raw_worker(runner, EXECUTOR, "honest") as honest:
        lease, other = (await rogue.assigned()).lease_id, await honest.assigned()
        body = deep_paths(last_is_folder=True)
        for start in range(0, len(body), CHUNK):
            await rogue.say(
                candidate_chunk=worker_pb2.CandidateChunk(
                    lease_id=lease, offset=start, data=body[start : start + CHUNK]
                )
            )
        whole = candidate_of(lease, body)
        whole.inline = b""
        await rogue.say(candidate=whole)
        async with asyncio.timeout(WITHIN):
            await honest.make(other)
        failed = (await until_event(runner, ref, "attempt_failed")).attempt_failed
        assert "manifest of the candidate's files is wrong" in failed.message
