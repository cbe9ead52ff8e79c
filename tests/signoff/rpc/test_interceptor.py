"""The border of every service over real gRPC: errors cross it whole, bugs silently, and requests are checked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from structlog.testing import capture_logs

from signoff.errors import InvalidField, PlanNotFound, SignoffError, StorageFailed
from signoff.rpc import interceptor
from signoff.rpc.channel import MAX_FRAME_BYTES, connect
from signoff.rpc.ends import answers_of
from signoff.rpc.interceptor import readable
from signoff.rpc.server import Server
from signoff.rpc.statuses import reason_of
from signoff.v1 import planner_pb2, planner_pb2_grpc, runner_pb2, runner_pb2_grpc, worker_pb2
from tests.support.servers.every_shape import (
    PATIENCE,
    SHAPES,
    Context,
    Services,
    Shape,
    ask,
    converse,
    failure_of,
    nothing,
    raising,
    services_that,
    serving,
)


def descendants(kind: type[SignoffError]) -> Iterator[type[SignoffError]]:
    for child in kind.__subclasses__():
        yield child
        yield from descendants(child)


ERRORS = [kind for kind in descendants(SignoffError) if kind.__module__ == "signoff.errors"]


def status_in(error: grpc.aio.AioRpcError) -> Status:
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    assert isinstance(status, Status), "expected a google.rpc.Status in the trailers"
    return status


def info_in(status: Status) -> ErrorInfo:
    info = ErrorInfo()
    assert status.details[0].Unpack(info), "expected an ErrorInfo first"
    return info


def example_of(kind: type[SignoffError]) -> SignoffError:
    return InvalidField("plan_id", "letters", "'../x'") if kind is InvalidField else kind("expected this, but got that")


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
async def test_an_error_crosses_the_wire_with_its_status_its_reason_and_its_text(kind: type[SignoffError]) -> None:
    error = example_of(kind)
    seen = await failure_of(raising(error))
    assert seen.code().name == kind.status
    assert seen.details() == str(error)
    info = info_in(status_in(seen))
    assert (info.domain, info.reason) == ("signoff", kind.reason())
    assert reason_of(seen) == kind.reason()


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
async def test_every_shape_of_rpc_carries_errors(shape: Shape) -> None:
    seen = await failure_of(raising(PlanNotFound("expected a plan, but got none")), shape)
    assert (seen.code(), reason_of(seen)) == (grpc.StatusCode.NOT_FOUND, "PLAN_NOT_FOUND")


async def test_a_bad_field_is_named_where_programs_look_for_it() -> None:
    seen = await failure_of(raising(InvalidField("settings.max_failures", "at least 1", "0")))
    status = status_in(seen)
    assert dict(info_in(status).metadata) == {"field": "settings.max_failures"}
    violations = BadRequest()
    assert status.details[1].Unpack(violations)
    (violation,) = violations.field_violations
    assert violation.field == "settings.max_failures"
    assert violation.description == "settings.max_failures: expected at least 1, but got 0"


async def test_an_error_that_blames_no_field_has_no_violations() -> None:
    status = status_in(await failure_of(raising(StorageFailed("the disk is full"))))
    assert len(status.details) == 1


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
async def test_a_bug_is_logged_with_its_story_and_answered_without_it(shape: Shape) -> None:
    with capture_logs() as logs:
        seen = await failure_of(raising(KeyError("the password of /etc/secret")), shape)
    assert (seen.code(), reason_of(seen)) == (grpc.StatusCode.INTERNAL, "BUG")
    assert "secret" not in f"{seen.details()}{status_in(seen)}"
    (entry,) = [entry for entry in logs if entry["event"] == "bug"]
    assert entry["method"].startswith("/signoff.v1.")
    assert isinstance(entry["exc_info"], KeyError)


async def test_an_expected_error_is_no_line_in_the_log() -> None:
    with capture_logs() as logs:
        await failure_of(raising(PlanNotFound("expected a plan, but got none")))
    assert logs == []


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
async def test_a_cancelled_handler_does_not_leave_its_client_hanging(shape: Shape) -> None:
    async with asyncio.timeout(PATIENCE / 2):  # well before the client's deadline
        seen = await failure_of(raising(asyncio.CancelledError()), shape)
    assert seen.code() is grpc.StatusCode.CANCELLED


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
async def test_a_handler_that_answers_is_left_alone(shape: Shape) -> None:
    async with serving(services_that(nothing)) as channel:
        await shape(channel)


class Prepared(Services):
    """Its answers are serialized already."""

    async def WatchExecution(  # type: ignore[override]
        self, request: runner_pb2.WatchExecutionRequest, context: Context
    ) -> AsyncIterator[bytes]:
        yield WATCHED.SerializeToString()


WATCHED = runner_pb2.WatchExecutionResponse(snapshot=runner_pb2.SnapshotPart(last=True))


async def test_an_answer_that_is_serialized_already_is_sent_as_it_is() -> None:
    async with serving(Prepared(nothing)) as channel:  # type: ignore[abstract]
        stub = runner_pb2_grpc.RunnerServiceStub(channel)
        call = stub.WatchExecution(runner_pb2.WatchExecutionRequest(), timeout=PATIENCE)
        assert [answer async for answer in call] == [WATCHED]


async def test_a_client_that_goes_away_ends_its_handler() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with serving(services_that(wait)) as channel:
        call = asyncio.ensure_future(ask(channel))
        await asyncio.wait_for(began.wait(), PATIENCE)
        call.cancel()
        await asyncio.wait_for(ended.wait(), PATIENCE)


async def test_a_frame_beyond_the_limit_never_reaches_the_handler() -> None:
    async with serving(services_that()) as channel:
        stub = planner_pb2_grpc.PlannerServiceStub(channel)
        request = planner_pb2.CheckPlanRequest(plan_json=bytes(MAX_FRAME_BYTES))
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            async for _ in stub.CheckPlan(iter([request]), timeout=PATIENCE):
                pass
    assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_the_reason_of_a_failure_without_details_is_its_status() -> None:
    server = Server()
    async with connect(await server.start("127.0.0.1:0")) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await ask(channel)
    await server.stop(0)
    assert reason_of(raised.value) == "UNIMPLEMENTED"


# ---------------------------------------------------------------- requests


async def failure_of_bytes(method: str, *bodies: bytes) -> grpc.aio.AioRpcError:
    """Returns the error that a client gets for these bytes as the messages of a stream."""
    async with serving(Reading(nothing)) as channel:  # type: ignore[abstract]
        ask: Any = channel.stream_stream(method)
        call = ask(iter(bodies), timeout=PATIENCE)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            async for _ in call:
                pass
    return raised.value


class Reading(Services):
    """Reads its stream by itself, as the runner does."""

    async def Connect(self, request_iterator: AsyncIterator[worker_pb2.ConnectRequest], context: Context) -> None:  # type: ignore[override]
        while readable(await context.read()) is not grpc.aio.EOF:
            pass


METHODS = {
    "/signoff.v1.RunnerService/GetExecution": "signoff.v1.GetExecutionRequest",
    "/signoff.v1.RunnerService/WatchExecution": "signoff.v1.WatchExecutionRequest",
    "/signoff.v1.PlannerService/CheckPlan": "signoff.v1.CheckPlanRequest",
    "/signoff.v1.WorkerService/Connect": "signoff.v1.ConnectRequest",
}


@pytest.mark.guard(name="bytes that are no message")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("body", [b"\xff\xff\xff", b"\x0a\xff\xff\xff\xff\x0f", b"GET / HTTP/1.1\r\n"])
async def test_bytes_that_are_no_message_are_refused_in_one_line(method: str, body: bytes) -> None:
    with capture_logs() as logs:
        seen = await failure_of_bytes(method, body)
    assert (seen.code(), reason_of(seen)) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    assert dict(info_in(status_in(seen)).metadata) == {"field": METHODS[method]}
    assert [(entry["event"], entry["log_level"], "exc_info" in entry) for entry in logs] == [
        ("unreadable", "warning", False)
    ]


async def test_bytes_that_are_no_message_are_refused_after_messages_that_are() -> None:
    good = planner_pb2.CheckPlanRequest(plan_json=b"{}").SerializeToString()
    seen = await failure_of_bytes("/signoff.v1.PlannerService/CheckPlan", good, good, b"\xff")
    assert reason_of(seen) == "INVALID_FIELD"


@pytest.mark.guard(name="requests are within their bounds")
async def test_a_request_out_of_its_bounds_never_reaches_the_handler() -> None:
    reached: list[str] = []

    async def note() -> None:
        reached.append("handler")

    async with serving(services_that(note)) as channel:
        stub = runner_pb2_grpc.RunnerServiceStub(channel)
        for request in (
            runner_pb2.GetExecutionRequest(ref=runner_pb2.ExecutionRef(plan_id="../../etc")),
            runner_pb2.GetExecutionRequest(task_ids=["1"] * 100_001),
            runner_pb2.GetExecutionRequest(page_token="\0"),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await stub.GetExecution(request, timeout=PATIENCE)
            assert reason_of(raised.value) == "INVALID_FIELD"
        watch = stub.WatchExecution(runner_pb2.WatchExecutionRequest(task_ids=["a/b"]), timeout=PATIENCE)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await watch.read()
    assert dict(info_in(status_in(raised.value)).metadata) == {"field": "task_ids[0]"}
    assert reached == []


async def test_each_message_of_a_streamed_request_is_within_its_bounds() -> None:
    async with serving(services_that()) as channel:
        stub = planner_pb2_grpc.PlannerServiceStub(channel)
        requests = [planner_pb2.CompilePlanRequest(plan_id="fine"), planner_pb2.CompilePlanRequest(plan_id="a/b")]
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            async for _ in answers_of(stub.CompilePlan(iter(requests), timeout=PATIENCE)):
                pass
    assert dict(info_in(status_in(raised.value)).metadata) == {"field": "plan_id"}


async def test_a_client_that_is_still_writing_sees_why_it_is_refused() -> None:
    bad = planner_pb2.CheckPlanRequest(plan_json=b"x").SerializeToString() + b"\xff"
    more = planner_pb2.CheckPlanRequest(plan_json=bytes(200_000)).SerializeToString()
    for _ in range(5):
        seen = await failure_of_bytes("/signoff.v1.PlannerService/CheckPlan", bad, *[more] * 50)
        assert reason_of(seen) == "INVALID_FIELD"


# ---------------------------------------------------------------- clients that do not read


async def to_the_end(call: Any) -> None:
    while await call.read() is not grpc.aio.EOF:
        pass


class Unread(Services):
    """Streams megabytes, or says one word and then nothing for as long as a test takes."""

    sent = 0
    ended = 0

    async def WatchExecution(
        self, request: runner_pb2.WatchExecutionRequest, context: Context
    ) -> AsyncIterator[runner_pb2.WatchExecutionResponse]:
        thinking = runner_pb2.Thinking(text="x" * 100_000)
        large = runner_pb2.WatchExecutionResponse(thinking=runner_pb2.ThinkingBatch(thinking=[thinking]))
        try:
            if request.follow:
                yield runner_pb2.WatchExecutionResponse()
                await self.behave()
            else:
                while True:
                    self.sent += 1
                    yield large
        finally:
            self.ended += 1


@pytest.mark.guard(name="a stream is read in time")
async def test_a_stream_that_is_not_read_ends_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interceptor, "TAKEN_WITHIN", 0.2)
    services = Unread(nothing)  # type: ignore[abstract]
    async with serving(services) as channel:
        call = runner_pb2_grpc.RunnerServiceStub(channel).WatchExecution(runner_pb2.WatchExecutionRequest())
        await call.read()
        async with asyncio.timeout(20):
            while not services.ended:  # noqa: ASYNC110 - nothing says so
                await asyncio.sleep(0.01)
        before = services.sent
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await to_the_end(call)
        assert reason_of(refused.value) == "READER_TOO_SLOW"
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert services.sent == before


class Gone:
    """A client whose connection broke, as a handler sees it: gRPC raises an error of its own at the next write."""

    def __init__(self) -> None:
        self.ended_with: list[grpc.StatusCode] = []

    async def write(self, _: object) -> None:
        raise RuntimeError("Failed execute_batch")

    async def abort(self, code: grpc.StatusCode, _: str) -> None:
        self.ended_with.append(code)
        raise grpc.aio.AbortError


async def test_a_client_that_goes_away_while_it_is_written_to_is_no_bug() -> None:
    services, gone = Unread(nothing), Gone()  # type: ignore[abstract]
    handler = interceptor._guarded(services.WatchExecution, "WatchExecution")
    with capture_logs() as logs, pytest.raises(grpc.aio.AbortError):
        await handler(runner_pb2.WatchExecutionRequest(), gone)
    assert (gone.ended_with, services.ended, logs) == ([grpc.StatusCode.CANCELLED], 1, [])


class Slow(Gone):
    """A client that takes so many seconds for each message, on a clock that only its reading moves, up to a number."""

    def __init__(self, seconds: float, most: int, clock: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.now, self._seconds, self._most = 0.0, seconds, most
        self.taken = 0
        clock.setattr(asyncio.get_running_loop(), "time", lambda: self.now)

    async def write(self, _: object) -> None:
        if self.taken == self._most:
            raise RuntimeError("it has gone")
        self.taken += 1
        self.now += self._seconds
        await asyncio.sleep(0)  # then timers that are due go off
        await asyncio.sleep(0)

    async def abort_with_status(self, status: Any) -> None:
        self.ended_with.append(status.code)
        raise grpc.aio.AbortError


@pytest.mark.parametrize(
    ("seconds", "end"),
    [
        (5.0, grpc.StatusCode.CANCELLED),  # 100,000 bytes in 5 s are more than 16 KiB a second: it may go on
        pytest.param(
            10.0, grpc.StatusCode.RESOURCE_EXHAUSTED, marks=pytest.mark.guard(name="a stream is read at a rate")
        ),
    ],
)
async def test_a_stream_that_is_read_message_by_message_ends_when_that_is_too_slow(
    seconds: float, end: grpc.StatusCode
) -> None:
    with pytest.MonkeyPatch.context() as clock:
        services, slow = Unread(nothing), Slow(seconds, 100, clock)  # type: ignore[abstract]
        handler = interceptor._guarded(services.WatchExecution, "WatchExecution")
        with pytest.raises(grpc.aio.AbortError):
            await handler(runner_pb2.WatchExecutionRequest(), slow)
    assert (slow.ended_with, services.ended) == ([end], 1)
    assert slow.taken == (100 if end is grpc.StatusCode.CANCELLED else 18), "the look after 180 s finds it 60 s behind"


async def test_a_stream_that_has_nothing_to_say_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interceptor, "TAKEN_WITHIN", 0.05)

    async def pause() -> None:
        await asyncio.sleep(0.3)  # six times what a client has to take a message

    services = Unread(pause)  # type: ignore[abstract]
    async with serving(services) as channel:
        request = runner_pb2.WatchExecutionRequest(follow=True)
        call = runner_pb2_grpc.RunnerServiceStub(channel).WatchExecution(request)
        assert [answer async for answer in call] == [runner_pb2.WatchExecutionResponse()]


async def test_hundreds_of_calls_that_are_not_read_leave_other_clients_a_healthy_server() -> None:
    services = Unread(nothing)  # type: ignore[abstract]
    async with serving(services) as channel:
        stub = runner_pb2_grpc.RunnerServiceStub(channel)
        calls = [stub.WatchExecution(runner_pb2.WatchExecutionRequest()) for _ in range(300)]
        await asyncio.gather(*(call.read() for call in calls))
        async with asyncio.timeout(20):
            health: Any = health_pb2_grpc.HealthStub(channel)
            answer = await health.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
            await converse(channel)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        for call in calls:
            call.cancel()
