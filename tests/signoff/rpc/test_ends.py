"""A call ends as its service said, also when its end met a write."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import grpc
import grpc.aio
import pytest

from signoff.rpc.ends import FirstEnd, answers_of


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

    async def __aiter__(self) -> AsyncIterator[str]:
        yield "an answer"
        self.ends()
        raise grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, grpc.aio.Metadata(), grpc.aio.Metadata(), "forgotten")


@pytest.mark.guard(name="status of the service")
async def test_the_first_end_that_was_heard_of_is_the_one_that_is_raised() -> None:
    answers = answers_of(ForgetfulCall())
    assert await anext(answers) == "an answer"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await anext(answers)
    assert (caught.value.code(), caught.value.details()) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "a newer session of w1 took over",
    )


async def test_an_end_that_was_not_heard_of_is_the_one_that_was_met() -> None:
    call = ForgetfulCall()
    met = grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), "gone")
    end = FirstEnd(call)
    assert end.instead_of(met) is met
    call.ends()
    assert end.instead_of(met).code() is grpc.StatusCode.FAILED_PRECONDITION
