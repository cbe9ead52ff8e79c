"""How a call ended: as the service said, whatever gRPC made of it afterwards.

gRPC's asyncio client forgets the status of a service when a write is under way as it arrives: the write fails, and from
then on the call ends with INTERNAL. A caller that sends a stream must know the difference: a refusal is an answer, and
says what to do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine
from typing import Any

import grpc
import grpc.aio


class FirstEnd:
    """Keeps the first end that a call was told of."""

    def __init__(self, call: Any) -> None:
        self._error: grpc.aio.AioRpcError | None = None
        call.add_done_callback(self._ended)

    def instead_of(self, error: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
        """Returns the error that the service ended the call with; the one given, when it told of none."""
        # guard: status of the service -> return error
        return self._error or error

    def _ended(self, call: Any) -> None:
        if self._error is None and (code := _at_once(call.code())) is not grpc.StatusCode.OK:
            first, trailing = _at_once(call.initial_metadata()), _at_once(call.trailing_metadata())
            self._error = grpc.aio.AioRpcError(code, first, trailing, details=_at_once(call.details()))


def _at_once(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Returns the result of a coroutine that need not wait: gRPC has no other way to ask a call that has ended."""
    try:
        coroutine.send(None)
    except StopIteration as returned:
        return returned.value
    raise AssertionError("a call that has ended was expected to know how, but it waits")


async def answers_of(call: Any) -> AsyncIterator[Any]:
    """Yields the answers of a call that sends a stream. Raises AioRpcError as the service ended it."""
    end = FirstEnd(call)
    try:
        async for answer in call:
            yield answer
    except grpc.aio.AioRpcError as error:
        raise end.instead_of(error) from None
