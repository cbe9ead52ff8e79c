"""Clients of the runner that send wrong requests: each is refused with the place, and all others go on.

Clients of the planner are in test_clients_planner.py, clients that read nothing in tests/system/test_unread.py.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from signoff.bounds import bounds_in
from signoff.rpc.statuses import reason_of
from signoff.v1 import execution_pb2, runner_pb2
from tests.hostile.fuzz_frames import METHODS
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running
from tests.support.servers.service import until

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
    path = f"/{method.containing_service.full_name}/{method.name}"
    channel: Any = runner.channel
    kind = channel.unary_stream if method.server_streaming else channel.unary_unary
    call: Any = kind(path)(body)
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
