"""The four paths of the system that this one replaces, with its shapes: existing pages and scripts go on working."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from starlette.responses import Response

from signoff.errors import InvalidField
from signoff.v1 import planner_pb2, runner_pb2
from signoff.web.api.places import PlanText, located
from signoff.web.api.plans import BrokenPlan, compiled
from signoff.web.wire.calls import Call, Endpoint, answer
from signoff.web.wire.messages import encode, read_object, record
from signoff.web.wire.parameters import text

MOST_PLAN = 16 * 1024 * 1024  # bytes of a body that holds a plan; larger ones go to /api/v1/plans


async def generate_from_plan(call: Call) -> Response:
    """Compiles the plan of the body, stores it, and answers with its execution.json."""
    body = _only(read_object(await call.body(MOST_PLAN)), "plan", "planId")
    if not isinstance(body.get("plan"), dict):
        raise InvalidField("plan", "the plan, an object", f"a {type(body.get('plan')).__name__}")
    plan, kept = encode(body["plan"]), PlanText()
    header, found = await compiled(call, _once(plan), _text(body, "planId"), kept)
    if header is None:
        raise BrokenPlan(await located(found, PlanText()))
    return answer(await _execution_json(call, header.plan_id))


async def timetable(call: Call) -> Response:
    """Makes a plan the current layout, and answers with the places of its tasks."""
    body = _only(read_object(await call.body(MOST_PLAN)), "execution", "planId")
    execution = body.get("execution", {})
    if not isinstance(execution, dict):
        raise InvalidField("execution", "an execution.json, an object", f"a {type(execution).__name__}")
    plan_id = _text(body, "planId") or _text(execution, "plan_id")
    if not plan_id:
        raise InvalidField("planId", "the id of a plan, here or in the execution", "none")
    request = runner_pb2.SetLayoutRequest(request_id=call.request_id, plan_id=plan_id)
    await call.upstream.ask(lambda runner: runner.SetLayout, request)
    layout = await call.upstream.layout(plan_id)
    return answer({"header": record(layout.header), **record(layout.layout)})


async def get_execution_json(call: Call) -> Response:
    plan_id = call.query.text("planId")
    if not plan_id:
        raise InvalidField("planId", "the id of a plan", "none")
    return answer(await _execution_json(call, plan_id))


async def run(call: Call) -> Response:
    """Starts an execution of the last layout set."""
    _only(read_object(await call.body()))
    request = runner_pb2.StartExecutionRequest(request_id=call.request_id)
    return answer(await call.upstream.ask(lambda runner: runner.StartExecution, request))


async def _execution_json(call: Call, plan_id: str) -> dict[str, Any]:
    answers = call.upstream.get_plan(plan_id, planner_pb2.PLAN_VIEW_EXECUTION_JSON)
    async with aclosing(answers):
        content = b"".join([told.chunk async for told in answers])
    return {"execution": json.loads(content), "planId": plan_id}


def _only(body: dict[str, Any], *known: str) -> dict[str, Any]:
    for name in body:
        if name not in known:
            raise InvalidField(name[:60], f"one of the fields {', '.join(known) or '(none)'}", "an unknown one")
    return body


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str):
        raise InvalidField(name, "a text", f"a {type(value).__name__}")
    return value


async def _once(content: bytes) -> AsyncIterator[bytes]:
    size = 256 * 1024
    for start in range(0, max(1, len(content)), size):
        yield content[start : start + size]


_PLAN = {
    "type": "object",
    "properties": {"plan": {"type": "object"}, "planId": {"type": "string"}},
    "required": ["plan"],
    "additionalProperties": False,
}
_TABLE = {
    "type": "object",
    "properties": {"execution": {"type": "object"}, "planId": {"type": "string"}},
    "additionalProperties": False,
}
_EXECUTION = {"type": "object", "properties": {"execution": {"type": "object"}, "planId": {"type": "string"}}}

ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/api/execution/generate-from-plan",
        handler=generate_from_plan,
        name="generate_from_plan",
        group="aliases",
        about="Compiles and stores a plan. (Generate Map)",
        takes=_PLAN,
        answers=_EXECUTION,
        errors=(400, 413, 422),
        changes=True,
    ),
    Endpoint(
        method="POST",
        path="/api/monitor/timetable",
        handler=timetable,
        name="timetable",
        group="aliases",
        about="Makes a plan the current layout.",
        takes=_TABLE,
        answers={"$ref": "#/components/schemas/Layout"},
        errors=(400, 404, 413),
        changes=True,
    ),
    Endpoint(
        method="GET",
        path="/api/execution",
        handler=get_execution_json,
        name="get_execution_json_of_plan",
        group="aliases",
        about="The execution.json of a plan.",
        query=(text("planId", "The plan."),),
        answers=_EXECUTION,
        errors=(400, 404),
    ),
    Endpoint(
        method="POST",
        path="/api/execution/run",
        handler=run,
        name="run",
        group="aliases",
        about="Starts an execution of the last layout set. (Execution)",
        takes={"type": "object"},
        answers=runner_pb2.StartExecutionResponse,
        errors=(400, 404, 409),
        changes=True,
    ),
)
