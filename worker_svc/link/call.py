"""The call that a stream is made of, which ends with the status that the runner gave it (signoff.rpc.ends).

To a worker the difference matters: a refusal is the end, anything else a reason to reconnect.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio

from signoff.rpc.channel import connect
from signoff.rpc.ends import FirstEnd
from signoff.v1 import worker_pb2, worker_pb2_grpc


class RunnerCall:
    """A bidirectional gRPC call that keeps the first end it was told of."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._end = FirstEnd(call)

    async def wait_for_connection(self) -> None:
        await self._call.wait_for_connection()

    async def write(self, frame: worker_pb2.ConnectRequest) -> None:
        """Raises AioRpcError, or InvalidStateError when the call has ended."""
        try:
            await self._call.write(frame)
        except grpc.aio.AioRpcError as error:
            raise self._end.instead_of(error) from None

    async def read(self) -> Any:
        """Returns the next frame, or grpc.aio.EOF. Raises AioRpcError when the call ends with another status."""
        try:
            return await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise self._end.instead_of(error) from None

    async def done_writing(self) -> None:
        await self._call.done_writing()

    def cancel(self) -> None:
        self._call.cancel()


@asynccontextmanager
async def dial(address: str) -> AsyncIterator[RunnerCall]:
    """Opens a stream to the runner at an address, on a channel of its own; both end with the block."""
    async with connect(address) as channel:
        call = RunnerCall(worker_pb2_grpc.WorkerServiceStub(channel).Connect())
        try:
            yield call
        finally:
            call.cancel()
