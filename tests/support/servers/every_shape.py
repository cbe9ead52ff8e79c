"""A service with an rpc of every shape, for the tests of the border of every service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from signoff.rpc.channel import connect
from signoff.rpc.server import Server
from signoff.v1 import planner_pb2, planner_pb2_grpc, runner_pb2, runner_pb2_grpc, worker_pb2, worker_pb2_grpc

PATIENCE = 5.0  # seconds; nothing here takes a tenth of that

Context = grpc.aio.ServicerContext[Any, Any]
Behaviour = Callable[[], Awaitable[None]]


def raising(error: BaseException) -> Behaviour:
    async def behave() -> None:
        raise error

    return behave


class Services(
    runner_pb2_grpc.RunnerServiceServicer,
    planner_pb2_grpc.PlannerServiceServicer,
    worker_pb2_grpc.WorkerServiceServicer,
):
    """One rpc of every shape; each does what the test says and then answers."""

    def __init__(self, behave: Behaviour) -> None:
        self.behave = behave

    async def GetExecution(
        self, request: runner_pb2.GetExecutionRequest, context: Context
    ) -> runner_pb2.GetExecutionResponse:
        await self.behave()
        return runner_pb2.GetExecutionResponse()

    async def WatchExecution(
        self, request: runner_pb2.WatchExecutionRequest, context: Context
    ) -> AsyncIterator[runner_pb2.WatchExecutionResponse]:
        yield runner_pb2.WatchExecutionResponse()
        await self.behave()

    async def CheckPlan(
        self, request_iterator: AsyncIterator[planner_pb2.CheckPlanRequest], context: Context
    ) -> AsyncIterator[planner_pb2.CheckPlanResponse]:
        async for _ in request_iterator:
            yield planner_pb2.CheckPlanResponse()
        await self.behave()

    async def CompilePlan(
        self, request_iterator: AsyncIterator[planner_pb2.CompilePlanRequest], context: Context
    ) -> AsyncIterator[planner_pb2.CompilePlanResponse]:
        async for _ in request_iterator:
            yield planner_pb2.CompilePlanResponse()

    async def Connect(self, request_iterator: AsyncIterator[worker_pb2.ConnectRequest], context: Context) -> None:  # type: ignore[override]
        await context.read()
        await context.write(worker_pb2.ConnectResponse())
        await self.behave()


async def nothing() -> None:
    """The behaviour of a handler that just answers."""


def services_that(behave: Behaviour = nothing) -> Services:
    return Services(behave)  # type: ignore[abstract]  # the generated base refuses the rpcs that no test calls


@asynccontextmanager
async def serving(services: Services) -> AsyncIterator[grpc.aio.Channel]:
    server = Server()
    server.add(runner_pb2_grpc.add_RunnerServiceServicer_to_server, services, "signoff.v1.RunnerService")
    server.add(planner_pb2_grpc.add_PlannerServiceServicer_to_server, services, "signoff.v1.PlannerService")
    server.add(worker_pb2_grpc.add_WorkerServiceServicer_to_server, services, "signoff.v1.WorkerService")
    async with connect(await server.start("127.0.0.1:0")) as channel:
        yield channel
    await server.stop(0)


# Each rpc shape, called to its end.


async def ask(channel: grpc.aio.Channel) -> None:
    stub = runner_pb2_grpc.RunnerServiceStub(channel)
    await stub.GetExecution(runner_pb2.GetExecutionRequest(), timeout=PATIENCE)


async def listen(channel: grpc.aio.Channel) -> None:
    stub = runner_pb2_grpc.RunnerServiceStub(channel)
    async for _ in stub.WatchExecution(runner_pb2.WatchExecutionRequest(), timeout=PATIENCE):
        pass


async def talk(channel: grpc.aio.Channel) -> None:
    stub = planner_pb2_grpc.PlannerServiceStub(channel)
    async for _ in stub.CheckPlan(iter([planner_pb2.CheckPlanRequest()]), timeout=PATIENCE):
        pass


async def converse(channel: grpc.aio.Channel) -> None:
    stub = worker_pb2_grpc.WorkerServiceStub(channel)
    async for _ in stub.Connect(iter([worker_pb2.ConnectRequest()]), timeout=PATIENCE):
        pass


SHAPES = [ask, listen, talk, converse]
Shape = Callable[[grpc.aio.Channel], Awaitable[None]]


async def failure_of(behave: Behaviour, shape: Shape = ask) -> grpc.aio.AioRpcError:
    """Returns the error that a client gets from a handler that behaves like this."""
    async with serving(services_that(behave)) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await shape(channel)
    return raised.value
