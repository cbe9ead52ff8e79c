"""The services behind the door: Client, and raw rpcs where an endpoint passes the very messages on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc

from signoff.client.client import Client
from signoff.errors import SignoffError
from signoff.rpc.addresses import NOWHERE, RunnerStub, addresses_in
from signoff.rpc.channel import connect
from signoff.rpc.statuses import error_from_rpc
from signoff.v1 import planner_pb2

ANSWER_WITHIN = 30.0  # seconds of one unary call to the planner
HEALTH_WITHIN = 2.0  # seconds
AWAY = "AWAY"  # a service that gives no answer

Answer = TypeVar("Answer", bound=Message)


class Upstream(Client):
    """A planner and a runner, asked with raw messages. Raises the errors of signoff.errors."""

    async def ask(self, method: Callable[[RunnerStub], Callable[..., Awaitable[Answer]]], request: Any) -> Answer:
        """Asks the runner once."""
        return await self._runner.ask(method, request)

    def stream(self, method: Callable[[RunnerStub], Any], request: Any) -> AsyncGenerator[Any, None]:
        """Yields the answers of a streaming rpc of the runner."""
        return self._runner.answers(method, request)

    async def look_again(self) -> None:
        """Looks for the runner anew at the next call, where there are several addresses."""
        await self._runner.lost()

    async def list_plans(self, request: planner_pb2.ListPlansRequest) -> planner_pb2.ListPlansResponse:
        try:
            return await self._planner.ListPlans(request, timeout=ANSWER_WITHIN)
        except grpc.RpcError as error:
            raise self._planner_error(error) from None

    async def get_plan(self, plan_id: str, view: planner_pb2.PlanView.ValueType) -> AsyncGenerator[Any, None]:
        """Yields what the planner streams of a stored plan."""
        call = self._planner.GetPlan(planner_pb2.GetPlanRequest(plan_id=plan_id, view=view))
        try:
            async for answer in call:
                yield answer
        except grpc.RpcError as error:
            raise self._planner_error(error) from None
        finally:
            call.cancel()

    def check(self, requests: AsyncIterator[planner_pb2.CheckPlanRequest]) -> AsyncGenerator[Any, None]:
        """Yields the planner's answers about a plan that is sent piece by piece."""
        return self._upload(self._planner.CheckPlan, requests)

    def compile(self, requests: AsyncIterator[planner_pb2.CompilePlanRequest]) -> AsyncGenerator[Any, None]:
        return self._upload(self._planner.CompilePlan, requests)

    async def _upload(self, rpc: Any, requests: AsyncIterator[Any]) -> AsyncGenerator[Any, None]:
        """Yields the answers to an upload. An error of the upload itself is raised as it is."""
        failed: list[SignoffError] = []

        async def pieces() -> AsyncIterator[Any]:
            try:
                async for request in requests:
                    yield request
            except SignoffError as error:
                failed.append(error)
                call.cancel()  # ended in order, the plan would be one that is cut off

        call = rpc(pieces())
        try:
            async for answer in call:
                yield answer
        except grpc.RpcError as error:
            raise (failed[0] if failed else self._planner_error(error)) from None
        except BaseException:
            if failed:
                raise failed[0] from None
            raise
        finally:
            call.cancel()

    def _planner_error(self, error: grpc.RpcError) -> SignoffError:
        return error_from_rpc(error, "planner", self.planner_address)

    # ------------------------------------------------------------ health

    async def health(self) -> dict[str, str]:
        """Returns the health of both services by name: SERVING, NOT_SERVING or AWAY."""
        runners = [await _health_of(address) for address in addresses_in(self.runner_address)]
        best = next((found for found in ("SERVING", "NOT_SERVING") if found in runners), AWAY)
        return {"runner": best, "planner": await _health_of(self.planner_address)}


async def _health_of(address: str) -> str:
    async with connect(address or NOWHERE) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=HEALTH_WITHIN)
        except grpc.aio.AioRpcError:
            return AWAY
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))
