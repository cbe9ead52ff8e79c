"""Errors as application/problem+json (RFC 9457): the same reasons as in gRPC, the sentence, and the HTTP status."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from signoff.errors import PlanInvalid, PlanTooLarge, SignoffError
from signoff.web.safety.refusals import DoorRefusal, TokenRequired, TokenWrong

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = "2"  # seconds; a service restarts in about as many

_BY_CLASS: Mapping[type[SignoffError], int] = {PlanInvalid: 422, PlanTooLarge: 413}
_BY_STATUS: Mapping[str, int] = {
    "INVALID_ARGUMENT": 400,
    "NOT_FOUND": 404,
    "FAILED_PRECONDITION": 409,
    "OUT_OF_RANGE": 409,
    "DEADLINE_EXCEEDED": 408,
    "RESOURCE_EXHAUSTED": 503,
    "UNAVAILABLE": 503,
}


def http_status(error: SignoffError) -> int:
    """Returns the HTTP status of an error."""
    if isinstance(error, DoorRefusal):
        return error.http
    special = next((status for kind, status in _BY_CLASS.items() if isinstance(error, kind)), None)
    return special or _BY_STATUS.get(error.status, 500)


def problem_of(error: SignoffError, **more: Any) -> dict[str, Any]:
    """Returns the problem that tells an error."""
    reason = error.reason()
    problem: dict[str, Any] = {
        "type": f"urn:signoff:error:{reason}",
        "title": reason.replace("_", " ").capitalize(),
        "status": http_status(error),
        "detail": str(error),
        "reason": reason,
    }
    metadata = dict(error.metadata())
    return problem | ({"metadata": metadata} if metadata else {}) | more


def problem_response(error: SignoffError, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """Returns the answer that tells an error."""
    status = http_status(error)
    added = dict(headers or {})
    if status == 503:
        added["Retry-After"] = RETRY_AFTER
    if isinstance(error, TokenRequired | TokenWrong):
        added["WWW-Authenticate"] = 'Bearer realm="signoff"'
    body = json.dumps(problem_of(error, **more), ensure_ascii=False).encode(errors="replace")
    return Response(body, status, added, MEDIA_TYPE)
