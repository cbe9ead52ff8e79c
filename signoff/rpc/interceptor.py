"""The interceptor around every handler: it checks requests, limits slow readers, and turns errors into statuses."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import grpc
import grpc.aio
import structlog
from google.protobuf.message import DecodeError, Message
from google.rpc import status_pb2
from grpc_status import rpc_status

from signoff import bounds
from signoff.errors import Bug, InvalidField, ReaderTooSlow, SignoffError, StorageFailed
from signoff.rpc.statuses import status_of
from signoff.rpc.timely import LEAST_BYTES_A_SECOND

log = structlog.get_logger(__name__)

HEAR_OUT = 5.0  # seconds, of a client whose streamed request is refused
TAKEN_WITHIN = 60.0  # seconds that a client may fall behind in reading a streamed answer

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class ErrorInterceptor(grpc.aio.ServerInterceptor):
    """Turns errors of handlers into statuses with details. It is outermost, so that no error escapes it.

    While `refusal` returns an error, every call but gRPC's own (health, reflection) is answered with it.

    A handler gets only requests that are within their bounds (signoff.bounds). A handler that reads from its context
    checks what it reads with `readable`.

    A cancelled handler is aborted as CANCELLED: an escaping CancelledError would leave the client hanging until its
    deadline.
    """

    def __init__(self, refusal: Callable[[], SignoffError | None]) -> None:
        self._refusal = refusal

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        method = handler_call_details.method
        refusal = None if method.startswith("/grpc.") else self._refusal()
        for kind in ("unary_unary", "unary_stream", "stream_unary", "stream_stream"):
            inner = getattr(handler, kind)
            if inner is not None:
                make = getattr(grpc, f"{kind}_rpc_method_handler")
                read, serialize = _reader(handler.request_deserializer), _unless_bytes(handler.response_serializer)
                guarded = make(_refusing(refusal, method) if refusal else _guarded(inner, method), read, serialize)
                return cast("Handler", guarded)
        return handler


def _refusing(refusal: SignoffError, method: str) -> Callable[..., Any]:
    async def refuse(_request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        await _end(context, status_of(refusal), method)

    return refuse


def _unless_bytes(serialize: Callable[[Any], bytes] | None) -> Callable[[Any], bytes] | None:
    """Lets a handler answer with bytes: an answer to many clients is serialized once."""
    return serialize and (lambda answer: answer if isinstance(answer, bytes) else serialize(answer))


# ---------------------------------------------------------------- requests


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Bytes that are no message; for an error in the deserializer, gRPC would answer INTERNAL and log a traceback."""

    kind: str  #: the full name of the message that was expected
    size: int


def _reader(read: Callable[[bytes], Any] | None) -> Callable[[bytes], Any] | None:
    """Returns a deserializer that returns Unreadable instead of raising."""
    kind = getattr(read, "__self__", None)
    if read is None or not (isinstance(kind, type) and issubclass(kind, Message)):
        return read
    name = kind.DESCRIPTOR.full_name

    def read_or_not(data: bytes) -> Any:
        try:
            return read(data)
        # guard: bytes that are no message -> except ZeroDivisionError:
        except DecodeError:
            return Unreadable(name, len(data))

    return read_or_not


def readable(message: Any) -> Any:
    """Returns a message that was read from a stream. Raises InvalidField for bytes that were no message."""
    if isinstance(message, Unreadable):
        log.warning("unreadable", message=message.kind, bytes=message.size)
        raise InvalidField(message.kind, "a message of this type", f"{message.size:,} bytes that are none")
    return message


def _taken(request: Any) -> Any:
    """Returns a request, or a stream of them, checked against their bounds. Raises InvalidField."""
    if not isinstance(request, Message | Unreadable):
        return _each_taken(request)
    # guard: requests are within their bounds -> readable(request)
    bounds.check(readable(request))
    return request


