"""Workers in the process of the test that record which results the runner acknowledges."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio

from signoff.v1 import runner_pb2, worker_pb2
from worker_svc.executor import Executor
from worker_svc.link import call as worker_call
from worker_svc.link.stream import Identity, Worker
from worker_svc.mock import MockModel
from worker_svc.validate.validator import Validator


class _RecordingCall:
    """A call that records the acknowledgements among its inbound frames."""

    def __init__(self, call: Any, acknowledged: set[str]) -> None:
        self._call = call
        self._acknowledged = acknowledged

    async def read(self) -> Any:
        frame = await self._call.read()
        if frame is not grpc.aio.EOF:
            self._acknowledged.update(_acknowledged(frame))
        return frame

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)


def _acknowledged(frame: worker_pb2.ConnectResponse) -> Iterator[str]:
    return (message.ack.lease_id for message in frame.messages if message.WhichOneof("kind") == "ack")


@asynccontextmanager
async def recording_workers(runner: str, model_name: str, acknowledged: set[str]) -> AsyncIterator[None]:
    """Runs an executor and a validator that add the leases of acknowledged results to `acknowledged`."""

    @asynccontextmanager
    async def dial(address: str) -> AsyncIterator[Any]:
        async with worker_call.dial(address) as call:
            yield _RecordingCall(call, acknowledged)

    model = MockModel.of(model_name)
    executor = Worker(runner, _identity("executor", runner_pb2.WORKER_ROLE_EXECUTOR), Executor(model), dial=dial)
    validator = Worker(runner, _identity("validator", runner_pb2.WORKER_ROLE_VALIDATOR), Validator(model), dial=dial)
    stop = asyncio.Event()
    running = [asyncio.create_task(worker.run(stop, grace=0.0)) for worker in (executor, validator)]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*running)


def _identity(role: str, number: runner_pb2.WorkerRole.ValueType) -> Identity:
    return Identity(role=number, name=f"listening {role}", slots=1, version="test")
