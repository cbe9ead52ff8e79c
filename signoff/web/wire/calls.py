"""One request as endpoints see it, and the description of an endpoint: one table serves routing and OpenAPI."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from google.protobuf.message import Message
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from signoff.errors import InvalidField
from signoff.web.safety.refusals import BodyStalled, BodyTooLarge
from signoff.web.upstream import Upstream
from signoff.web.wire.messages import encode, read_message, read_object, record
from signoff.web.wire.parameters import Parameter, Query, whole_number

Kind = TypeVar("Kind", bound=Message)

MOST_BODY = 1024 * 1024  # of a command: bytes
NEXT_BYTES_WITHIN = 30.0  # seconds; a client that sends nothing for so long is cut off
BODY_WITHIN = 60.0  # seconds for the body of a command; the planner has bounds of its own for plans
MOST_KEY = 128  # characters of Idempotency-Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A method and a path, what it takes and answers, and the function behind it."""

    method: str
    path: str
    handler: Callable[[Call], Awaitable[Response]]
    name: str  #: the operation's id
    about: str
    group: str
    query: Sequence[Parameter] = ()
    takes: type[Message] | Mapping[str, Any] | str | None = None  #: the body: a message, a JSON Schema, a media type
    most_body: int = MOST_BODY  #: bytes
    fields: Sequence[str] = ()  #: of the message that the body may have
    required: Sequence[str] = ()  #: of those, the ones it must have
    answers: type[Message] | Mapping[str, Any] | str | None = None  #: a message, a JSON Schema or a media type
    status: int = 200  #: when all is well
    errors: Sequence[int] = ()
    changes: bool = False  #: something of the services: refused by a door that is read-only
    is_open: bool = False  #: needs no token

    @property
    def route(self) -> str:
        """The path for the router: the one of a file may have slashes in it."""
        return self.path.replace("{path}", "{path:path}")


@dataclass(slots=True)
class Call:
    """A request to one endpoint."""

    request: Request
    endpoint: Endpoint
    upstream: Upstream
    query: Query = field(init=False)

    def __post_init__(self) -> None:
        self.query = Query(self.request.query_params.multi_items(), self.endpoint.query)

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    def path_number(self, name: str) -> int:
        """Returns a part of the path that is a number from 1. Raises InvalidField."""
        number = whole_number(name, self.path(name))
        if number == 0:
            raise InvalidField(name, "a number from 1", "0")
        return number

    @property
    def request_id(self) -> str:
        """Returns the client's Idempotency-Key, or a new id. Raises InvalidField."""
        given = self.request.headers.get("idempotency-key", "").strip()
        if len(given) > MOST_KEY or not (given.isascii() and given.isprintable()):
            expected = f"at most {MOST_KEY} printable ASCII characters"
            raise InvalidField("Idempotency-Key", expected, f"{len(given)} characters, or others")
        return given or uuid.uuid4().hex

    async def message(self, kind: type[Kind]) -> Kind:
        """Reads the body as a message with the endpoint's fields. Raises InvalidField."""
        value = read_object(await self.body(self.endpoint.most_body))
        for name in self.endpoint.required:
            if name not in value:
                raise InvalidField(name, "the field to be there", "none")
        return read_message(value, kind, self.endpoint.fields)

    async def body(self, most: int = MOST_BODY) -> bytes:
        """Returns the whole body. Raises BodyTooLarge or BodyStalled."""
        try:
            async with asyncio.timeout(BODY_WITHIN):
                return b"".join([chunk async for chunk in self.chunks(most)])
        except TimeoutError:
            raise BodyStalled(f"expected the whole body within {BODY_WITHIN:g} s") from None

    async def chunks(self, most: int) -> AsyncIterator[bytes]:
        """Yields the body as it comes. Raises BodyTooLarge or BodyStalled."""
        size, body = 0, self.request.stream()
        while True:
            try:
                async with asyncio.timeout(NEXT_BYTES_WITHIN):
                    chunk = await anext(body, None)
            except TimeoutError:
                raise BodyStalled(
                    f"expected the rest of the body, but nothing came for {NEXT_BYTES_WITHIN:g} s"
                ) from None
            except ClientDisconnect:
                raise BodyStalled("expected the rest of the body, but the client has gone") from None
            if chunk is None:
                return
            size += len(chunk)
            # guard: bodies are bounded -> if False:
            if size > most:
                raise BodyTooLarge(f"expected a body of at most {most:,} bytes, but more came")
            if chunk:
                yield chunk


def answer(value: Message | Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Returns a JSON answer."""
    content = record(value) if isinstance(value, Message) else value
    return Response(encode(content), status, dict(headers or {}), "application/json")
