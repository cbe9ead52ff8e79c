"""A stream that ends while the worker is writing keeps the runner's status."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import grpc
import grpc.aio
import pytest

from signoff.errors import SessionReplaced
from signoff.rpc.statuses import reason_of
from signoff.v1 import worker_pb2
from tests.support.servers.scripted_runner import ScriptedRunner, Stream, welcome
from worker_svc.link.call import RunnerCall, dial
from worker_svc.link.lease_report import Message

ROUNDS = 40  # a third of them, or more, used to lose the reason


async def write_to_the_end(call: RunnerCall) -> str:
    """Writes until that fails; returns the reason, or the exception's name when there is none."""
    while True:
        try:
            await call.write(worker_pb2.ConnectRequest(messages=[Message(credit=worker_pb2.Credit(window=1))]))
        except grpc.aio.AioRpcError as error:
            return reason_of(error)
        except asyncio.InvalidStateError as error:
            return type(error).__name__


async def read_to_the_end(call: RunnerCall) -> str:
    try:
        while await call.read() is not grpc.aio.EOF:
            pass
    except grpc.aio.AioRpcError as error:
        return reason_of(error)
    return "OK"


async def dialled(call: RunnerCall, runner: ScriptedRunner) -> Stream:
    await call.write(worker_pb2.ConnectRequest(messages=[Message(hello=worker_pb2.Hello(name="w1"))]))
    stream = await runner.stream()
    await stream.send(welcome())
    await call.read()
    return stream


class ForgetfulCall:
    """A gRPC call whose end meets a write: from then on it fails with its own status."""

    def __init__(self) -> None:
        self._end: Callable[[object], None] = lambda _: None

    def add_done_callback(self, callback: Callable[[object], None]) -> None:
        self._end = callback

    def ends(self) -> None:
        self._end(self)

    async def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.FAILED_PRECONDITION

    async def details(self) -> str:
        return "a newer session of w1 took over"

    async def initial_metadata(self) -> grpc.aio.Metadata:
        return grpc.aio.Metadata()

    trailing_metadata = initial_metadata

    async def read(self) -> object:
        raise grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, grpc.aio.Metadata(), grpc.aio.Metadata(), "forgotten")


@pytest.mark.guard(name="status of the runner")
async def test_the_first_end_that_was_heard_of_is_the_one_that_is_read() -> None:
    forgetful = ForgetfulCall()
    call = RunnerCall(forgetful)
    forgetful.ends()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    assert (caught.value.code(), caught.value.details()) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "a newer session of w1 took over",
    )


async def test_a_refusal_that_meets_a_write_is_heard_by_both_directions() -> None:
    async with ScriptedRunner() as runner:
        for _ in range(ROUNDS):
            async with dial(runner.address) as call:
                stream = await dialled(call, runner)
                stream.refuse(SessionReplaced("a newer session of w1 took over"))
                wrote, read = await asyncio.gather(write_to_the_end(call), read_to_the_end(call))
            assert read == "SESSION_REPLACED"
            assert wrote in ("SESSION_REPLACED", "InvalidStateError")


async def test_an_end_in_order_that_meets_a_write_is_no_error_to_the_reader() -> None:
    async with ScriptedRunner() as runner, dial(runner.address) as call:
        stream = await dialled(call, runner)
        stream.end()
        assert await read_to_the_end(call) == "OK"