async def _each_taken(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        try:
            taken = _taken(request)
        except InvalidField:
            await _hear_out(requests)
            raise
        yield taken


async def _hear_out(requests: AsyncIterator[Any]) -> None:
    """Reads and drops the rest of a stream: a client that is still writing might not see why it was refused."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(HEAR_OUT):
            async for _ in requests:
                pass


def _guarded(inner: Callable[..., Any], method: str) -> Callable[..., Any]:
    if inspect.isasyncgenfunction(inner):

        @functools.wraps(inner)
        async def stream(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
            patience = _Patience()
            try:
                async with contextlib.aclosing(inner(_taken(request), context)) as answers:
                    async for answer in answers:
                        await patience.send(context, answer)
            except BaseException as error:  # noqa: BLE001 - the border of the process: _answer sorts them all
                await _answer(_too_slow() if patience.is_over else error, context, method)
            finally:
                patience.end()

        return stream

    @functools.wraps(inner)
    async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        try:
            return await inner(_taken(request), context)
        except BaseException as error:  # noqa: BLE001 - as above
            await _answer(error, context, method)

    return call


def _too_slow() -> ReaderTooSlow:
    rate = f"{LEAST_BYTES_A_SECOND:,} bytes a second"
    return ReaderTooSlow(f"expected the answer to be read at {rate}, but the client fell {TAKEN_WITHIN:g} s behind")


class _Patience:
    """Cancels a stream whose client reads too slowly: it may hold a place that others wait for.

    A client falls behind while an answer waits for it. It catches up with the bytes that it takes, at the least rate of
    uploads, and with the time in which nothing waits for it. One timer serves all messages, which costs the least; so
    the end comes after one to two times TAKEN_WITHIN.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stream = asyncio.current_task()
        self._behind = 0.0  # seconds
        self._counted_at = self._loop.time()
        self._waits = False  # for the client
        self._timer = self._loop.call_later(TAKEN_WITHIN, self._look)
        self.is_over = False

    async def send(self, context: grpc.aio.ServicerContext[Any, Any], answer: Any) -> None:
        """Sends an answer, and returns when there is room for more. Raises CancelledError when the client has gone."""
        body = answer if isinstance(answer, bytes) else answer.SerializeToString()
        self._count()
        self._waits = True
        try:
            await context.write(body)
        except Exception as error:  # gRPC's own error has no public name
            raise asyncio.CancelledError("the client went away while an answer was being sent") from error
        self._count()
        self._waits = False
        # guard: a stream is read at a rate -> self._behind = 0.0
        self._behind = max(0.0, self._behind - len(body) / LEAST_BYTES_A_SECOND)

    def _count(self) -> None:
        """Counts the time since the last call."""
        now = self._loop.time()
        passed, self._counted_at = now - self._counted_at, now
        self._behind = max(0.0, self._behind + (passed if self._waits else -passed))

    def _look(self) -> None:
        """Cancels the stream when its client is too far behind."""
        self._count()
        if self._waits and self._behind >= TAKEN_WITHIN and self._stream is not None:
            self.is_over = True
            # guard: a stream is read in time -> pass
            self._stream.cancel()
            return
        self._timer = self._loop.call_later(TAKEN_WITHIN, self._look)

    def end(self) -> None:
        self._timer.cancel()


async def _answer(error: BaseException, context: grpc.aio.ServicerContext[Any, Any], method: str) -> None:
    """Ends the call with the status of `error`; always raises."""
    if isinstance(error, grpc.aio.AbortError | GeneratorExit):
        raise error
    if isinstance(error, StorageFailed):
        log.warning("storage_failed", method=method, error=str(error))
    if isinstance(error, SignoffError):
        await _end(context, status_of(error), method)
    if isinstance(error, asyncio.CancelledError):
        await context.abort(grpc.StatusCode.CANCELLED, "the call was cancelled")
    if not isinstance(error, Exception):
        raise error
    log.error("bug", method=method, exc_info=error)
    await _end(context, status_of(Bug()), method)


async def _end(context: grpc.aio.ServicerContext[Any, Any], status: status_pb2.Status, method: str) -> None:
    """Ends a call with a status; always raises. A peer that reads nothing gets no status while a write is under way."""
    try:
        await context.abort_with_status(rpc_status.to_status(status))
    except grpc.aio.AbortError:
        raise
    except Exception as error:  # noqa: BLE001 - gRPC's own error has no public name
        log.warning("status_not_sent", method=method, status=status.message, error=str(error))
        await context.read()  # of a call that was to be aborted: raises what ends the handler in order
