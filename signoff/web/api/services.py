"""Endpoints of the services themselves: workers, health, version."""

from __future__ import annotations

from importlib.metadata import version

from starlette.responses import Response

from signoff.v1 import runner_pb2
from signoff.web.wire.calls import Call, Endpoint, answer

_HEALTH = {
    "type": "object",
    "properties": {
        name: {"type": "string", "enum": ["SERVING", "NOT_SERVING", "UNKNOWN", "SERVICE_UNKNOWN", "AWAY"]}
        for name in ("runner", "planner")
    },
    "required": ["runner", "planner"],
}


async def list_workers(call: Call) -> Response:
    return answer(await call.upstream.workforce())


async def get_health(call: Call) -> Response:
    return answer(await call.upstream.health())


async def get_version(_call: Call) -> Response:
    return answer({"version": version("signoff")})


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/workers",
        handler=list_workers,
        name="list_workers",
        group="services",
        about="The connected workers, and how validators judged canaries.",
        answers=runner_pb2.ListWorkersResponse,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/health",
        handler=get_health,
        name="get_health",
        group="services",
        is_open=True,
        about="Whether the services behind the door serve.",
        answers=_HEALTH,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/version",
        handler=get_version,
        name="get_version",
        group="services",
        about="The version of the door.",
        answers={"type": "object", "properties": {"version": {"type": "string"}}, "required": ["version"]},
    ),
)
