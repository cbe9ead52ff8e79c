"""gRPC in one place: how errors cross the wire, how a service lives and ends, how a client connects."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import grpc
import grpc.aio
import structlog
from google.protobuf import any_pb2
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status

from signoff import bounds
from signoff.errors import DOMAIN, Bug, InvalidField, ReaderTooSlow, SignoffError
from signoff.service.surroundings import host_of, is_loopback

log = structlog.get_logger(__name__)

MAX_FRAME_BYTES = 4 * 1024 * 1024  # the protocol's own limit; gRPC's default is the same number
CHUNK_BYTES = 256 * 1024  # of streamed files and artifacts
HEAR_OUT = 5.0  # seconds, of a client whose streamed request is refused
TAKEN_WITHIN = 60.0  # seconds for a client to take the next message of a streamed answer

# A worker's stream may be quiet between two pings of ten seconds; keepalive only finds links that died without a word.
# A server that sees more pings than it permits answers "too many pings", so it permits twice what a client sends.
_KEEPALIVE_MS = 20_000
_PING_TIMEOUT_MS = 10_000

SERVER_OPTIONS: Sequence[tuple[str, int]] = (
    # guard (2 lines): receive limit ->
    #     ("grpc.so_reuseport", 0),
    #     ("grpc.max_receive_message_length", -1),
    ("grpc.so_reuseport", 0),  # two servers would share a port without a word
    ("grpc.max_receive_message_length", MAX_FRAME_BYTES),
    ("grpc.max_send_message_length", MAX_FRAME_BYTES),
    ("grpc.max_concurrent_streams", 1_000),  # of one connection; a client's further calls wait for the others to end
    ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", _PING_TIMEOUT_MS),
    ("grpc.http2.ping_timeout_ms", _PING_TIMEOUT_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    # guard: keepalive is permitted -> ("grpc.http2.min_ping_interval_without_data_ms", _KEEPALIVE_MS * 100),
    ("grpc.http2.min_ping_interval_without_data_ms", _KEEPALIVE_MS // 2),
    ("grpc.http2.max_pings_without_data", 0),
)

CHANNEL_OPTIONS: Sequence[tuple[str, int]] = (
    ("grpc.max_receive_message_length", MAX_FRAME_BYTES),
    ("grpc.max_send_message_length", MAX_FRAME_BYTES),
    ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", _PING_TIMEOUT_MS),
    ("grpc.http2.ping_timeout_ms", _PING_TIMEOUT_MS),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # A worker that reconnects must not be handed the dead connection of a channel it has closed.
    # guard: a connection of its own -> ("grpc.use_local_subchannel_pool", 0),
    ("grpc.use_local_subchannel_pool", 1),
)


def connect(address: str) -> grpc.aio.Channel:
    """A channel to `host:port` (or `unix:path`) with the settings every signoff client uses.

    No proxy that the environment names lies between this machine and itself.
    """
    # guard: no proxy to this machine -> direct = [("grpc.enable_http_proxy", 0)] if False else []
    direct = [("grpc.enable_http_proxy", 0)] if is_loopback(host_of(address)) else []
    return grpc.aio.insecure_channel(address, options=[*CHANNEL_OPTIONS, *direct])


# ---------------------------------------------------------------- errors


def status_of(error: SignoffError) -> status_pb2.Status:
    """The google.rpc.Status of an error: its code, its text, an ErrorInfo, and the field when it blames one."""
    details = [
        _pack(error_details_pb2.ErrorInfo(reason=error.reason(), domain=DOMAIN, metadata=dict(error.metadata())))
    ]
    if isinstance(error, InvalidField):
        violation = error_details_pb2.BadRequest.FieldViolation(field=error.field, description=str(error))
        details.append(_pack(error_details_pb2.BadRequest(field_violations=[violation])))
    return status_pb2.Status(code=grpc.StatusCode[error.status].value[0], message=str(error), details=details)


def _pack(message: Any) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def reason_of(error: grpc.RpcError) -> str:
    """The stable reason an rpc failed with, or the gRPC status' name when the other side gave none."""
    status = rpc_status.from_call(cast(grpc.Call, error))
    for detail in status.details if status else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info) and info.domain == DOMAIN:
            return str(info.reason)
    code = getattr(error, "code", None)
    return str(code().name) if code else "UNKNOWN"


Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class ErrorInterceptor(grpc.aio.ServerInterceptor):
    """Turns what a handler raises into a status with details. Outermost, so that nothing escapes it.

    While `refusal` returns an error, every call but gRPC's own (health, reflection) is answered with it.

    A request is within its bounds (signoff.bounds) when a handler sees it. A handler that reads from its context looks
    at what it reads by itself, with `readable`.

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
    """Sends what is serialized already as it is: an answer to many is serialized once."""
    return serialize and (lambda answer: answer if isinstance(answer, bytes) else serialize(answer))


# ---------------------------------------------------------------- requests


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for bytes that are no message: gRPC would answer INTERNAL and log a traceback for them."""

    kind: str  #: the full name of the message that was expected
    size: int


def _reader(read: Callable[[bytes], Any] | None) -> Callable[[bytes], Any] | None:
    """Reads a message, or gives Unreadable in its place."""
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
    """What was read from a stream. Raises InvalidField for bytes that were no message."""
    if isinstance(message, Unreadable):
        log.warning("unreadable", message=message.kind, bytes=message.size)
        raise InvalidField(message.kind, "a message of this type", f"{message.size:,} bytes that are none")
    return message


