"""The call that a stream is made of, which ends with the status that the runner gave it.

gRPC's asyncio client forgets that status when a write is under way as it arrives: the write fails, and from then on the
call ends with INTERNAL. To a worker the difference matters: a refusal is the end, anything else a reason to reconnect.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio

from signoff.rpc.channel import connect
from signoff.v1 import worker_pb2, worker_pb2_grpc


class RunnerCall:
    """A bidirectional gRPC call that keeps the first end it was told of."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._end: grpc.aio.AioRpcError | None = None
        call.add_done_callback(self._ended)

    async def wait_for_connection(self) -> None:
        await self._call.wait_for_connection()

    async def write(self, frame: worker_pb2.ConnectRequest) -> None:
        """Raises AioRpcError, or InvalidStateError when the call has ended."""
        try:
            await self._call.write(frame)
        except grpc.aio.AioRpcError as error:
            raise self._end or error from None

    async def read(self) -> Any:
        """Returns the next frame, or grpc.aio.EOF. Raises AioRpcError when the call ends with another status."""
        try:
            return await self._call.read()
        # guard (2 lines): status of the runner ->
        #     except grpc.aio.AioRpcError:
        #         raise
        except grpc.aio.AioRpcError as error:
            raise self._end or error from None

    async def done_writing(self) -> None:
        await self._call.done_writing()

    def cancel(self) -> None:
        self._call.cancel()

    def _ended(self, call: Any) -> None:
        if self._end is None and (code := _at_once(call.code())) is not grpc.StatusCode.OK:
            first, trailing = _at_once(call.initial_metadata()), _at_once(call.trailing_metadata())
            self._end = grpc.aio.AioRpcError(code, first, trailing, details=_at_once(call.details()))


def _at_once(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Returns the result of a coroutine that need not wait: gRPC has no other way to ask a call that has ended."""
    try:
        coroutine.send(None)
    except StopIteration as returned:
        return returned.value
    raise AssertionError("a call that has ended was expected to know how, but it waits")


@asynccontextmanager
async def dial(address: str) -> AsyncIterator[RunnerCall]:
    """Opens a stream to the runner at an address, on a channel of its own; both end with the block."""
    async with connect(address) as channel:
        call = RunnerCall(worker_pb2_grpc.WorkerServiceStub(channel).Connect())
        try:
            yield call
        finally:
            call.cancel()
