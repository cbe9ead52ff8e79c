"""Endpoints of plans: listing, checking, storing, and reading them back."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from starlette.responses import Response

from signoff.errors import PlanInvalid, PlanNotFound
from signoff.v1 import plan_pb2, planner_pb2
from signoff.web.api.places import PlanText, located
from signoff.web.wire.calls import Call, Endpoint, answer
from signoff.web.wire.messages import encode, record
from signoff.web.wire.parameters import PAGE_TOKEN, flag, number
from signoff.web.wire.streamed import Streamed, begun, map_json

MOST_PLAN = 1 << 30  # bytes, as the planner takes them
NO_INFER = flag("noInfer", "Do not wait for producers of artifacts that are read.")

DIAGNOSTICS = {
    "type": "object",
    "properties": {
        "header": {"$ref": "#/components/schemas/MapHeader"},
        "diagnostics": {"type": "array", "items": {"$ref": "#/components/schemas/LocatedDiagnostic"}},
    },
}
ANY_PLAN = {"description": "A plan.json; also a broken one, to learn what is wrong with it."}


async def list_plans(call: Call) -> Response:
    request = planner_pb2.ListPlansRequest(
        page_size=call.query.number("pageSize"), page_token=call.query.text("pageToken")
    )
    return answer(await call.upstream.list_plans(request))


async def check_plan(call: Call) -> Response:
    text = PlanText()
    requests = _checks(call.chunks(MOST_PLAN), text, no_infer=call.query.flag("noInfer"))
    found: list[plan_pb2.Diagnostic] = []
    async with aclosing(call.upstream.check(requests)) as answers:
        async for told in answers:
            found.extend(told.diagnostics)
    return answer({"diagnostics": await located(found, text)})


async def create_plan(call: Call) -> Response:
    return await _store(call, "")


async def put_plan(call: Call) -> Response:
    return await _store(call, call.path("planId"))


async def _store(call: Call, plan_id: str) -> Response:
    """Compiles and stores a plan; a broken one gets 422 with its diagnostics, and nothing is stored."""
    text = PlanText()
    header, found = await compiled(call, call.chunks(MOST_PLAN), plan_id, text)
    diagnostics = await located(found, text)
    if header is None:
        raise BrokenPlan(diagnostics)
    return answer({"header": record(header), "diagnostics": diagnostics})


class BrokenPlan(PlanInvalid):
    """A plan with errors, with all its diagnostics."""

    def __init__(self, diagnostics: list[dict[str, Any]]) -> None:
        errors = sum(found.get("severity") == "SEVERITY_ERROR" for found in diagnostics)
        super().__init__(f"expected a plan that compiles, but it has {errors} error{'s' if errors != 1 else ''}")
        self.diagnostics = diagnostics

    @classmethod
    def reason(cls) -> str:
        return PlanInvalid.reason()


async def compiled(
    call: Call, chunks: AsyncIterator[bytes], plan_id: str, text: PlanText
) -> tuple[plan_pb2.MapHeader | None, list[plan_pb2.Diagnostic]]:
    """Compiles a plan as it comes. Returns its header, None when it is broken, and its diagnostics."""
    header: plan_pb2.MapHeader | None = None
    found: list[plan_pb2.Diagnostic] = []
    requests = _compiles(chunks, text, plan_id=plan_id, no_infer=call.query.flag("noInfer"))
    try:
        async with aclosing(call.upstream.compile(requests)) as answers:
            async for told in answers:
                found.extend(told.diagnostics)
                header = told.part.header if told.part.HasField("header") else header
    except PlanInvalid:
        return None, found
    return header, found


async def _checks(
    chunks: AsyncIterator[bytes], text: PlanText, *, no_infer: bool
) -> AsyncIterator[planner_pb2.CheckPlanRequest]:
    yield planner_pb2.CheckPlanRequest(no_infer=no_infer)
    async for chunk in chunks:
        text.add(chunk)
        yield planner_pb2.CheckPlanRequest(plan_json=chunk)


async def _compiles(
    chunks: AsyncIterator[bytes], text: PlanText, *, plan_id: str, no_infer: bool
) -> AsyncIterator[planner_pb2.CompilePlanRequest]:
    yield planner_pb2.CompilePlanRequest(plan_id=plan_id, no_infer=no_infer)
    async for chunk in chunks:
        text.add(chunk)
        yield planner_pb2.CompilePlanRequest(plan_json=chunk)


# ---------------------------------------------------------------- reading back


async def get_plan(call: Call) -> Response:
    return await _file(call, planner_pb2.PLAN_VIEW_PLAN_JSON)


async def get_execution_json(call: Call) -> Response:
    return await _file(call, planner_pb2.PLAN_VIEW_EXECUTION_JSON)


async def _file(call: Call, view: planner_pb2.PlanView.ValueType) -> Response:
    answers = await begun(call.upstream.get_plan(call.path("planId"), view))
    return Streamed((told.chunk async for told in answers), media_type="application/json")


async def get_map(call: Call) -> Response:
    parts = await begun(_parts(call))
    return Streamed(map_json(parts), media_type="application/json")


async def get_layout(call: Call) -> Response:
    header, layout = plan_pb2.MapHeader(), plan_pb2.LayoutPart()
    async with aclosing(_parts(call)) as parts:
        async for part in parts:
            header.MergeFrom(part.header)
            layout.MergeFrom(part.layout)
    return answer({"header": record(header), **record(layout)})


async def get_diagnostics(call: Call) -> Response:
    """Checks the plan again, as it was stored and with the same options."""
    header, text = await _header(call), PlanText()
    stored = call.upstream.get_plan(call.path("planId"), planner_pb2.PLAN_VIEW_PLAN_JSON)
    found: list[plan_pb2.Diagnostic] = []
    async with aclosing(stored), aclosing(_chunks_of(stored)) as chunks:
        requests = _checks(chunks, text, no_infer=not header.inferred)
        async with aclosing(call.upstream.check(requests)) as answers:
            async for told in answers:
                found.extend(told.diagnostics)
    return answer({"diagnostics": await located(found, text)})


async def _chunks_of(answers: AsyncGenerator[Any, None]) -> AsyncGenerator[bytes, None]:
    async for told in answers:
        yield told.chunk


async def _header(call: Call) -> plan_pb2.MapHeader:
    async with aclosing(_parts(call)) as parts:
        async for part in parts:
            return part.header
    raise PlanNotFound(f"expected a stored plan, but {call.path('planId')} has no map")


async def _parts(call: Call) -> AsyncGenerator[plan_pb2.MapPart, None]:
    async with aclosing(call.upstream.get_plan(call.path("planId"), planner_pb2.PLAN_VIEW_MAP)) as answers:
        async for told in answers:
            yield told.part


def _endpoint(method: str, path: str, handler: Any, about: str, **more: Any) -> Endpoint:
    return Endpoint(
        method=method,
        path=f"/api/v1/plans{path}",
        handler=handler,
        name=handler.__name__,
        about=about,
        group="plans",
        **more,
    )


ENDPOINTS = (
    _endpoint(
        "GET",
        "",
        list_plans,
        "Lists the stored plans, in natural order of their ids.",
        query=(number("pageSize", "At most so many on a page.", 1_000), PAGE_TOKEN),
        answers=planner_pb2.ListPlansResponse,
        errors=(400,),
    ),
    _endpoint(
        "POST",
        "/check",
        check_plan,
        "Reports everything that is wrong or doubtful about a plan. Stores nothing.",
        query=(NO_INFER,),
        takes=ANY_PLAN,
        answers=DIAGNOSTICS,
        errors=(400, 413),
    ),
    _endpoint(
        "POST",
        "",
        create_plan,
        "Compiles and stores a plan under an id made of its bytes.",
        query=(NO_INFER,),
        takes=ANY_PLAN,
        answers=DIAGNOSTICS,
        errors=(400, 413, 422),
        changes=True,
    ),
    _endpoint(
        "PUT",
        "/{planId}",
        put_plan,
        "Compiles and stores a plan. What was stored under the id before is replaced.",
        query=(NO_INFER,),
        takes=ANY_PLAN,
        answers=DIAGNOSTICS,
        errors=(400, 413, 422),
        changes=True,
    ),
    _endpoint(
        "GET",
        "/{planId}",
        get_plan,
        "The stored plan.json, its own bytes.",
        answers="application/json",
        errors=(400, 404),
    ),
    _endpoint(
        "GET",
        "/{planId}/execution.json",
        get_execution_json,
        "The compiled execution.json, its own bytes.",
        answers="application/json",
        errors=(400, 404),
    ),
    _endpoint(
        "GET",
        "/{planId}/diagnostics",
        get_diagnostics,
        "The diagnostics of a stored plan.",
        answers=DIAGNOSTICS,
        errors=(400, 404),
    ),
    _endpoint(
        "GET",
        "/{planId}/map",
        get_map,
        "The compiled map: its header, groups and tasks.",
        answers={"$ref": "#/components/schemas/Map"},
        errors=(400, 404),
    ),
    _endpoint(
        "GET",
        "/{planId}/layout",
        get_layout,
        "The places of the tasks on a screen.",
        answers={"$ref": "#/components/schemas/Layout"},
        errors=(400, 404),
    ),
)

__all__ = ["ENDPOINTS", "MOST_PLAN", "BrokenPlan", "compiled", "encode"]