def _taken(request: Any) -> Any:
    """A request, or a stream of them, within its bounds. Raises InvalidField."""
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
    """Reads what else a client says, and drops it: one that is still writing may not see why it was refused."""
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
    return ReaderTooSlow(f"expected the answer to be read, but for {TAKEN_WITHIN:g} s nothing of it was taken")


class _Patience:
    """Cancels a stream whose client takes nothing for too long.

    One timer serves all messages, which costs the least; so the end comes after one to two times TAKEN_WITHIN.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stream = asyncio.current_task()
        self._sent = self._looked = 0  # messages that were begun, and those when the timer last went off
        self._waits = False  # for the client
        self._timer = self._loop.call_later(TAKEN_WITHIN, self._look)
        self.is_over = False

    async def send(self, context: grpc.aio.ServicerContext[Any, Any], answer: Any) -> None:
        """Returns when the transport has room for more. A client that has gone away has cancelled its call."""
        self._sent += 1
        self._waits = True
        try:
            await context.write(answer)
        except Exception as error:  # gRPC's own error has no public name
            raise asyncio.CancelledError("the client went away while an answer was being sent") from error
        self._waits = False

    def _look(self) -> None:
        """The same message is being sent as the last time: that was TAKEN_WITHIN ago."""
        if self._waits and self._sent == self._looked and self._stream is not None:
            self.is_over = True
            # guard: a stream is read in time -> pass
            self._stream.cancel()
            return
        self._looked = self._sent
        self._timer = self._loop.call_later(TAKEN_WITHIN, self._look)

    def end(self) -> None:
        self._timer.cancel()


async def _answer(error: BaseException, context: grpc.aio.ServicerContext[Any, Any], method: str) -> None:
    """Ends the call with the status of `error`; always raises."""
    if isinstance(error, grpc.aio.AbortError | GeneratorExit):
        raise error
    if isinstance(error, SignoffError):
        await _end(context, status_of(error), method)
    if isinstance(error, asyncio.CancelledError):
        await context.abort(grpc.StatusCode.CANCELLED, "the call was cancelled")
    if not isinstance(error, Exception):
        raise error
    log.error("bug", method=method, exc_info=error)
    await _end(context, status_of(Bug()), method)


async def _end(context: grpc.aio.ServicerContext[Any, Any], status: status_pb2.Status, method: str) -> None:
    """Always raises. A peer that reads nothing cannot be told while something is still being written to it."""
    try:
        await context.abort_with_status(rpc_status.to_status(status))
    except grpc.aio.AbortError:
        raise
    except Exception as error:  # noqa: BLE001 - gRPC's own error has no public name
        log.warning("status_not_sent", method=method, status=status.message, error=str(error))
        await context.read()  # of a call that was to be aborted: raises what ends the handler in order


# ---------------------------------------------------------------- the life of a service


class Server:
    """A gRPC server with health, reflection, typed errors and an orderly end.

    `add` the services, then `start`. `stop` first turns health to NOT_SERVING, so that nobody new comes, then gives
    running calls `grace` seconds. One that is started with a `refusal` answers every call with it, and its health is
    NOT_SERVING, until it is opened.
    """

    def __init__(self, options: Sequence[tuple[str, int]] = SERVER_OPTIONS) -> None:
        self._refusal: SignoffError | None = None
        interceptor = ErrorInterceptor(lambda: self._refusal)
        self._server = grpc.aio.server(interceptors=[interceptor], options=list(options))
        self._health = health.aio.HealthServicer()
        self._names = [reflection.SERVICE_NAME, health.SERVICE_NAME]
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self.address = ""

    def add(self, register: Callable[[Any, Any], None], servicer: object, name: str) -> None:
        """Adds a service: its generated `add_…_to_server`, its implementation, its full name."""
        register(servicer, self._server)
        self._names.append(name)

    async def start(self, address: str, *, refusal: SignoffError | None = None) -> str:
        """Binds `host:port` (port 0: any free one) or `unix:path` and serves. Returns the address clients use.

        Raises OSError when the address cannot be bound.
        """
        host, _, number = address.rpartition(":")
        if not address.startswith("unix:") and not (number.isascii() and number.isdigit() and int(number) < 65536):
            raise OSError(f"cannot listen on {address}: expected host:port with a port from 0 to 65535, or unix:path")
        reflection.enable_server_reflection(self._names, self._server)
        try:
            port = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address}: is another process using it? ({error})") from error
        self.refuse(refusal)
        await self._server.start()
        self.address = address if address.startswith("unix:") else f"{host}:{port}"
        await self.set_serving(refusal is None)
        return self.address

    def refuse(self, refusal: SignoffError | None) -> None:
        """Answers calls that come from now on with an error, or with what they ask for."""
        self._refusal = refusal

    async def open(self) -> None:
        """Serves from now on."""
        self.refuse(None)
        await self.set_serving(True)

    async def set_serving(self, serving: bool) -> None:
        status = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in ["", *self._names]:
            await self._health.set(name, status)

    async def stop(self, grace: float) -> None:
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace)
