"""Streams that end: the worker comes back with its leases, unless it was refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import grpc
import pytest
from structlog.testing import capture_logs

from signoff.errors import ShuttingDown
from tests.support.servers.proxy import Proxy
from tests.support.servers.scripted_runner import (
    WITHIN,
    ScriptedRunner,
    Stream,
    ack,
    assign,
    attention,
    keep,
    nobody_listens,
    ping,
    stop,
    welcome,
)
from tests.support.work.scripted_handler import working
from worker_svc.link.held_leases import HeldLeases
from worker_svc.link.session import SessionTimings, StreamSession
from worker_svc.link.stream import GROWTH

NEVER = 1e6  # seconds


@pytest.fixture
async def runner() -> AsyncIterator[ScriptedRunner]:
    async with ScriptedRunner() as listening:
        yield listening


class Jitter:
    """A jitter that returns at once, and remembers the longest pauses; after `last` of them it waits for ever."""

    def __init__(self, last: int = 1000) -> None:
        self.ceilings: list[float] = []
        self.enough = asyncio.Event()
        self._last = last

    def __call__(self, least: float, most: float) -> float:
        assert least in (0, most / 2)
        self.ceilings.append(most)
        if len(self.ceilings) < self._last:
            return 0.0
        self.enough.set()
        return NEVER

    async def until_enough(self) -> None:
        await asyncio.wait_for(self.enough.wait(), WITHIN)


def ends_in_order(stream: Stream) -> None:
    stream.end()


def aborts(code: grpc.StatusCode) -> Callable[[Stream], None]:
    return lambda stream: stream.abort(code)


def shuts_down(stream: Stream) -> None:
    stream.refuse(ShuttingDown("the runner is about to end"))


def breaks(stream: Stream) -> None:
    stream.refuse(RuntimeError("a bug"))  # type: ignore[arg-type]  # anything that is no SignoffError is one


BROKEN = [
    pytest.param(end, marks=pytest.mark.guard(name="only a refusal ends a worker"), id=name)
    for name, end in {
        "cancelled": aborts(grpc.StatusCode.CANCELLED),
        "unavailable": aborts(grpc.StatusCode.UNAVAILABLE),
        "internal": aborts(grpc.StatusCode.INTERNAL),
        "exhausted": aborts(grpc.StatusCode.RESOURCE_EXHAUSTED),
        "shutting down": shuts_down,
        "a bug": breaks,
    }.items()
]
IN_ORDER = pytest.param(ends_in_order, marks=pytest.mark.guard(name="a clean end is no goodbye"), id="in order")
AT_ONCE = pytest.param(
    ends_in_order, marks=pytest.mark.guard(name="an end before welcome is no refusal"), id="in order"
)


@pytest.mark.parametrize("end", [IN_ORDER, *BROKEN])
async def test_however_a_stream_ends_the_worker_comes_back_with_what_it_holds(
    runner: ScriptedRunner, end: Callable[[Stream], None]
) -> None:
    async with working(runner.address) as worker:
        stream = await runner.welcomed(assign("L1"), assign("L2"))
        await stream.expect("accepted")
        call = await worker.handler.call()
        end(stream)
        assert sorted((await runner.stream()).hello.held_lease_ids) == ["L1", "L2"]
        assert not call.cancelled.is_set()


@pytest.mark.parametrize("end", [AT_ONCE, *BROKEN])
async def test_a_stream_that_ends_before_welcome_is_tried_again(
    runner: ScriptedRunner, end: Callable[[Stream], None]
) -> None:
    async with working(runner.address):
        end(await runner.stream())
        await runner.welcomed()


@pytest.mark.guard(name="only a refusal ends a worker")
async def test_a_connection_that_is_reset_is_a_lost_stream(runner: ScriptedRunner) -> None:
    async with Proxy(runner.address) as proxy, working(proxy.address) as worker:
        await runner.welcomed(assign())
        call = await worker.handler.call()
        proxy.reset()
        assert (await runner.stream()).hello.held_lease_ids == ["L1"]
        assert not call.cancelled.is_set()


async def test_a_runner_that_does_not_begin_with_welcome_is_tried_again(runner: ScriptedRunner) -> None:
    with capture_logs() as logs:
        async with working(runner.address):
            await (await runner.stream()).send(ping(1))
            await (await runner.stream()).send()
            await runner.welcomed()
    assert [entry["details"] for entry in logs if entry["event"] == "stream_lost"] == [
        "expected the runner to begin with welcome, but got ping",
        "expected the runner to begin with welcome, but got an empty frame",
    ]


@pytest.mark.guard(name="welcome is awaited only so long")
async def test_a_runner_that_never_says_welcome_is_tried_again(runner: ScriptedRunner) -> None:
    async with working(runner.address, timings=SessionTimings(welcome=0.05, jitter=lambda _least, _most: 0.0)):
        await runner.stream()
        await runner.stream()


async def test_a_runner_that_is_started_again_is_found_again() -> None:
    async with AsyncExitStack() as life:
        async with ScriptedRunner() as first:
            timings = SessionTimings(first_backoff=0.02, most_backoff=0.02)
            worker = await life.enter_async_context(working(first.address, timings=timings))
            await first.welcomed(assign())
            await worker.handler.call()
        second = await life.enter_async_context(ScriptedRunner(first.address))
        assert (await second.stream()).hello.held_lease_ids == ["L1"]


@pytest.mark.guard(name="a message ends at most its stream")
async def test_a_message_that_the_worker_stumbles_over_ends_the_stream_and_not_the_worker(
    runner: ScriptedRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumbles(_leases: HeldLeases, _lease_id: str, _thinking_wanted: bool) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(HeldLeases, "attention", stumbles)
    with capture_logs() as logs:
        async with working(runner.address) as worker:
            stream = await runner.welcomed(assign("L1"))
            await stream.expect("accepted")
            call = await worker.handler.call()
            await stream.send(attention("L1", thinking_wanted=True))
            assert (await runner.stream()).hello.held_lease_ids == ["L1"]
            assert not call.cancelled.is_set()
    (entry,) = (entry for entry in logs if entry["event"] == "message_not_handled")
    assert (entry["kind"], type(entry["exc_info"])) == ("attention", ZeroDivisionError)


@pytest.mark.guard(name="a silent runner is lost")
async def test_three_silent_ping_intervals_end_the_stream(runner: ScriptedRunner) -> None:
    interval = 0.03
    with capture_logs() as logs:
        async with working(runner.address):
            stream = await runner.stream()
            began = asyncio.get_running_loop().time()
            await stream.send(welcome(ping_interval=timedelta(seconds=interval)))
            await runner.stream()
            assert asyncio.get_running_loop().time() - began >= 3 * interval
    (lost,) = (entry for entry in logs if entry["event"] == "stream_lost")
    assert lost["details"] == "nothing was heard from the runner for 0.09 s"


@pytest.mark.guard(name="pings say when the next one comes")
async def test_the_last_ping_says_how_long_a_stream_may_be_silent(runner: ScriptedRunner) -> None:
    with capture_logs() as logs:
        async with working(runner.address):
            stream = await runner.stream()
            await stream.send(welcome(), ping(1, timedelta(hours=1)))
            await stream.expect("credit")
            await stream.expect("pong")
            await stream.send(ping(2, timedelta(seconds=0.03)))
            await runner.stream()
    (lost,) = (entry for entry in logs if entry["event"] == "stream_lost")
    assert lost["details"] == "nothing was heard from the runner for 0.09 s"


async def test_a_stream_may_be_silent_for_longer_than_welcome_said(runner: ScriptedRunner) -> None:
    async with working(runner.address):
        stream = await runner.stream()
        began = asyncio.get_running_loop().time()
        await stream.send(welcome(ping_interval=timedelta(seconds=0.03)), ping(1, timedelta(seconds=0.2)))
        await runner.stream()
        assert asyncio.get_running_loop().time() - began >= 3 * 0.2


@pytest.mark.guard(name="results are said again")
async def test_a_result_that_was_not_acknowledged_is_sent_again_once_the_lease_is_kept(
    runner: ScriptedRunner,
) -> None:
    async with working(runner.address) as worker:
        stream = await runner.welcomed(assign())
        await stream.expect("accepted")
        (await worker.handler.call()).make()
        sent = await stream.expect("candidate")
        stream.abort(grpc.StatusCode.UNAVAILABLE)
        stream = await runner.welcomed(keep())
        assert await stream.expect("candidate") == sent
        await stream.send(ack())
        await stream.nothing_more()
        stream.end()
        assert not (await runner.stream()).hello.held_lease_ids


@pytest.mark.guard(name="results wait for keep")
async def test_a_result_made_while_the_stream_was_lost_waits_for_keep_and_is_sent_once(
    runner: ScriptedRunner,
) -> None:
    async with working(runner.address) as worker:
        stream = await runner.welcomed(assign())
        call = await worker.handler.call()
        stream.abort(grpc.StatusCode.UNAVAILABLE)
        stream = await runner.stream()
        call.make()
        await stream.send(welcome())
        await stream.expect("credit")
        await stream.nothing_more()
        await stream.send(keep())
        await stream.expect("candidate")
        await stream.nothing_more()


async def test_work_that_is_kept_goes_on_and_its_result_is_sent_once(runner: ScriptedRunner) -> None:
    async with working(runner.address) as worker:
        stream = await runner.welcomed(assign())
        call = await worker.handler.call()
        stream.end()
        stream = await runner.welcomed(keep())
        await stream.nothing_more()
        call.make()
        await stream.expect("candidate")
        await stream.nothing_more()


async def test_work_that_is_not_kept_is_cancelled(runner: ScriptedRunner) -> None:
    async with working(runner.address) as worker:
        stream = await runner.welcomed(assign("L1"), assign("L2"))
        first, second = await worker.handler.call(), await worker.handler.call()
        stream.end()
        stream = await runner.welcomed(keep("L1"), stop("L2"))
        await second.until_cancelled()
        assert not first.cancelled.is_set()
        stream.end()
        assert (await runner.stream()).hello.held_lease_ids == ["L1"]


async def test_answers_of_a_lost_stream_are_not_given_on_the_next_one(runner: ScriptedRunner) -> None:
    async with working(runner.address):
        stream = await runner.stream()
        await stream.send(welcome(), assign("L1"), ping(1))
        stream.end()
        stream = await runner.welcomed()
        await stream.nothing_more()


@pytest.mark.guard(name="jittered pauses")
async def test_the_pause_grows_with_each_failure_up_to_thirty_seconds() -> None:
    jitter = Jitter(last=20)
    with nobody_listens() as address:
        async with working(address, timings=SessionTimings(jitter=jitter)):
            await jitter.until_enough()
    assert jitter.ceilings == [min(30.0, GROWTH**failures) for failures in range(1, 21)]
    assert jitter.ceilings[-1] == 30.0


@pytest.mark.guard(name="success is the first frame")
async def test_the_pause_starts_anew_only_after_a_first_frame_of_the_runner(runner: ScriptedRunner) -> None:
    jitter = Jitter(last=5)
    async with working(runner.address, timings=SessionTimings(jitter=jitter)):
        for _ in range(3):
            (await runner.stream()).abort(grpc.StatusCode.UNAVAILABLE)
        (await runner.welcomed()).abort(grpc.StatusCode.UNAVAILABLE)
        (await runner.stream()).end()
        await jitter.until_enough()
    assert jitter.ceilings == [GROWTH, GROWTH**2, GROWTH**3, 1.0, GROWTH]


async def test_a_cancelled_worker_ends_even_when_the_stream_swallows_the_cancellation(
    runner: ScriptedRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    talking = asyncio.Event()

    async def deaf(_session: StreamSession) -> None:
        """Fails like grpc.aio when a stream ends in the same turn of the loop."""
        talking.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ConnectionError("the stream ended") from None

    monkeypatch.setattr(StreamSession, "open", deaf)
    async with working(runner.address) as worker:
        await talking.wait()
        worker.ending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await worker.ended()
