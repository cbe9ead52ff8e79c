"""The application: the gate that every request passes, the endpoints of the table, and the page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache

import structlog
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from signoff.errors import Bug, SignoffError
from signoff.rpc.concurrency import ConcurrencyLimit
from signoff.web.api.contents import UPLOADS_AT_ONCE
from signoff.web.api.events import OpenStreams
from signoff.web.api.plans import BrokenPlan
from signoff.web.api.table import ENDPOINTS
from signoff.web.openapi.document import document
from signoff.web.page.bundle import Bundle
from signoff.web.safety.headers import ALWAYS, UNLESS_SET
from signoff.web.safety.refusals import MethodNotAllowed, NotFound
from signoff.web.safety.rules import Rules
from signoff.web.upstream import Upstream
from signoff.web.wire.calls import Call, Endpoint
from signoff.web.wire.messages import encode
from signoff.web.wire.problems import problem_response
from signoff.web.wire.streamed import Streamed

log = structlog.get_logger(__name__)

API = "/api"


def application(upstream: Upstream, rules: Rules, closing: asyncio.Event, bundle: Bundle | None = None) -> ASGIApp:
    """Returns the door as an ASGI application. `closing` ends its event streams."""
    page = bundle or Bundle(prefix=rules.prefix)
    routes: list[BaseRoute] = [
        Route(one.route, _route(one, upstream, rules), methods=[one.method]) for one in ENDPOINTS
    ]
    routes.append(Route(f"{API}/openapi.json", _document_route(rules), methods=["GET"]))
    routes.append(Route("/{path:path}", _page_route(page), methods=["GET"]))
    app = Starlette(routes=routes, exception_handlers={HTTPException: _refused, Exception: _failed})
    app.state.rules, app.state.closing, app.state.streams = rules, closing, OpenStreams()
    app.state.uploads = ConcurrencyLimit(UPLOADS_AT_ONCE, "uploads of inputs")
    return Gate(app, rules)


def _route(endpoint: Endpoint, upstream: Upstream, rules: Rules) -> Callable[[Request], Awaitable[Response]]:
    async def route(request: Request) -> Response:
        try:
            if not endpoint.is_open:
                rules.check_signed_in(request.headers)
            rules.check_writable(endpoint.changes)
            response = await endpoint.handler(Call(request, endpoint, upstream))
        except BrokenPlan as error:
            return problem_response(error, diagnostics=error.diagnostics)
        except SignoffError as error:
            return problem_response(error)
        return await _without_body(response) if request.method == "HEAD" else response

    return route


async def _without_body(response: Response) -> Response:
    """Returns the head alone of an answer that would be streamed."""
    if not isinstance(response, Streamed):
        return response
    await response.close()
    head = Response(status_code=response.status_code)
    head.raw_headers = response.raw_headers
    return head


def _document_route(rules: Rules) -> Callable[[Request], Awaitable[Response]]:
    @cache
    def body() -> bytes:
        return encode(document(ENDPOINTS, rules.prefix))

    async def route(request: Request) -> Response:
        try:
            rules.check_signed_in(request.headers)
        except SignoffError as error:
            return problem_response(error)
        return Response(body(), media_type="application/json")

    return route


def _page_route(page: Bundle) -> Callable[[Request], Awaitable[Response]]:
    async def route(request: Request) -> Response:
        path = str(request.path_params["path"])
        try:
            if f"/{path}/".startswith(f"{API}/"):
                raise NotFound(f"expected a path of the API, but there is nothing at {'/' + path[:100]!r}")
            return page.response(request, path)
        except SignoffError as error:
            return problem_response(error)

    return route


async def _refused(request: Request, error: Exception) -> Response:
    """Answers what the router refuses."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        told = f"expected another method for this path, but got {request.method[:20]}"
        return problem_response(MethodNotAllowed(told), error.headers)
    return problem_response(NotFound(f"expected a path of the API, but there is nothing at {request.url.path[:100]!r}"))


async def _failed(_request: Request, error: Exception) -> Response:
    """Answers with an error that came before the answer had begun. It is raised again, and logged by the gate."""
    return problem_response(error if isinstance(error, SignoffError) else Bug())


class Gate:
    """Checks what all requests have in common, adds the headers of all answers, and logs what broke one off."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app, self._rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        refusal = self._refusal(scope)
        try:
            await (refusal or self._app)(scope, receive, _with_headers(send))
        except SignoffError as error:
            log.warning("broken_off", path=scope["path"], error=str(error))
        except Exception as error:
            log.error("bug", path=scope["path"], exc_info=error)

    def _refusal(self, scope: Scope) -> Response | None:
        """Returns the answer to a request that is refused whatever its path. Takes the prefix off the path."""
        headers = Headers(scope=scope)
        prefix = self._rules.prefix
        if prefix and scope["path"] == prefix:
            return RedirectResponse(f"{prefix}/")
        try:
            self._rules.check_host(headers)
            self._rules.check_unsafe(scope["method"], headers, scope["path"].removeprefix(prefix))
        except SignoffError as error:
            return problem_response(error)
        if prefix and scope["path"].startswith(f"{prefix}/"):
            scope["path"] = scope["path"].removeprefix(prefix)
            scope["raw_path"] = scope["path"].encode()
        return None


def _with_headers(send: Send) -> Send:
    """Returns the same way to send, with the headers of all answers."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message["headers"]))
            for name, value in ALWAYS.items():
                headers[name] = value
            for name, value in UNLESS_SET.items():
                headers.setdefault(name, value)
            message = {**message, "headers": headers.raw}
        await send(message)

    return sending
