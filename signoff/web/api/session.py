"""The endpoint of the session: a browser turns the token into a cookie that no script can read."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from signoff.errors import InvalidField
from signoff.web.safety.rules import Rules
from signoff.web.safety.tokens import COOKIE
from signoff.web.wire.calls import Call, Endpoint, answer
from signoff.web.wire.messages import read_object


async def get_session(call: Call) -> Response:
    return answer(_session(call, _rules(call).is_signed_in(call.request.headers)))


async def create_session(call: Call) -> Response:
    """Signs in. Raises TokenWrong."""
    body = read_object(await call.body(16_384))
    if set(body) != {"token"} or not isinstance(body["token"], str):
        raise InvalidField("token", "an object with the field token alone, a text", "another one")
    rules = _rules(call)
    rules.check_token(body["token"])
    response = answer(_session(call, True))
    if rules.token is not None:
        response.set_cookie(
            COOKIE,
            rules.token.cookie,
            path=rules.prefix or "/",
            httponly=True,
            samesite="strict",
            secure=_is_https(call),
        )
    return response


async def end_session(call: Call) -> Response:
    response = answer(_session(call, _rules(call).token is None))
    response.delete_cookie(COOKIE, path=_rules(call).prefix or "/", httponly=True, samesite="strict")
    return response


def _session(call: Call, signed_in: bool) -> dict[str, bool]:
    rules = _rules(call)
    return {"required": rules.token is not None, "signedIn": signed_in, "readOnly": rules.read_only}


def _rules(call: Call) -> Rules:
    rules = call.request.app.state.rules
    assert isinstance(rules, Rules)
    return rules


def _is_https(call: Call) -> bool:
    """Tells whether the browser speaks HTTPS, with a proxy in between: its Origin says so."""
    return urlsplit(call.request.headers.get("origin", "")).scheme == "https"


_SESSION = {
    "type": "object",
    "properties": {name: {"type": "boolean"} for name in ("required", "signedIn", "readOnly")},
    "required": ["required", "signedIn", "readOnly"],
}
_TOKEN = {
    "type": "object",
    "properties": {"token": {"type": "string"}},
    "required": ["token"],
    "additionalProperties": False,
}


def _endpoint(method: str, handler: Any, about: str, **more: Any) -> Endpoint:
    return Endpoint(
        method=method,
        path="/api/v1/session",
        handler=handler,
        name=handler.__name__,
        about=about,
        group="session",
        answers=_SESSION,
        is_open=True,
        **more,
    )


ENDPOINTS = (
    _endpoint("GET", get_session, "Whether a token is required, and whether the client has shown it."),
    _endpoint("POST", create_session, "Turns the token into a cookie.", takes=_TOKEN, errors=(400, 401)),
    _endpoint("DELETE", end_session, "Takes the cookie back."),
)
