"""Inputs of a plan over a real socket: uploads, starts that name them, and workers that read them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc.aio
import pytest

from runner_svc.contents import Contents
from runner_svc.services.content_uploads import ContentUploads
from runner_svc.store.memory import MemoryStore
from runner_svc.store.sqlite import SqliteStore
from signoff.client.client import Client
from signoff.errors import InputNotUploaded, InputsInvalid, InvalidField, UploadStalled
from signoff.manifest.manifest import MANIFEST_TYPE
from signoff.plan.inputs import digest_of_given
from signoff.v1 import execution_pb2, plan_pb2, runner_pb2, worker_pb2
from tests.support.servers.raw_worker import EXECUTOR, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running

MIB = 1024 * 1024
DECLARED = (
    plan_pb2.PlanInput(name="data", kind=plan_pb2.INPUT_KIND_FILE, path="data/*.csv"),
    plan_pb2.PlanInput(name="topic", kind=plan_pb2.INPUT_KIND_TEXT, text="mars"),
    plan_pb2.PlanInput(name="options", kind=plan_pb2.INPUT_KIND_JSON),
)
SPEC = plan_pb2.TaskSpec(description="write of {{inputs.topic}}")
SPEC.input.parameters_json = '{"o":"{{inputs.options}}"}'


def planner() -> PlannerOfTexts:
    found = PlannerOfTexts({"a": SPEC}, one="a[p](data, topic)")
    found.inputs = DECLARED
    return found


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(planner(), tmp_path) as up:
        yield up


@pytest.fixture
async def client(runner: Running) -> AsyncIterator[Client]:
    async with Client(runner=runner.address) as client:
        yield client


def file(path: str, body: bytes, media_type: str = "text/csv") -> execution_pb2.GivenFile:
    digest = hashlib.sha256(body).hexdigest()
    return execution_pb2.GivenFile(path=path, media_type=media_type, digest=digest, size_bytes=len(body))


def given(*files: execution_pb2.GivenFile, options: str = '{ "n": 1 }') -> list[execution_pb2.GivenInput]:
    return [
        execution_pb2.GivenInput(name="data", files=files),
        execution_pb2.GivenInput(name="options", json=options),
    ]


async def test_what_is_uploaded_is_there_for_a_start_and_not_missing_any_more(client: Client, runner: Running) -> None:
    body = b"x" * (3 * MIB + 1)
    digest = hashlib.sha256(body).hexdigest()
    question = runner_pb2.ListMissingContentsRequest(digests=[digest, "0" * 64, digest])
    assert (await runner.stub.ListMissingContents(question)).digests == [digest, "0" * 64]
    assert await client.upload_content(body) == digest
    assert await client.upload_content(b"") == hashlib.sha256(b"").hexdigest()
    assert (await runner.stub.ListMissingContents(question)).digests == ["0" * 64]
    assert await client.upload_content(body) == digest


@pytest.mark.guard(name="an input is no manifest")
async def test_a_file_that_is_said_to_be_a_manifest_is_refused(client: Client) -> None:
    await client.upload_content(b"{}")
    with pytest.raises(InputsInvalid, match=r"expected the media type of one file in the input data, but 'a\.csv' is"):
        await client.start("one", inputs=given(file("a.csv", b"{}", MANIFEST_TYPE)))


async def test_an_execution_says_what_it_was_given(client: Client) -> None:
    for body in (b"1", b"2"):
        await client.upload_content(body)
    started = await client.start("one", inputs=given(file("a.csv", b"1"), file("b.csv", b"2")))
    (execution,) = await client.list()
    assert execution.inputs == started.inputs
    assert [each.name for each in execution.inputs] == ["data", "topic", "options"]
    assert [found.path for found in execution.inputs[0].files] == ["a.csv", "b.csv"]
    assert (execution.inputs[1].text, execution.inputs[2].json) == ("mars", '{"n":1}')
    assert execution.inputs_digest == digest_of_given(execution.inputs)


async def test_a_view_shows_the_first_files_and_the_beginnings_of_texts(client: Client) -> None:
    await client.upload_content(b"1")
    many = [file(f"{number:04}.csv", b"1") for number in range(900)]
    inputs = [*given(*many), execution_pb2.GivenInput(name="topic", text="x" * 5000)]
    execution = await client.start("one", inputs=inputs)
    assert (len(execution.inputs[0].files), execution.inputs[0].file_count) == (100, 900)
    assert len(execution.inputs[1].text) == 1000


@pytest.mark.guard(name="a start names what is there")
async def test_a_start_with_a_file_that_was_not_uploaded_is_refused_before_anything(client: Client) -> None:
    await client.upload_content(b"1")
    with pytest.raises(InputNotUploaded, match=r"but data/b\.csv are not"):
        await client.start("one", inputs=given(file("a.csv", b"1"), file("b.csv", b"2")))
    other = file("a.csv", b"1")
    other.size_bytes = 7
    with pytest.raises(InputsInvalid, match=r"expected a\.csv to have 1 bytes, .* but got 7"):
        await client.start("one", inputs=given(other))
    assert await client.list() == ()


async def test_a_start_and_a_preview_without_an_input_are_refused(client: Client) -> None:
    with pytest.raises(InputsInvalid, match="expected the input data, a file or several, but it is not set"):
        await client.start("one")
    with pytest.raises(InputsInvalid, match="expected the input options, JSON, but it is not set"):
        await client.preview("one", inputs=given(file("a.csv", b"1"))[:1])
    with pytest.raises(InputsInvalid, match="expected JSON as the input options, but got other text"):
        await client.start("one", inputs=given(options="{"))
    assert await client.list() == ()


async def test_a_preview_needs_no_upload(client: Client) -> None:
    found = await client.preview("one", inputs=given(file("a.csv", b"1")))
    assert (found.kept, found.to_make) == (0, 1)


async def test_a_worker_reads_inputs_as_it_reads_artifacts(client: Client, runner: Running) -> None:
    large = b"y" * MIB
    for body in (b"1", large):
        await client.upload_content(body)
    await client.start("one", inputs=given(file("a.csv", b"1"), file("sub/b.csv", large)))
    async with raw_worker(runner, EXECUTOR, "e") as worker:
        assign = await worker.assigned()
        assert [(each.name, each.task_id) for each in assign.inputs] == [
            ("data/a.csv", ""),
            ("data/sub/b.csv", ""),
            ("topic", ""),
        ]
        assert (assign.inputs[0].inline, assign.inputs[2].inline) == (b"1", b"mars")
        assert assign.task.description == "write of mars"
        assert assign.task.input.parameters_json == '{"o":{"n":1}}'
        assert await fetched(runner, assign, assign.inputs[1]) == large


async def fetched(running: Running, assign: worker_pb2.Assign, wanted: worker_pb2.InputArtifact) -> bytes:
    request = runner_pb2.GetArtifactRequest(
        ref=runner_pb2.ExecutionRef(execution_id=assign.execution_id),
        task_id=wanted.task_id,
        lease_id=assign.lease_id,
        digest=wanted.digest,
    )
    return b"".join([answer.chunk async for answer in running.stub.GetArtifact(request)])


async def test_a_pattern_is_a_folder_also_with_one_file(client: Client, runner: Running) -> None:
    await client.upload_content(b"1")
    await client.start("one", inputs=given(file("a.csv", b"1")))
    async with raw_worker(runner, EXECUTOR, "e") as worker:
        assert [each.name for each in (await worker.assigned()).inputs] == ["data/a.csv", "topic"]


async def test_inputs_outlive_the_runner_with_and_without_a_checkpoint(tmp_path: Path) -> None:
    for checkpoint_every in (1, 10_000):
        folder = tmp_path / str(checkpoint_every)
        folder.mkdir()
        async with (
            running(planner(), folder, store=SqliteStore(folder / "j.db"), checkpoint_every=checkpoint_every) as up,
            Client(runner=up.address) as client,
        ):
            await client.upload_content(b"1")
            before = await client.start("one", inputs=given(file("a.csv", b"1")))
        async with running(planner(), folder, store=SqliteStore(folder / "j.db")) as up:
            async with Client(runner=up.address) as client:
                (after,) = await client.list()
            assert after.inputs == before.inputs
            async with raw_worker(up, EXECUTOR, "e") as worker:
                assign = await worker.assigned()
                assert assign.task.description == "write of mars"
                assert [each.inline for each in assign.inputs] == [b"1", b"mars"]


# ---------------------------------------------------------------- uploads that are refused


def messages(*parts: tuple[str, bytes]) -> Iterator[runner_pb2.UploadContentRequest]:
    for digest, chunk in parts:
        yield runner_pb2.UploadContentRequest(digest=digest, chunk=chunk)


async def stream(*parts: tuple[str, bytes]) -> AsyncIterator[runner_pb2.UploadContentRequest]:
    for message in messages(*parts):
        yield message


ONE = hashlib.sha256(b"1").hexdigest()


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((), "digest: expected at least one message, but got a stream without any"),
        ((("", b"1"),), "digest: expected the SHA-256 of all bytes in the first message, but got nothing"),
        (
            ((ONE, b""), (ONE, b"1")),
            "digest: expected a digest in the first message only, but got one in a later message",
        ),
        pytest.param(
            ((ONE, b"2"),),
            "digest: expected the SHA-256 of the 1 bytes that came, ",
            marks=pytest.mark.guard(name="contents have their digests"),
        ),
    ],
)
async def test_a_malformed_upload_is_refused_and_stores_nothing(
    parts: tuple[tuple[str, bytes], ...], said: str
) -> None:
    store = MemoryStore()
    await store.open()
    with pytest.raises(InvalidField) as refused:
        await ContentUploads(Contents(store)).take(stream(*parts))
    assert str(refused.value).startswith(said)
    assert await store.renew_contents([ONE]) == {}


@pytest.mark.guard(name="an upload of an input is bounded")
async def test_an_upload_that_is_too_large_ends_with_the_first_byte_too_many(runner: Running) -> None:
    sent = 0

    def endless() -> Iterator[runner_pb2.UploadContentRequest]:
        nonlocal sent
        yield runner_pb2.UploadContentRequest(digest=ONE)
        for _ in range(200):
            sent += 1
            yield runner_pb2.UploadContentRequest(chunk=bytes(MIB))

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await runner.stub.UploadContent(endless())
    assert refused.value.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL)
    assert sent < 200


async def test_an_upload_that_stalls_gives_its_place_back() -> None:
    store = MemoryStore()
    await store.open()
    uploads = ContentUploads(Contents(store), stall=0.01)

    async def stalled() -> AsyncIterator[runner_pb2.UploadContentRequest]:
        yield runner_pb2.UploadContentRequest(digest=ONE, chunk=b"1")
        await asyncio.Event().wait()

    for _ in range(6):
        with pytest.raises(UploadStalled, match="but got 1 bytes in 0 s"):
            await uploads.take(stalled())
    assert await ContentUploads(Contents(store)).take(stream((ONE, b"1"))) == 1
