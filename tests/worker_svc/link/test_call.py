"""A stream that ends while the worker is writing keeps the runner's status."""

from __future__ import annotations

import asyncio

import grpc
import grpc.aio

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
