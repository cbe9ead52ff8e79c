"""Calls of the planner: checking a plan and compiling it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import grpc

from signoff.client.values import Compilation
from signoff.errors import PlanInvalid
from signoff.rpc.channel import CHUNK_BYTES
from signoff.rpc.ends import answers_of
from signoff.rpc.statuses import error_from_rpc
from signoff.v1 import plan_pb2, planner_pb2, planner_pb2_grpc


class PlannerCalls:
    """The part of the client that talks to a planner."""

    planner_address: str
    _planner: planner_pb2_grpc.PlannerServiceAsyncStub

    async def check_plan(self, plan_json: bytes, *, infer: bool = True) -> tuple[plan_pb2.Diagnostic, ...]:
        """Returns everything that is wrong or doubtful about a plan. Stores nothing."""
        diagnostics: list[plan_pb2.Diagnostic] = []
        requests = _check_requests(plan_json, no_infer=not infer)
        try:
            async for answer in answers_of(self._planner.CheckPlan(requests)):
                diagnostics.extend(answer.diagnostics)
        except grpc.RpcError as error:
            raise error_from_rpc(error, "planner", self.planner_address) from None
        return tuple(diagnostics)

    async def compile_plan(
        self,
        plan_json: bytes,
        *,
        plan_id: str = "",
        infer: bool = True,
        see: Callable[[plan_pb2.MapPart], None] | None = None,
    ) -> Compilation:
        """Compiles and stores a plan. For a plan with errors, returns the diagnostics without a header.

        `see` gets each part of the map as it comes: a map may be too large to be kept whole.
        """
        if not isinstance(plan_json, bytes | bytearray | memoryview):
            raise TypeError(f"expected the bytes of a plan.json, but got {type(plan_json).__name__}")
        diagnostics: list[plan_pb2.Diagnostic] = []
        header: plan_pb2.MapHeader | None = None
        requests = _compile_requests(plan_json, plan_id=plan_id, no_infer=not infer)
        try:
            async for answer in answers_of(self._planner.CompilePlan(requests)):
                diagnostics.extend(answer.diagnostics)
                header = answer.part.header if answer.part.HasField("header") else header
                if see is not None and answer.HasField("part"):
                    see(answer.part)
        except grpc.RpcError as error:
            refusal = error_from_rpc(error, "planner", self.planner_address)
            if not isinstance(refusal, PlanInvalid):
                raise refusal from None
        return Compilation(diagnostics=tuple(diagnostics), header=header)


def _pieces_after_the_first(content: bytes) -> Iterator[bytes]:
    for start in range(CHUNK_BYTES, len(content), CHUNK_BYTES):
        yield content[start : start + CHUNK_BYTES]


def _check_requests(plan_json: bytes, *, no_infer: bool) -> Iterator[planner_pb2.CheckPlanRequest]:
    first = planner_pb2.CheckPlanRequest(plan_json=plan_json[:CHUNK_BYTES], no_infer=no_infer)
    more = (planner_pb2.CheckPlanRequest(plan_json=piece) for piece in _pieces_after_the_first(plan_json))
    return itertools.chain([first], more)


def _compile_requests(plan_json: bytes, *, plan_id: str, no_infer: bool) -> Iterator[planner_pb2.CompilePlanRequest]:
    """Returns the requests. The first one, with the options, is made at once: gRPC hides an error that comes later."""
    first = planner_pb2.CompilePlanRequest(plan_json=plan_json[:CHUNK_BYTES], plan_id=plan_id, no_infer=no_infer)
    more = (planner_pb2.CompilePlanRequest(plan_json=piece) for piece in _pieces_after_the_first(plan_json))
    return itertools.chain([first], more)
