"""The planner, as the runner needs it: compiled maps by plan id."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

import grpc.aio

from runner_svc.codec.maps import map_from_parts
from runner_svc.core.plan import Map
from signoff.errors import PlanInvalid, PlannerUnavailable, PlanNotFound
from signoff.rpc import connect, reason_of
from signoff.v1 import plan_pb2, planner_pb2, planner_pb2_grpc


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A compiled plan: as the core reads it, and as it is stored."""

    header: plan_pb2.MapHeader
    map: Map
    parts: tuple[bytes, ...]


class Planner(Protocol):
    async def fetch(self, plan_id: str) -> Fetched:
        """Raises PlanNotFound, PlannerUnavailable, or PlanInvalid when what comes is not a map."""


class GrpcPlanner:
    """The planner service at an address. An empty address stands for none."""

    def __init__(self, address: str, timeout: float = 300.0) -> None:
        self._address = address
        self._timeout = timeout
        self._channel = connect(address) if address else None

    async def fetch(self, plan_id: str) -> Fetched:
        if self._channel is None:
            raise PlannerUnavailable("expected the address of a planner, but none was given: set --planner")
        stub = planner_pb2_grpc.PlannerServiceStub(self._channel)
        request = planner_pb2.GetPlanRequest(plan_id=plan_id, view=planner_pb2.PLAN_VIEW_MAP)
        try:
            parts = [answer.part async for answer in stub.GetPlan(request, timeout=self._timeout)]
        except grpc.aio.AioRpcError as error:
            raise self._told(error, plan_id) from error
        if not parts:
            raise PlanInvalid(f"expected the map of {plan_id}, but the planner sent nothing")
        # Millions of tasks take seconds to read; the loop has streams to serve meanwhile.
        return await asyncio.to_thread(_fetched, parts)

    def _told(self, error: grpc.aio.AioRpcError, plan_id: str) -> Exception:
        reason = reason_of(error)
        if reason == PlanNotFound.reason():
            return PlanNotFound(error.details() or f"there is no plan {plan_id}")
        if reason == "INVALID_FIELD":
            return PlanInvalid(error.details() or f"the planner refused {plan_id}")
        return PlannerUnavailable(f"expected an answer from the planner at {self._address}, but got {error.details()}")

    async def close(self) -> None:
        if self._channel is not None:
            await self._channel.close()


def _fetched(parts: list[plan_pb2.MapPart]) -> Fetched:
    bodies = tuple(part.SerializeToString(deterministic=True) for part in parts)  # a map keeps less than came
    return Fetched(header=parts[0].header, map=map_from_parts(parts), parts=bodies)
