"""Candidates of several files: brought under a lease, named by a manifest, kept, sent, and dropped when unnamed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import grpc
import pytest

from runner_svc.core.fleet.timings import StreamTimings
from runner_svc.leftovers import Leftovers
from runner_svc.objects.folder import FolderObjects
from runner_svc.services.file_uploads import FileUploads
from runner_svc.store.memory import MemoryStore
from runner_svc.store.sqlite import SqliteStore
from signoff.errors import UploadStalled
from signoff.manifest.manifest import MAX_FILES_BYTES
from signoff.v1 import execution_pb2, plan_pb2, runner_pb2, worker_pb2
from tests.runner_svc.prune.test_pruner import prune
from tests.runner_svc.services.test_late_results import until_event
from tests.runner_svc.services.test_runner_service import refused
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, RawWorker, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running
from tests.support.work.brought_files import bring, candidate_of, digest_of, files_in, manifest_body, messages

FILES = plan_pb2.TaskSpec(output=plan_pb2.TaskOutput(files=["*"]))
PLAN = PlannerOfTexts({"a": FILES}, one="a[report]; b <- a; c[other]")
LARGE = os.urandom(3 * 1024 * 1024 + 5)
BODIES = {"charts/large.png": LARGE, "empty.txt": b"", "report.md": b"# Sales\n"}


@pytest.fixture
def objects(tmp_path: Path) -> FolderObjects:
    return FolderObjects(tmp_path / "objects")


@pytest.fixture
async def runner(tmp_path: Path, objects: FolderObjects) -> AsyncIterator[Running]:
    await objects.open()
    async with running(PLAN, tmp_path / "db", store=MemoryStore(), objects=objects, prune_grace=-1) as serving:
        yield serving


async def stored(objects: FolderObjects) -> list[str]:
    return sorted([digest async for page in objects.listed() for digest in page])


async def signed_off(runner: Running, ref: runner_pb2.ExecutionRef, bodies: dict[str, bytes]) -> None:
    """Makes task a's files and signs them off, with the plan's other task."""
    async with raw_worker(runner, EXECUTOR, "w1", slots=2) as worker, raw_worker(runner, VALIDATOR, "v1") as validator:
        for _ in range(2):
            assign = await worker.assigned()
            if assign.task.task_id == "a":
                await bring(runner, assign.lease_id, bodies)
                await worker.say(candidate=candidate_of(assign.lease_id, manifest_body(bodies)))
                await worker.hear("ack")
            else:
                await worker.make(assign)
        await worker.say(credit=worker_pb2.Credit(window=0))
        for _ in range(2):
            await validator.judge(await validator.assigned())


def of(ref: runner_pb2.ExecutionRef, **fields: object) -> runner_pb2.GetArtifactRequest:
    return runner_pb2.GetArtifactRequest(ref=ref, task_id="a", **fields)  # type: ignore[arg-type]


async def read(runner: Running, request: runner_pb2.GetArtifactRequest) -> bytes:
    return b"".join([part.chunk async for part in runner.stub.GetArtifact(request)])


async def test_files_are_signed_off_and_read_whole_alone_and_in_ranges(runner: Running, objects: FolderObjects) -> None:
    ref = await runner.start("one")
    await signed_off(runner, ref, BODIES)
    assert await read(runner, of(ref)) == manifest_body(BODIES)
    assert await files_in(runner, of(ref)) == BODIES
    assert await read(runner, of(ref, path="report.md")) == b"# Sales\n"
    assert await read(runner, of(ref, path="report.md", offset=2, length=3)) == b"Sal"
    assert await read(runner, of(ref, path="report.md", offset=99)) == b""
    assert (
        await read(runner, of(ref, path="charts/large.png", offset=1_000_000, length=1_500_000))
        == (LARGE[1_000_000:2_500_000])
    )
    first = await anext(aiter(runner.stub.GetArtifact(of(ref, path="report.md"))))
    assert (first.info.file_count, first.info.files_bytes) == (3, len(LARGE) + 8)
    assert (first.file.path, first.file.size_bytes, first.file.digest) == ("report.md", 8, digest_of(b"# Sales\n"))
    assert await stored(objects) == [digest_of(LARGE)], "the others lie in the journal's store"


async def test_a_file_that_is_not_there_is_named(runner: Running) -> None:
    ref = await runner.start("one")
    await signed_off(runner, ref, BODIES)
    with refused("ARTIFACT_NOT_FOUND", grpc.StatusCode.NOT_FOUND) as answer:
        await read(runner, of(ref, path="../report.md"))
    assert answer.error is not None
    assert "expected a file of task a, but it has none at '../report.md'" in str(answer.error.details())
    with refused("ARTIFACT_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        await read(runner, runner_pb2.GetArtifactRequest(ref=ref, task_id="c", path="report.md"))
    with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT):
        await read(runner, of(ref, path="report.md", all_files=True))


async def test_candidates_and_inputs_are_read_file_by_file_too(runner: Running) -> None:
    ref = await runner.start("one")
    await signed_off(runner, ref, BODIES)
    request = runner_pb2.GetCandidateRequest(ref=ref, task_id="a", path="report.md")
    parts = [part async for part in runner.stub.GetCandidate(request)]
    assert (parts[0].file.path, parts[0].info.artifact.file_count) == ("report.md", 3)
    assert b"".join(part.chunk for part in parts) == b"# Sales\n"
    async with raw_worker(runner, EXECUTOR, "w2") as worker:
        assign = await worker.assigned()
        (given,) = assign.inputs
        assert given.inline == manifest_body(BODIES)
        lease = of(ref, lease_id=assign.lease_id, digest=given.digest)
        assert await files_in(runner, lease) == BODIES


@pytest.mark.guard(name="a worker that knows no files is given none")
@pytest.mark.guard(name="who reads files can read them")
async def test_tasks_that_make_or_read_files_go_to_workers_that_can(runner: Running) -> None:
    ref = await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "old", slots=3, features=()) as old:
        assert (await old.assigned()).task.task_id == "c", "the one task that has to do with no files"
        await signed_off_a(runner, BODIES)
        request = runner_pb2.GetExecutionRequest(ref=ref, tasks=runner_pb2.TASK_SELECTION_NAMED, task_ids=["b"])
        (b,) = (await runner.stub.GetExecution(request)).tasks
        assert "results of several files" in b.waiting.message
        assert not old.has_heard("assign")


async def signed_off_a(runner: Running, bodies: dict[str, bytes]) -> None:
    async with raw_worker(runner, EXECUTOR, "w1") as worker, raw_worker(runner, VALIDATOR, "v1") as validator:
        assign = await worker.assigned()
        await bring(runner, assign.lease_id, bodies)
        await worker.say(candidate=candidate_of(assign.lease_id, manifest_body(bodies)))
        await worker.hear("ack")
        await worker.say(credit=worker_pb2.Credit(window=0))
        await validator.judge(await validator.assigned())


# ---------------------------------------------------------------- bad uploads


Request = runner_pb2.UploadFilesRequest


def good(lease: str, body: bytes = b"x") -> Request:
    return Request(lease_id=lease, digest=digest_of(body), size_bytes=len(body), chunk=body)


BAD: dict[str, tuple[Callable[[str], list[Request]], str]] = {
    "no message": (lambda _: [], "the lease in the first message"),
    "no lease": (lambda _: [good("")], "the lease in the first message"),
    "no digest": (lambda lease: [Request(lease_id=lease, chunk=b"x")], "the SHA-256 of a file that begins"),
    "other bytes": (
        lambda lease: [Request(lease_id=lease, digest=digest_of(b"y"), size_bytes=1, chunk=b"x")],
        "theirs is",
    ),
    "other large bytes": (
        lambda lease: [
            Request(lease_id=lease, digest=digest_of(LARGE), size_bytes=len(LARGE), chunk=LARGE[:-1]),
            Request(chunk=b"!"),
        ],
        "theirs is",
    ),
    "fewer": (lambda lease: [Request(lease_id=lease, digest=digest_of(b"x"), size_bytes=2, chunk=b"x")], "but 1 came"),
    "fewer of a large one": (
        lambda lease: [Request(lease_id=lease, digest=digest_of(LARGE), size_bytes=len(LARGE), chunk=LARGE[:9])],
        "but 9 came",
    ),
    "more": (
        lambda lease: [Request(lease_id=lease, digest=digest_of(b"x"), size_bytes=1, chunk=b"x"), Request(chunk=b"y")],
        "more came",
    ),
    "more of a large one": (
        lambda lease: [
            Request(lease_id=lease, digest=digest_of(LARGE), size_bytes=len(LARGE), chunk=LARGE),
            Request(chunk=b"y"),
        ],
        "more came",
    ),
    "a size alone": (lambda lease: [good(lease), Request(size_bytes=1, chunk=b"y")], "only with a digest"),
    "too large": (
        lambda lease: [Request(lease_id=lease, digest=digest_of(b"x"), size_bytes=MAX_FILES_BYTES + 1)],
        "at most 1,073,741,824 bytes in all files",
    ),
}


SHOWN = ("other bytes", "other large bytes", "too large")


@pytest.mark.parametrize(
    "case",
    [
        pytest.param("other bytes", marks=pytest.mark.guard(name="a small file has its digest")),
        pytest.param("other large bytes", marks=pytest.mark.guard(name="a file has its digest")),
        pytest.param("too large", marks=pytest.mark.guard(name="files of an upload are bounded")),
        *(case for case in BAD if case not in SHOWN),
    ],
)
async def test_an_upload_that_does_not_fit_is_refused_and_leaves_no_object(
    runner: Running, objects: FolderObjects, tmp_path: Path, case: str
) -> None:
    await runner.start("one")
    made, problem = BAD[case]
    async with raw_worker(runner, EXECUTOR, "w1") as worker:
        assign = await worker.assigned()
        with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT) as answer:
            await runner.stub.UploadFiles(given(made(assign.lease_id)))
        assert answer.error is not None
        assert problem in str(answer.error.details())
        assert await stored(objects) == []
        assert list((tmp_path / "objects" / "incoming").iterdir()) == []


async def given(requests: list[Request]) -> AsyncIterator[Request]:
    for request in requests:
        yield request


@pytest.mark.guard(name="files come under leases that are held")
async def test_files_come_under_leases_of_executors_that_are_held(runner: Running) -> None:
    await runner.start("one")
    with refused("STALE_LEASE", grpc.StatusCode.FAILED_PRECONDITION):
        await runner.stub.UploadFiles(messages("never.0.1", [b"x"]))
    async with raw_worker(runner, EXECUTOR, "w1", slots=2) as worker, raw_worker(runner, VALIDATOR, "v1") as validator:
        lease = (await worker.assigned()).lease_id
        await worker.make(await worker.assigned())
        judged = (await validator.assigned()).lease_id
        with refused("STALE_LEASE", grpc.StatusCode.FAILED_PRECONDITION):
            await runner.stub.UploadFiles(messages(judged, [b"x"]))
        assert (await runner.stub.UploadFiles(messages(lease, [b"x"]))).files == 1


async def test_only_what_is_missing_need_be_brought(runner: Running) -> None:
    ref = await runner.start("one")
    await signed_off(runner, ref, {"report.md": b"kept"})
    await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "w2", slots=2) as worker:
        first, second = [(await worker.assigned()).lease_id for _ in range(2)]
        await runner.stub.UploadFiles(messages(first, [b"own", LARGE]))
        wanted = [digest_of(body) for body in (b"kept", b"own", LARGE, b"new")]
        for lease, missing in ((first, wanted[3:]), (second, wanted[1:]), ("", wanted[1:])):
            request = runner_pb2.ListMissingContentsRequest(digests=wanted, lease_id=lease)
            assert (await runner.stub.ListMissingContents(request)).digests == missing


# ---------------------------------------------------------------- candidates whose files are not there

LIES: dict[str, tuple[bytes, str]] = {
    "missing": (manifest_body({"a.txt": b"absent", "b.txt": b"x"}), "but 'a.txt' did not"),
    "size": (manifest_body({"a.txt": b"x"}).replace(b'"size":1', b'"size":2'), "'a.txt' to have 2 bytes"),
    "path": (manifest_body({"../a.txt": b"x"}), "manifest of the candidate's files is wrong: expected a path"),
    "case": (manifest_body({"A.txt": b"x", "a.txt": b"x"}), "differ in more than their case"),
    "name": (manifest_body({"x" * 256: b"x"}), "names of at most 255 bytes in UTF-8, but got one of 256: 'xxx"),
    "no manifest": (b"{}", "manifest of the candidate's files is wrong"),
}


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param("missing", marks=pytest.mark.guard(name="files come before the candidate that names them")),
        pytest.param("size", marks=pytest.mark.guard(name="a manifest tells the sizes of its files")),
        *(lie for lie in LIES if lie not in ("missing", "size")),
    ],
)
async def test_a_manifest_that_lies_fails_its_attempt_and_nothing_else(runner: Running, lie: str) -> None:
    ref = await runner.start("one")
    body, problem = LIES[lie]
    async with raw_worker(runner, EXECUTOR, "w1", slots=2) as worker:
        assigned = {assign.task.task_id: assign for assign in [await worker.assigned(), await worker.assigned()]}
        lease = assigned["a"].lease_id
        await runner.stub.UploadFiles(messages(lease, [b"x"]))
        await worker.say(candidate=candidate_of(lease, body))
        failed = (await until_event(runner, ref, "attempt_failed")).attempt_failed
        assert problem in failed.message
        await worker.make(assigned["c"])


# ---------------------------------------------------------------- what stays and what goes


async def leftovers(runner: Running) -> int:
    return await Leftovers(runner.engine, kept_for=-1).remove()


@pytest.mark.guard(name="files of a candidate stay")
async def test_what_a_candidate_has_named_stays_and_all_else_goes_after_the_lease(
    runner: Running, objects: FolderObjects
) -> None:
    ref = await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "w1", slots=2) as worker:
        assigned = {assign.task.task_id: assign for assign in [await worker.assigned(), await worker.assigned()]}
        lease = assigned["a"].lease_id
        unnamed = os.urandom(2 * 1024 * 1024)
        await runner.stub.UploadFiles(messages(lease, [*BODIES.values(), unnamed, b"unnamed"]))
        assert await leftovers(runner) == 0, "the lease lives"
        await worker.say(candidate=candidate_of(lease, manifest_body(BODIES)))
        await worker.hear("ack")
        assert await leftovers(runner) == 2
        assert await stored(objects) == [digest_of(LARGE)]
        await runner.stub.UploadFiles(messages(assigned["c"].lease_id, [unnamed]))
        await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=ref))
        await worker.hear("cancel")
    assert await leftovers(runner) == 1
    assert await stored(objects) == [digest_of(LARGE)]
    assert await files_in_candidate(runner, ref) == BODIES


async def files_in_candidate(runner: Running, ref: runner_pb2.ExecutionRef) -> dict[str, bytes]:
    request = runner_pb2.GetCandidateRequest(ref=ref, task_id="a", all_files=True)
    found, path = dict[str, bytes](), ""
    async for part in runner.stub.GetCandidate(request):
        if part.HasField("file"):
            path = part.file.path
            found[path] = b""
        if path:
            found[path] += part.chunk
    return found


@pytest.mark.guard(name="files that a manifest names are not dropped")
async def test_a_prune_keeps_the_files_of_what_stays_and_drops_those_of_what_goes(
    runner: Running, objects: FolderObjects
) -> None:
    first = await runner.start("one")
    await signed_off(runner, first, {"one.bin": LARGE, "shared.txt": b"shared"})
    await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=first))
    second = await runner.start("one")
    other = os.urandom(2 * 1024 * 1024)
    await signed_off(runner, second, {"two.bin": other, "shared.txt": b"shared"})
    await prune(runner)
    assert await stored(objects) == [digest_of(other)]
    assert await files_in(runner, of(second)) == {"shared.txt": b"shared", "two.bin": other}


async def test_files_are_there_after_a_restart_and_half_an_object_is_not(tmp_path: Path) -> None:
    store, objects = tmp_path / "journal.db", FolderObjects(tmp_path / "objects")
    await objects.open()
    async with running(PLAN, tmp_path / "db", store=SqliteStore(store), objects=objects) as before:
        ref = await before.start("one")
        await signed_off(before, ref, BODIES)
    lost = digest_of(b"an object that no row tells of")
    await objects.put(lost, pieces(b"an object that no row tells of"))
    async with running(PLAN, tmp_path / "db", store=SqliteStore(store), objects=objects) as after:
        assert await after.engine.contents.sweep(0) == 1
        assert await files_in(after, of(ref)) == BODIES


async def pieces(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def test_a_lease_that_survives_a_restart_need_not_bring_its_files_again(tmp_path: Path) -> None:
    store, objects = tmp_path / "journal.db", FolderObjects(tmp_path / "objects")
    await objects.open()
    timings = StreamTimings(resume_grace=30)
    async with running(PLAN, tmp_path / "db", store=SqliteStore(store), objects=objects, timings=timings) as before:
        ref = await before.start("one")
        lease = await lease_of_a(before)
        await bring(before, lease, BODIES)
    async with running(PLAN, tmp_path / "db", store=SqliteStore(store), objects=objects, timings=timings) as after:
        await after.engine.contents.sweep(0)
        assert await leftovers(after) == 0
        async with raw_worker(after, EXECUTOR, "w1", slots=2, held=[lease]) as worker:
            await worker.hear("keep")
            await worker.say(candidate=candidate_of(lease, manifest_body(BODIES)))
            await worker.hear("ack")
            assert await files_in_candidate(after, ref) == BODIES


async def lease_of_a(runner: Running) -> str:
    worker: RawWorker
    async with raw_worker(runner, EXECUTOR, "w1", slots=2) as worker:
        leases = {assign.task.task_id: assign.lease_id for assign in [await worker.assigned(), await worker.assigned()]}
        return leases["a"]


async def test_without_an_object_store_large_files_lie_in_the_store_up_to_a_bound(tmp_path: Path) -> None:
    async with running(PLAN, tmp_path / "db") as runner:
        ref = await runner.start("one")
        await signed_off(runner, ref, BODIES)
        assert await files_in(runner, of(ref)) == BODIES
        await runner.start("one")
        async with raw_worker(runner, EXECUTOR, "w2") as worker:
            lease = (await worker.assigned()).lease_id
            with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT) as answer:
                too_large = Request(lease_id=lease, digest=digest_of(b"x"), size_bytes=64 * 1024 * 1024 + 1)
                await runner.stub.UploadFiles(given([too_large]))
            assert answer.error is not None
            assert "this runner has no object store (--objects)" in str(answer.error.details())


async def test_an_upload_that_stalls_gives_its_place_back(runner: Running) -> None:
    await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "w1") as worker:
        lease = (await worker.assigned()).lease_id

        async def stalls() -> AsyncIterator[Request]:
            yield good(lease)
            await asyncio.Event().wait()

        with pytest.raises(UploadStalled, match="but got 1 bytes in 0 s"):
            await FileUploads(runner.engine, stall=0.05).take(stalls())


async def test_a_failed_task_with_files_is_made_again_with_what_was_rejected(runner: Running) -> None:
    ref = await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "w1", slots=2) as worker, raw_worker(runner, VALIDATOR, "v1") as validator:
        assigned = {assign.task.task_id: assign for assign in [await worker.assigned(), await worker.assigned()]}
        lease = assigned["a"].lease_id
        await bring(runner, lease, BODIES)
        await worker.say(candidate=candidate_of(lease, manifest_body(BODIES)))
        await worker.hear("ack")
        judged = await validator.assigned()
        assert judged.candidate.inline == manifest_body(BODIES)
        await validator.judge(judged, execution_pb2.OUTCOME_FAIL)
        again = await worker.assigned()
        previous = again.feedback.previous_candidate
        assert previous.inline == manifest_body(BODIES)
        assert await files_in(runner, of(ref, lease_id=again.lease_id, digest=previous.digest)) == BODIES
