"""The way to a runner: each call once, or again while the runner is away."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import grpc
from grpc.aio import StreamUnaryCall, UnaryStreamCall

from signoff.errors import SignoffError, Unavailable
from signoff.rpc.addresses import Route, RunnerStub
from signoff.rpc.ends import FirstEnd
from signoff.rpc.statuses import error_from_rpc

ANSWER_WITHIN = timedelta(seconds=30)  # of one unary call; the services answer in milliseconds

Answer = TypeVar("Answer")


@dataclass(slots=True)
class RetryPolicy:
    """How long a call is tried again, with full jitter between the tries."""

    total: timedelta
    _since: float = field(default_factory=time.monotonic)
    _tries: int = 0

    async def wait(self, error: SignoffError) -> None:
        """Waits until it is time to try again. Raises `error` when the total time is over."""
        if time.monotonic() - self._since >= self.total.total_seconds():
            raise error
        await asyncio.sleep(random.uniform(0, min(5.0, 0.1 * 2**self._tries)))
        self._tries += 1


class RunnerConnection:
    """Calls a runner by its route; of several addresses, the one that serves.

    `patience` is for how long a unary call is repeated while no runner answers.
    """

    def __init__(self, address: str, patience: timedelta) -> None:
        self._route = Route(address)
        self._patience = patience

    @property
    def address(self) -> str:
        """The address that the route leads to."""
        return self._route.address

    async def close(self) -> None:
        await self._route.close()

    async def lost(self) -> None:
        """Looks for the runner anew at the next call, where there are several addresses."""
        await self._route.lost()

    async def ask(self, method: Callable[[RunnerStub], Callable[..., Awaitable[Answer]]], request: Any) -> Answer:
        patience = RetryPolicy(self._patience)
        while True:
            try:
                return await self._once(method, request)
            except Unavailable as unavailable:
                await self._route.lost()
                await patience.wait(unavailable)

    async def _once(self, method: Callable[[RunnerStub], Callable[..., Awaitable[Answer]]], request: Any) -> Answer:
        runner = await self._route.stub()
        try:
            return await method(runner)(request, timeout=ANSWER_WITHIN.total_seconds())
        except grpc.RpcError as error:
            raise error_from_rpc(error, "runner", self._route.address) from None

    async def send(
        self, method: Callable[[RunnerStub], Callable[..., StreamUnaryCall[Any, Answer]]], requests: Callable[[], Any]
    ) -> Answer:
        """Sends a stream of requests, and returns the answer to it. `requests` makes the stream, again for each try."""
        patience = RetryPolicy(self._patience)
        while True:
            runner = await self._route.stub()
            call = method(runner)(requests())
            end = FirstEnd(call)
            try:
                return await call
            except grpc.aio.AioRpcError as error:
                refusal = error_from_rpc(end.instead_of(error), "runner", self._route.address)
                if not isinstance(refusal, Unavailable):
                    raise refusal from None
                await self._route.lost(runner)
                await patience.wait(refusal)
            finally:
                call.cancel()

    async def answers(
        self, method: Callable[[RunnerStub], Callable[..., UnaryStreamCall[Any, Answer]]], request: Any
    ) -> AsyncGenerator[Answer, None]:
        """Yields the answers of one streaming call. Cancels the call when the reader stops."""
        runner = await self._route.stub()
        call = method(runner)(request)
        try:
            async for answer in call:
                yield answer
        except grpc.RpcError as error:
            raise error_from_rpc(error, "runner", self._route.address) from None
        finally:
            call.cancel()
