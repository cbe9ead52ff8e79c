"""The runner's client of the planner: it fetches compiled maps by plan id."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from weakref import WeakValueDictionary

import grpc.aio
from google.protobuf.message import DecodeError

from runner_svc.codec.maps import MOST_BYTES, MOST_PARTS, fetched_map
from runner_svc.core.model.map import Map
from signoff.errors import PlanInvalid, PlannerUnavailable, PlanNotFound
from signoff.rpc.channel import connect
from signoff.rpc.concurrency import ConcurrencyLimit, in_thread
from signoff.rpc.statuses import reason_of
from signoff.v1 import plan_pb2, planner_pb2

#: Plans that are fetched at once: each is read in a thread, of which other work, such as the engine's, needs some too.
MOST_FETCHED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A compiled plan, as the core reads it and as it is stored."""

    header: plan_pb2.MapHeader
    map: Map
    parts: tuple[bytes, ...]


_GET_PLAN = "/signoff.v1.PlannerService/GetPlan"  # answered as bytes: to read them is work for a thread


class Planner(Protocol):
    async def fetch(self, plan_id: str) -> Fetched:
        """Returns a compiled plan. Raises PlanNotFound, PlannerUnavailable, or PlanInvalid when no map comes."""


class FetchLimit:
    """Limits the fetches of plans: a few at once, and of each plan one."""

    def __init__(self) -> None:
        self._all = ConcurrencyLimit(MOST_FETCHED, "fetches of plans")
        self._of_plan: WeakValueDictionary[str, ConcurrencyLimit] = WeakValueDictionary()

    @asynccontextmanager
    async def slot(self, plan_id: str) -> AsyncIterator[None]:
        """Holds a slot for a plan for the length of the block. Raises TooManyStreams when none is free for too long."""
        # guard: one fetch of a plan at a time -> of_plan = ConcurrencyLimit(1, "")
        of_plan = self._of_plan.setdefault(plan_id, ConcurrencyLimit(1, f"fetches of plan {plan_id}"))
        # guard: a few fetches at once -> async with of_plan.slot():
        async with of_plan.slot(), self._all.slot():
            yield


class GrpcPlanner:
    """The planner service at an address; an empty address means that there is none."""

    def __init__(self, address: str, timeout: float = 300.0) -> None:
        self._address = address
        self._timeout = timeout
        self._channel = connect(address) if address else None

    async def fetch(self, plan_id: str) -> Fetched:
        if self._channel is None:
            raise PlannerUnavailable("expected the address of a planner, but none was given: set --planner")
        try:
            answers = await self._answers(self._channel, plan_id)
        except grpc.aio.AioRpcError as error:
            raise self._problem(error, plan_id) from error
        # Millions of tasks take seconds to read; the loop has streams to serve meanwhile.
        try:
            return await in_thread(lambda: _read(plan_id, answers))
        except PlanInvalid as wrong:
            raise PlanInvalid(f"the planner's map of {plan_id}: {wrong}") from None

    async def _answers(self, channel: grpc.aio.Channel, plan_id: str) -> list[bytes]:
        """Returns the serialized GetPlanResponses. Raises PlanInvalid when they are more than a map can be."""
        request = planner_pb2.GetPlanRequest(plan_id=plan_id, view=planner_pb2.PLAN_VIEW_MAP)
        get_plan: Any = channel.unary_stream(_GET_PLAN, request_serializer=planner_pb2.GetPlanRequest.SerializeToString)
        answers: list[bytes] = []
        size = 0
        async for answer in get_plan(request, timeout=self._timeout):
            size += len(answer)
            answers.append(answer)
            if size > MOST_BYTES or len(answers) > MOST_PARTS:
                most = f"{MOST_PARTS:,} parts of {MOST_BYTES:,} bytes in all"
                raise PlanInvalid(f"the planner's map of {plan_id}: expected at most {most}, but got more")
        return answers

    def _problem(self, error: grpc.aio.AioRpcError, plan_id: str) -> Exception:
        """Returns the runner's error for an error of the call."""
        reason = reason_of(error)
        if reason == PlanNotFound.reason():
            return PlanNotFound(error.details() or f"there is no plan {plan_id}")
        if reason == "INVALID_FIELD":
            return PlanInvalid(error.details() or f"the planner refused {plan_id}")
        if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in (error.details() or ""):
            return PlanInvalid(f"the planner's map of {plan_id}: expected parts that fit, but {error.details()}")
        return PlannerUnavailable(f"expected an answer from the planner at {self._address}, but got {error.details()}")

    async def close(self) -> None:
        if self._channel is not None:
            await self._channel.close()


def _read(plan_id: str, answers: Sequence[bytes]) -> Fetched:
    parts = [_part(number, answer) for number, answer in enumerate(answers)]
    bodies = tuple(part.SerializeToString(deterministic=True) for part in parts)  # a map keeps less than came
    fetched = fetched_map(plan_id, parts)
    return Fetched(header=parts[0].header, map=fetched, parts=bodies)


def _part(number: int, answer: bytes) -> plan_pb2.MapPart:
    try:
        return planner_pb2.GetPlanResponse.FromString(answer).part
    except DecodeError:
        got = f"{len(answer):,} bytes that are none"
        raise PlanInvalid(f"parts[{number}]: expected a GetPlanResponse, but got {got}") from None
