"""Calls beside a worker's stream, in place of gRPC's: it asks what is missing, brings files, and fetches them.

A call goes to the runner that is up when it begins, and ends with it. What a worker sends and what it is sent travel
as frames of a stream do. A runner whose worker is gone sees the call cancelled, as with gRPC.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from functools import partial
from typing import Any, Protocol

import grpc.aio

from signoff.errors import SignoffError
from tests.simulation.nature.network import Way, broken, refused
from tests.simulation.nature.weather import Weather


class Called(Protocol):
    """The part of a runner that takes calls."""

    serves: bool

    def call(self, method: str, request: Any) -> asyncio.Future[Any]: ...

    def stream(self, method: str, request: Any, tail: Way) -> asyncio.Task[None]: ...


class Calls:
    """The calls that a worker has under way, so that they can break."""

    def __init__(self, chance: random.Random, weather: Weather, runner: Callable[[], Called]) -> None:
        self.weather = weather
        self.runner = runner
        self._chance = chance
        self._ways: set[Way] = set()

    def way(self) -> Way:
        """Returns a new way, which breaks with the others."""
        way = Way(random.Random(self._chance.random()), self.weather)
        self._ways.add(way)
        return way

    def over(self, way: Way) -> None:
        self._ways.discard(way)

    def break_off(self) -> None:
        """Breaks all of them."""
        for way in list(self._ways):
            way.cut(broken("the connection broke"))

    def is_lost(self) -> bool:
        """Tells whether the answer of a call is lost, with its connection: HTTP/2 loses nothing else."""
        return self._chance.random() < self.weather.rate("messages lost")

    def begun(self, method: str, request: Any) -> asyncio.Future[Any]:
        """Begins a call with one answer. Without a runner it fails as if that had died."""
        runner = self.runner()
        if runner.serves:
            return runner.call(method, request)
        refusing = asyncio.get_running_loop().create_future()
        refusing.set_exception(ConnectionError("no runner listens"))
        return refusing

    async def answer(self, answering: Awaitable[Any]) -> Any:
        """Returns the answer of a call. Raises AioRpcError."""
        try:
            answer = await answering
        except SignoffError as error:
            raise refused(error) from None
        except ConnectionError as error:
            raise broken(str(error)) from None
        if self.is_lost():
            raise broken("the answer was lost")
        return answer


class Channel:
    """The part of grpc.aio.Channel that stubs need."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def unary_unary(self, path: str, *_codecs: Any, **_options: Any) -> Callable[[Any], Awaitable[Any]]:
        return partial(self._ask, _method(path))

    def stream_unary(self, path: str, *_codecs: Any, **_options: Any) -> Callable[[], Upload]:
        return partial(Upload, self._calls, _method(path))

    def unary_stream(self, path: str, *_codecs: Any, **_options: Any) -> Callable[[Any], Download]:
        return partial(Download, self._calls, _method(path))

    async def _ask(self, method: str, request: Any) -> Any:
        return await self._calls.answer(self._calls.begun(method, request))

    async def __aenter__(self) -> Channel:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Does nothing: the calls of a channel end by themselves."""


class Upload:
    """A call that sends a stream: the part of grpc.aio's call that a worker uses."""

    def __init__(self, calls: Calls, method: str) -> None:
        self._calls = calls
        self._up = up = calls.way()
        self._answer = calls.begun(method, _messages(up))
        self._answer.add_done_callback(lambda _: up.cut(grpc.aio.EOF))
        self._answer.add_done_callback(lambda _: calls.over(up))

    def add_done_callback(self, _callback: Callable[[Any], None]) -> None:
        """Does nothing: here no write hides the end."""

    async def write(self, message: Any) -> None:
        await self._up.room()
        if self._up.ended is not None:
            raise asyncio.InvalidStateError("the rpc has ended")
        self._up.send(message)

    async def done_writing(self) -> None:
        if self._up.ended is None:
            self._up.close(grpc.aio.EOF)

    def __await__(self) -> Generator[Any, None, Any]:
        return self._calls.answer(self._answer).__await__()

    def cancel(self) -> None:
        if not self._answer.done():
            self._up.cut(broken("the client is gone"))


class Download:
    """A call that is sent a stream."""

    def __init__(self, calls: Calls, method: str, request: Any) -> None:
        self._calls = calls
        self._tail = calls.way()
        runner = calls.runner()
        self._serving = runner.stream(method, request, self._tail) if runner.serves else None
        if self._serving is None:
            self._tail.cut(broken("no runner listens"))

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._answers()

    async def _answers(self) -> AsyncIterator[Any]:
        try:
            while (answer := await self._tail.read()) is not grpc.aio.EOF:
                if self._calls.is_lost():
                    raise broken("the connection broke")
                yield answer
        except SignoffError as error:
            raise refused(error) from None

    def cancel(self) -> None:
        self._calls.over(self._tail)
        self._tail.cut(broken("the client is gone"))
        if self._serving is not None:
            self._serving.cancel()


def _method(path: str) -> str:
    return path.rpartition("/")[2]


async def _messages(way: Way) -> AsyncIterator[Any]:
    """Yields what comes on a way. The call is cancelled when it breaks."""
    try:
        while (message := await way.read()) is not grpc.aio.EOF:
            yield message
    except grpc.aio.AioRpcError:
        raise asyncio.CancelledError from None
