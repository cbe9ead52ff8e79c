"""Inputs by reference are fetched under the lease; a fetch that fails is a failure of the work."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from mmap import mmap
from pathlib import Path

import pytest

from signoff.app import Document
from signoff.errors import ArtifactNotFound, NotServing, SignoffError, StaleLease, StorageFailed, TooManyStreams
from signoff.manifest.manifest import FILES
from signoff.rpc.frames import IN_PARTS
from signoff.v1 import execution_pb2, runner_pb2, worker_pb2
from tests.support.servers.model_server import ModelServer, without_proxies
from tests.support.servers.scripted_runner import ScriptedRunner, assign, digest_of
from tests.support.work.scripted_handler import AT_ONCE, working
from tests.worker_svc.llm.openai.test_model import model_at
from worker_svc.commands.folder import attempt_folder, layout_of
from worker_svc.executor import Executor
from worker_svc.functions.jobs import job_of
from worker_svc.link.patience import MOST_UNCLEAR
from worker_svc.link.stream import Identity, Worker
from worker_svc.prompts.messages import MAX_ARTIFACT_CHARS, execute_messages

KIB, MIB = 1024, 1024 * 1024
JUDGE = execution_pb2.PHASE_VALIDATE


@pytest.fixture
async def runner() -> AsyncIterator[ScriptedRunner]:
    async with ScriptedRunner() as listening:
        yield listening


async def test_an_input_by_reference_is_fetched_under_its_lease(runner: ScriptedRunner) -> None:
    content = hashlib.shake_128(b"input").digest(300 * KIB)
    async with working(runner.address) as worker:
        await runner.welcomed(assign("L1", inputs=(runner.put(content),)))
        assignment = (await worker.handler.call()).assignment
        assert [given.content for given in assignment.inputs] == [content]
    (asked,) = runner.asked
    assert (asked.ref.execution_id, asked.task_id) == ("x-1", "1_0")
    assert (asked.lease_id, asked.digest) == ("L1", digest_of(content))


async def test_very_many_inputs_by_reference_come_and_each_is_progress(runner: ScriptedRunner) -> None:
    contents = [f"content {n}".encode() for n in range(300)]
    async with working(runner.address) as worker:
        stream = await runner.welcomed(assign("L1", inputs=tuple(map(runner.put, contents))))
        assignment = (await worker.handler.call()).assignment
        assert [given.content for given in assignment.inputs] == contents
        await stream.expect("accepted")
        assert (await stream.expect("progress")).lease_id == "L1"
    assert len(runner.asked) == 300


@pytest.mark.guard(name="large inputs lie in files")
async def test_a_large_input_lies_in_a_file_that_is_gone_with_the_work(runner: ScriptedRunner, tmp_path: Path) -> None:
    small, large = b"s" * MIB, hashlib.shake_128(b"large").digest(3 * MIB)
    async with working(runner.address) as worker:
        await runner.welcomed(assign("L1", inputs=(runner.put(small), runner.put(large))))
        assignment = (await worker.handler.call()).assignment
    kept, mapped = (given.content for given in assignment.inputs)
    assert isinstance(kept, bytes)
    assert isinstance(mapped, mmap)
    assert (len(mapped), mapped[MIB : MIB + 9]) == (3 * MIB, large[MIB : MIB + 9])
    assert assignment.inputs[1].whole() == large
    shown = execute_messages(assignment)[1].content
    assert f"{3 * MIB} bytes that are no text" in shown
    layout = layout_of(assignment)
    async with attempt_folder(layout, tmp_path) as folder:
        assert (folder / layout.inputs[1][1]).read_bytes() == large
    documents = job_of(assignment).inputs
    assert [document.content for document in documents if isinstance(document, Document)] == [small, large]


async def test_a_disk_without_room_for_an_input_is_a_transient_failure_that_says_so(
    runner: ScriptedRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("worker_svc.link.inputs.tempfile.TemporaryFile", full)
    async with working(runner.address):
        stream = await runner.welcomed(assign("L1", inputs=(runner.put(bytes(2 * MIB)),)))
        await stream.expect("accepted")
        failure = await stream.expect("failure")
    assert failure.kind == execution_pb2.FAILURE_KIND_TRANSIENT
    assert "2097152 bytes could not be kept in a temporary file: [Errno 28] No space left on device" in failure.message


async def test_what_is_judged_is_in_memory_however_large_it_is(runner: ScriptedRunner) -> None:
    message = assign("L1", JUDGE)
    message.assign.candidate.CopyFrom(runner.put(b"x" * 2 * MIB))
    message.assign.candidate.task_id = "1_1"
    async with working(runner.address) as worker:
        await runner.welcomed(message)
        candidate = (await worker.handler.call()).assignment.candidate
    assert candidate is not None
    assert isinstance(candidate.content, bytes)


@pytest.mark.guard(name="parts come before their assignment")
async def test_inputs_that_come_in_parts_are_one_list_in_their_order(runner: ScriptedRunner) -> None:
    contents = [f"content {n}".encode() for n in range(250)]
    inputs = [inline(content) if n % 2 else runner.put(content) for n, content in enumerate(contents)]
    async with working(runner.address, slots=2) as worker:
        stream = await runner.welcomed(part("L1", inputs[:100]))
        await stream.send(part("L2", inputs[:3]))
        await stream.send(part("L1", inputs[100:]), in_parts("L1", 250))
        assignment = (await worker.handler.call()).assignment
        assert [given.content for given in assignment.inputs] == contents


@pytest.mark.guard(name="no work on a part of the inputs")
@pytest.mark.parametrize("came", [0, 2, 4])
async def test_an_assignment_without_all_of_its_parts_is_declined(runner: ScriptedRunner, came: int) -> None:
    inputs = [inline(f"content {n}".encode()) for n in range(came)]
    async with working(runner.address) as worker:
        stream = await runner.welcomed(part("L1", inputs), in_parts("L1", 3))
        declined = await stream.expect("declined")
        assert worker.handler.untaken == 0
    assert declined.lease_id == "L1"
    assert declined.reason == f"expected 3 inputs in parts before it, but got {came}"


async def test_a_worker_says_that_it_takes_inputs_in_parts(runner: ScriptedRunner) -> None:
    async with working(runner.address):
        stream = await runner.welcomed()
    assert list(stream.hello.features) == [IN_PARTS, FILES]


def inline(content: bytes) -> worker_pb2.InputArtifact:
    return worker_pb2.InputArtifact(task_id="1_0", digest=digest_of(content), inline=content)


def part(lease_id: str, inputs: Sequence[worker_pb2.InputArtifact]) -> worker_pb2.RunnerMessage:
    return worker_pb2.RunnerMessage(inputs_part=worker_pb2.InputsPart(lease_id=lease_id, inputs=inputs))


def in_parts(lease_id: str, count: int) -> worker_pb2.RunnerMessage:
    message = assign(lease_id)
    message.assign.inputs_in_parts = count
    return message


PASSING = (NotServing("it opens its journal"), TooManyStreams("all are in use"), SignoffError("a word without meaning"))


@pytest.mark.guard(name="contents wait for a runner that is away")
async def test_an_input_is_asked_for_again_while_the_runner_is_away(runner: ScriptedRunner) -> None:
    given, runner.passing = runner.put(b"planets"), [*PASSING, *PASSING]
    async with working(runner.address) as worker:
        await runner.welcomed(assign(inputs=(given,)))
        (came,) = (await worker.handler.call()).assignment.inputs
    assert came.content == b"planets"
    assert len(runner.asked) == 1 + 2 * len(PASSING)


@pytest.mark.guard(name="what does not pass is tried a few times")
async def test_an_input_that_the_store_has_lost_is_asked_for_a_few_times(runner: ScriptedRunner) -> None:
    given = runner.put(b"planets")
    runner.artifacts[given.digest] = StorageFailed("the disk is away")
    async with working(runner.address):
        stream = await runner.welcomed(assign(inputs=(given,)))
        await stream.expect("accepted")
        await stream.expect("failure")
    assert len(runner.asked) == MOST_UNCLEAR


@pytest.mark.parametrize("fault", [StorageFailed("the disk is away"), ArtifactNotFound("withdrawn"), b"other bytes"])
async def test_an_input_that_cannot_be_fetched_is_a_transient_failure(
    runner: ScriptedRunner, fault: SignoffError | bytes
) -> None:
    given = runner.put(b"planets")
    runner.artifacts[given.digest] = fault
    async with working(runner.address):
        stream = await runner.welcomed(assign(inputs=(given,)))
        await stream.expect("accepted")
        failure = await stream.expect("failure")
    assert failure.kind == execution_pb2.FAILURE_KIND_TRANSIENT
    said = str(fault) if isinstance(fault, SignoffError) else "but got 11 bytes with SHA-256"
    assert failure.message.startswith("an input could not be fetched: ")
    assert said in failure.message


async def test_a_judge_without_its_input_is_a_broken_judge(runner: ScriptedRunner) -> None:
    given = runner.put(b"planets")
    runner.artifacts[given.digest] = StorageFailed("the disk is away")
    async with working(runner.address):
        stream = await runner.welcomed(assign("L1", JUDGE, inputs=(given,)))
        await stream.expect("accepted")
        verdict = await stream.expect("verdict")
    assert (verdict.lease_id, verdict.outcome) == ("L1", execution_pb2.OUTCOME_ERROR)
    assert "the disk is away" in verdict.feedback


async def test_work_whose_lease_ended_before_its_input_came_is_dropped(runner: ScriptedRunner) -> None:
    given = runner.put(b"planets")
    runner.artifacts[given.digest] = StaleLease("the lease has ended")
    async with working(runner.address) as worker:
        stream = await runner.welcomed(assign("L1", inputs=(given,)))
        await stream.expect("accepted")
        worker.stop.set()  # with nothing in hand it leaves as soon as the lease is forgotten
        await stream.expect("draining")
        await stream.expect_end()
        await worker.ended()
        assert worker.handler.untaken == 0


async def test_a_model_reads_of_a_mebibyte_by_reference_what_fits_and_that_the_rest_was_cut_off(
    runner: ScriptedRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_proxies(monkeypatch)
    content = ("行星" * MIB).encode()[: MIB - 1]  # 349,525 characters of three bytes each
    async with ModelServer() as server:
        executor, stop = Executor(model_at(server.base_url)), asyncio.Event()
        identity = Identity(role=runner_pb2.WORKER_ROLE_EXECUTOR, name="w1", slots=1, version="test")
        working = asyncio.create_task(Worker(runner.address, identity, executor, AT_ONCE).run(stop, grace=0))
        stream = await runner.welcomed(assign(inputs=(runner.put(content),)))
        while (message := await stream.next()).WhichOneof("kind") != "candidate":
            assert message.WhichOneof("kind") in {"accepted", "progress", "usage"}
        stop.set()
        await working
        await executor.close()
    prompt = server.requests[0].body["messages"][1]["content"]
    assert len(content) > 4 * MAX_ARTIFACT_CHARS
    assert "行星" * (MAX_ARTIFACT_CHARS // 2) in prompt
    assert prompt.count("行") + prompt.count("星") == MAX_ARTIFACT_CHARS
    assert f"(Only the first {MAX_ARTIFACT_CHARS} characters of {len(content)} bytes are shown" in prompt
