"""How a call ended: as the service said, whatever gRPC made of it afterwards.

gRPC's asyncio client forgets the status of a service when a write is under way as it arrives: the write fails, and from
then on the call ends with INTERNAL. A caller that sends a stream must know the difference: a refusal is an answer, and
says what to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import grpc
import grpc.aio

_LOOKS, _BETWEEN = 50, 0.02  # a second for a status that is on its way


class FirstEnd:
    """Keeps the first end that a call was told of."""

    def __init__(self, call: Any) -> None:
        self._error: grpc.aio.AioRpcError | None = None
        self._call = call
        call.add_done_callback(self._ended)

    def instead_of(self, error: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
        """Returns the error that the service ended the call with; the one given, when it told of none."""
        # guard: status of the service -> return error
        return self._error or error

    async def told(self, error: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
        """Does the same for a write that failed before gRPC has read the status of the service: it comes soon after."""
        found = self.instead_of(error)
        for _ in range(_LOOKS):
            # guard: a status that comes after its write has failed -> if True:
            if found.code() is not grpc.StatusCode.INTERNAL or found.trailing_metadata():
                break
            await asyncio.sleep(_BETWEEN)
            found = _error_of(self._call)
        return found

    def _ended(self, call: Any) -> None:
        if self._error is None and _at_once(call.code()) is not grpc.StatusCode.OK:
            self._error = _error_of(call)


def _error_of(call: Any) -> grpc.aio.AioRpcError:
    """Returns the error of a call that has ended."""
    first, trailing = _at_once(call.initial_metadata()), _at_once(call.trailing_metadata())
    return grpc.aio.AioRpcError(_at_once(call.code()), first, trailing, details=_at_once(call.details()))


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
