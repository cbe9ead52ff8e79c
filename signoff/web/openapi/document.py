"""The OpenAPI 3.1 document of the table of endpoints."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from google.protobuf.message import Message

from signoff.v1 import execution_pb2, plan_pb2
from signoff.web.openapi.schemas import REF, Schemas
from signoff.web.wire.calls import Endpoint
from signoff.web.wire.parameters import Parameter

ALL = (401, 403, 500, 503)  # that any path may answer
UNSAFE = (400, 408, 413, 415)  # that any path with a body may answer besides
WITH_PARAMETERS = 400
PROBLEM = "application/problem+json"

_TEXT, _NUMBER = {"type": "string"}, {"type": "integer", "minimum": 0}
_PATH = re.compile(r"\{(\w+)\}")
_IDS: Mapping[str, dict[str, Any]] = {
    "digest": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "attempt": {"type": "integer", "minimum": 1, "maximum": 2**32 - 1},
    "planId": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,128}$"},
    "executionId": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,128}$"},
    "path": {"type": "string", "minLength": 1, "description": "The path of a file; it may have slashes."},
    "taskId": {"type": "string", "pattern": "^[A-Za-z0-9_]{1,128}$"},
}
_TITLES: Mapping[int, str] = {
    400: "A field or a parameter has a wrong value.", 401: "The token is missing or wrong.",
    403: "The host or the origin is not allowed, or the door is read-only.", 404: "There is nothing of this id.",
    405: "The path has no such method.", 408: "The body came too slowly.", 409: "Things have moved on since.",
    413: "The body is too large.", 415: "The body is of another type.", 416: "The range lies outside of the content.",
    422: "The plan is broken.", 500: "A bug; the log of the door or the service has the story.",
    503: "A service is away or busy: try again later.",
}  # fmt: skip


def document(endpoints: Sequence[Endpoint], prefix: str = "") -> dict[str, Any]:
    """Returns the whole document."""
    schemas = Schemas()
    paths: dict[str, Any] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "signoff",
            "version": version("signoff"),
            "description": "The HTTP API of signoff. Messages are those of its gRPC API, in protobuf's JSON mapping.",
        },
        "servers": [{"url": prefix or "/"}],
        "security": [{}, {"bearer": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": {**_own(schemas), **schemas.components},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "signoff_session"},
            },
        },
    }


def _operation(endpoint: Endpoint, schemas: Schemas) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.about,
        "tags": [endpoint.group],
        "parameters": [*map(_path_parameter, _PATH.findall(endpoint.path)), *map(_query_parameter, endpoint.query)],
        "responses": _responses(endpoint, schemas),
    }
    if endpoint.changes:
        operation["parameters"].append(_KEY)
    if endpoint.method in ("POST", "PUT"):
        media_type = endpoint.takes if isinstance(endpoint.takes, str) else "application/json"
        content = {media_type: {"schema": _body(endpoint, schemas)}}
        operation["requestBody"] = {"required": bool(endpoint.required), "content": content}
    return operation


_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Chosen by the client: a command that is repeated with the same key takes effect once.",
    "schema": {"type": "string", "maxLength": 128, "pattern": "^[!-~]*$"},
}


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": dict(_IDS[name])}


def _query_parameter(parameter: Parameter) -> dict[str, Any]:
    schema = dict(parameter.schema)
    if parameter.repeated:
        schema = {"type": "array", "items": schema}
    return {"name": parameter.name, "in": "query", "description": parameter.about, "schema": schema}


def _body(endpoint: Endpoint, schemas: Schemas) -> dict[str, Any]:
    takes = endpoint.takes
    if takes is None:
        return {"type": "object", "additionalProperties": False}
    if isinstance(takes, str):
        return {}
    if isinstance(takes, Mapping):
        return dict(takes)
    schema = schemas.message(takes.DESCRIPTOR, only=endpoint.fields)
    return {**schema, "required": list(endpoint.required)} if endpoint.required else schema


def _responses(endpoint: Endpoint, schemas: Schemas) -> dict[str, Any]:
    codes = {*ALL, *endpoint.errors, *(UNSAFE if endpoint.method != "GET" else ())}
    codes |= {WITH_PARAMETERS}
    problem = {PROBLEM: {"schema": {"$ref": REF + "Problem"}}}
    good = {"description": endpoint.about, "content": _answers(endpoint, schemas)}
    partial = {"206": {**good, "description": "A range of it."}, "304": {"description": "The client has it."}}
    return {
        str(endpoint.status): good,
        **(partial if 416 in codes else {}),
        **{str(code): {"description": _TITLES[code], "content": problem} for code in sorted(codes)},
    }


def _answers(endpoint: Endpoint, schemas: Schemas) -> dict[str, Any]:
    answers = endpoint.answers
    if isinstance(answers, str):
        # A content has its own type.
        return {"*/*" if answers == "application/octet-stream" else answers: {"schema": {}}}
    if isinstance(answers, type) and issubclass(answers, Message):
        return {"application/json": {"schema": schemas.reference(answers.DESCRIPTOR)}}
    return {"application/json": {"schema": answers or {}}}


# ---------------------------------------------------------------- objects that the door makes itself


def _own(schemas: Schemas) -> dict[str, Any]:
    """Returns the schemas of answers that are put together of messages, or that have more than a message."""
    pb, plan = execution_pb2, plan_pb2
    sentence = {"sentence": {"type": "string", "description": "For a person."}}
    place = {name: {"type": "integer", "minimum": 1} for name in ("line", "column", "endLine", "endColumn")}
    header = {"header": schemas.reference(plan.MapHeader.DESCRIPTOR)}
    told = schemas.message(pb.Event.DESCRIPTOR, more=sentence)
    return {
        "Problem": _PROBLEM,
        "LocatedDiagnostic": schemas.message(plan.Diagnostic.DESCRIPTOR, more=place),
        "ToldEvent": told,
        "ToldTask": schemas.message(pb.TaskState.DESCRIPTOR, more=sentence),
        "Map": _object(
            **header,
            groups=_list(schemas.reference(plan.MapGroup.DESCRIPTOR)),
            tasks=_list(schemas.reference(plan.MapTask.DESCRIPTOR)),
        ),
        "Layout": schemas.message(plan.LayoutPart.DESCRIPTOR, more=header),
        "TaskWithSpec": _object(
            task=schemas.reference(pb.TaskState.DESCRIPTOR), spec=schemas.reference(plan.TaskSpec.DESCRIPTOR)
        ),
        "Attempt": _object(
            attempt=_NUMBER,
            events=_list({"$ref": REF + "ToldEvent"}),
            candidate=schemas.reference(pb.CandidateInfo.DESCRIPTOR),
        ),
        "Difference": _object(
            before=_NUMBER, after=_NUMBER, truncated={"type": "boolean"}, **sentence, lines=_list(_LINE)
        ),
    }


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _list(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


_LINE = {
    **_object(
        kind={"type": "string", "enum": ["same", "added", "removed", "gap"]},
        text=_TEXT,
        beforeLine=_NUMBER,
        afterLine=_NUMBER,
    ),
    "required": ["kind", "text"],
}
_PROBLEM = {
    "type": "object",
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": _NUMBER,
        "detail": {"type": "string", "description": "The sentence: what was expected, and what came."},
        "reason": {"type": "string", "description": "For programs, such as EXECUTION_NOT_FOUND."},
        "metadata": {"type": "object", "additionalProperties": _TEXT},
        "diagnostics": _list({"$ref": REF + "LocatedDiagnostic"}),
    },
    "required": ["type", "title", "status", "detail", "reason"],
}
