"""Clients of the runner that send wrong requests: each is refused with the place, and all others go on.

Clients of the planner are in test_clients_planner.py, clients that read nothing in tests/system/test_unread.py.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from runner_svc.core.model.values import Content
from runner_svc.services.manifests import READ_AT_ONCE, Manifests
from runner_svc.services.sending import MOST_SENDING
from signoff.bounds import bounds_in
from signoff.manifest.manifest import MANIFEST_TYPE
from signoff.rpc.statuses import reason_of
from signoff.v1 import execution_pb2, runner_pb2
from tests.hostile.drawn_client import METHODS, call_of
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running
from tests.support.servers.service import until
from tests.support.work.brought_files import bring, candidate_of, manifest_body

PLANS = PlannerOfTexts(one="a", two="a; b <- a")
WITHIN = 10.0  # seconds for an answer
LONGEST = 3_000_000  # characters: more do not fit into a frame
CALLS = 300


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(PLANS, tmp_path) as up:
        yield up
        await goes_on(up)


async def goes_on(runner: Running) -> None:
    """Checks that an honest worker and validator finish an execution that an honest client starts."""
    ref = await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "w") as executor, raw_worker(runner, VALIDATOR, "v") as validator:
        while (await state_of(runner, ref)) != execution_pb2.EXECUTION_STATE_SUCCEEDED:
            await executor.make(await executor.assigned())
            await validator.judge(await validator.assigned())


async def state_of(runner: Running, ref: runner_pb2.ExecutionRef) -> int:
    return (await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref))).execution.state


async def answered(runner: Running, method: MethodDescriptor, body: bytes) -> tuple[grpc.StatusCode, str, str]:
    """Returns how a request of these bytes ends: the status, its reason, and its text."""
    call = call_of(runner.channel, method, [body])
    try:
        async with asyncio.timeout(WITHIN):
            await (call.read() if method.server_streaming else call)
    except grpc.aio.AioRpcError as error:
        return error.code(), reason_of(error) or "", error.details() or ""
    call.cancel()
    return grpc.StatusCode.OK, "", ""


@pytest.mark.parametrize("method", METHODS, ids=lambda method: str(method.name))
async def test_bytes_that_are_no_message_are_refused(runner: Running, method: MethodDescriptor) -> None:
    bodies = [b"\xff" * 100, b"\x0a\xff\xff\xff\xff\x0f", b"\x0b" * 5_000, b"\x0a\x02\xff\xfe"]
    for body in bodies:
        code, _, told = await answered(runner, method, body)
        assert code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.OK), (body, told)


def texts_of(message: Message, path: str = "") -> Iterator[tuple[str, Message, FieldDescriptor]]:
    """Yields every text that a request may hold, with its path and the message to set it in."""
    for one in message.DESCRIPTOR.fields:
        place = f"{path}{one.name}"
        if one.message_type is not None and one.message_type.GetOptions().map_entry:
            continue  # its keys and values are tried with drawn messages
        if one.message_type is not None and one.message_type.file.package == "signoff.v1":
            inner = getattr(message, one.name)
            inner = inner.add() if one.is_repeated else inner
            yield from texts_of(inner, f"{place}[0]." if one.is_repeated else f"{place}.")
        elif isinstance(one, FieldDescriptor) and one.type == FieldDescriptor.TYPE_STRING:
            yield place, message, one


def too_long() -> list[Any]:
    found = []
    for method in METHODS:
        paths = [
            place for place, _, one in texts_of(GetMessageClass(method.input_type)()) if not bounds_in(one).clip_chars
        ]
        found += [pytest.param(method, place, id=f"{method.name} {place}") for place in paths]
    return found


@pytest.mark.parametrize(("method", "path"), too_long())
async def test_a_text_beyond_its_bound_is_refused_with_its_path(
    runner: Running, method: MethodDescriptor, path: str
) -> None:
    request = GetMessageClass(method.input_type)()
    holder, one = next((holder, one) for place, holder, one in texts_of(request) if place == path)
    bounds = bounds_in(one)
    text = "x" * (min(LONGEST, max(bounds.max_chars, bounds.max_bytes, 128)) + 1)
    alone = GetMessageClass(method.input_type)()
    if one.is_repeated:
        getattr(holder, one.name).append(text)
    else:
        setattr(holder, one.name, text)
    alone.MergeFrom(request)

    code, reason, told = await answered(runner, method, alone.SerializeToString())

    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    assert told.startswith(path), told


@pytest.mark.parametrize("token", ["x", "-1", "9" * 400, "é", "\x00", "1:2:3", "../.."])
async def test_a_page_token_that_was_never_given_is_refused(runner: Running, token: str) -> None:
    ref = await runner.start("two")
    of_tasks = runner_pb2.GetExecutionRequest(ref=ref, tasks=runner_pb2.TASK_SELECTION_ALL, page_token=token)
    of_executions = runner_pb2.ListExecutionsRequest(page_token=token)

    for call in (runner.stub.GetExecution(of_tasks), runner.stub.ListExecutions(of_executions)):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
        assert reason_of(refused.value) == "INVALID_FIELD"


async def test_calls_that_are_left_at_any_moment_leave_nothing_behind(runner: Running) -> None:
    ref = await runner.start("two")
    chance = random.Random(1)

    async def leave() -> None:
        request = runner_pb2.WatchExecutionRequest(ref=ref, follow=True, thinking=chance.random() < 0.5)
        call = runner.stub.WatchExecution(request)
        if chance.random() < 0.5:
            await call.read()
        for _ in range(chance.randrange(3)):
            await asyncio.sleep(0)
        call.cancel()

    await asyncio.gather(*(leave() for _ in range(CALLS)))

    await until(lambda: not runner.engine.feed._logs, "no client watches any more")


# ---------------------------------------------------------------- files

UNREAD = 100  # calls that are opened and not read
FILE_BYTES, FILES_OF_ONE = 60_000, 400  # all of them together are 24 MB
MOST_READ = MOST_SENDING * FILES_OF_ONE * FILE_BYTES // 2  # the client's gRPC takes some megabytes of each by itself


async def made_with_files(runner: Running, files: dict[str, bytes]) -> runner_pb2.ExecutionRef:
    """Has task a of a plan make files, which are signed off."""
    ref = await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "w") as executor, raw_worker(runner, VALIDATOR, "v") as validator:
        lease = (await executor.assigned()).lease_id
        await bring(runner, lease, files)
        await executor.say(candidate=candidate_of(lease, manifest_body(files)))
        await executor.hear("ack")
        await validator.judge(await validator.assigned())
    assert await state_of(runner, ref) == execution_pb2.EXECUTION_STATE_SUCCEEDED
    await runner.outputs.drained()  # their writer reads all files, too
    return ref


async def test_clients_that_ask_for_all_files_and_read_nothing_have_little_read_for_them(
    runner: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"{number:03}.bin": number.to_bytes(2) * (FILE_BYTES // 2) for number in range(FILES_OF_ONE)}
    ref = await made_with_files(runner, files)
    read = Counter[str]()
    get = runner.engine.contents.get

    async def counted(digest: str) -> bytes:
        body = await get(digest)
        read["bytes"] += len(body)
        return body

    monkeypatch.setattr(runner.engine.contents, "get", counted)
    request = runner_pb2.GetArtifactRequest(ref=ref, task_id="a", all_files=True)
    calls = [runner.stub.GetArtifact(request) for _ in range(UNREAD)]
    await asyncio.gather(*(call.read() for call in calls))
    await goes_on(runner)
    assert read["bytes"] < MOST_READ
    for call in calls:
        call.cancel()


@pytest.mark.guard(name="manifests are read a few at a time")
async def test_many_who_ask_for_files_of_one_manifest_have_it_read_a_few_times(
    runner: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"a.txt": b"a", "b.txt": b"b"}
    await made_with_files(runner, files)
    body = manifest_body(files)
    content = Content(digest=hashlib.sha256(body).hexdigest(), size=len(body), media_type=MANIFEST_TYPE)
    get, gate, reads = runner.engine.contents.get, asyncio.Event(), Counter[str]()

    async def counted(digest: str) -> bytes:
        reads[digest] += 1
        await gate.wait()
        return await get(digest)

    monkeypatch.setattr(runner.engine.contents, "get", counted)
    manifests = Manifests(runner.engine.contents)
    asked = asyncio.gather(*(manifests.of(content) for _ in range(UNREAD)))
    await until(lambda: reads[content.digest] >= READ_AT_ONCE, "the first few read it")
    gate.set()
    found = await asked
    assert {len(manifest.files) for manifest in found if manifest is not None} == {len(files)}
    assert reads[content.digest] == READ_AT_ONCE
