"""A runner that wants a new stream: the worker opens it while the old one lives, and nothing is lost in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import grpc
import pytest
from structlog.testing import capture_logs

from signoff.v1 import worker_pb2
from tests.support.servers.scripted_runner import (
    WITHIN,
    ScriptedRunner,
    ack,
    assign,
    cancel,
    keep,
    rotate,
    welcome,
)
from tests.support.work.scripted_handler import working
from worker_svc.link.call import dial
from worker_svc.link.session import SessionTimings

SOON = rotate(timedelta(seconds=8))


@pytest.fixture
async def runner() -> AsyncIterator[ScriptedRunner]:
    async with ScriptedRunner() as listening:
        yield listening


class WatchedCall:
    """A call whose progress a test sees, and whose writes it can hold up."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self.connected, self.ended, self.may_write = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.may_write.set()
        self.has_written = False
        self.done_writing = call.done_writing

    async def wait_for_connection(self) -> None:
        await self._call.wait_for_connection()
        self.connected.set()

    async def read(self) -> Any:
        frame = await self._call.read()
        if frame is grpc.aio.EOF:
            self.ended.set()
        return frame

    async def write(self, frame: worker_pb2.ConnectRequest) -> None:
        self.has_written = True
        await self.may_write.wait()
        await self._call.write(frame)


class Watched:
    """The calls that a worker has dialled, oldest first."""

    def __init__(self) -> None:
        self.calls: list[WatchedCall] = []
        self._dialled = asyncio.Condition()

    @asynccontextmanager
    async def dial(self, address: str) -> AsyncIterator[Any]:
        async with dial(address) as call:
            self.calls.append(WatchedCall(call))
            async with self._dialled:
                self._dialled.notify_all()
            yield self.calls[-1]

    async def connected(self, number: int) -> None:
        """Waits until so many were dialled, and the last of them has had time to go on."""
        async with asyncio.timeout(WITHIN), self._dialled:
            await self._dialled.wait_for(lambda: len(self.calls) >= number)
            await self.calls[number - 1].connected.wait()
        await turns()


async def turns() -> None:
    """Waits for some turns of the loop."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.guard(name="the next stream before the old one is left")
async def test_the_next_stream_is_open_before_the_old_one_is_left(runner: ScriptedRunner) -> None:
    async with working(runner.address) as worker:
        old = await runner.stream()
        await old.send(welcome(session_id="s1"), assign("L1"))
        await old.expect("credit")
        await old.expect("accepted")
        call = await worker.handler.call()
        await old.send(SOON)
        new = await runner.stream()
        assert (new.hello.continues_session_id, list(new.hello.held_lease_ids)) == ("s1", ["L1"])
        assert old.is_open
        await new.send(welcome(session_id="s2"), keep())
        await old.expect_end()
        assert (await new.expect("credit")).window == 7
        call.make()
        await new.expect("candidate")
        await new.send(SOON)
        assert (await runner.stream()).hello.continues_session_id == "s2"


@pytest.mark.guard(name="a random moment")
async def test_the_next_stream_is_opened_at_a_random_moment_that_leaves_time_to_dial(runner: ScriptedRunner) -> None:
    asked: list[tuple[float, float]] = []

    def jitter(least: float, most: float) -> float:
        asked.append((least, most))
        return least

    async with working(runner.address, timings=SessionTimings(jitter=jitter)):
        await (await runner.welcomed()).send(SOON)
        await runner.welcomed()
    assert asked == [(0, 4)]


@pytest.mark.guard(name="silence on the old stream")
async def test_nothing_is_said_on_the_old_stream_once_the_next_one_begins(runner: ScriptedRunner) -> None:
    async with working(runner.address) as worker:
        old = await runner.welcomed(assign("L1"))
        await old.expect("accepted")
        await old.send(SOON)
        new = await runner.stream()
        (await worker.handler.call()).make()
        await old.send(assign("L2"))
        await worker.handler.call()  # the answers to both are due now
        await new.send(welcome(), keep("L1"))
        await old.expect_end()
        await new.expect("credit")
        assert (await new.expect("candidate")).lease_id == "L1"
        await new.send(assign("L2"))
        assert (await new.expect("accepted")).lease_id == "L2"


async def test_what_is_said_on_the_old_stream_is_heard_until_the_next_one_is_welcomed(runner: ScriptedRunner) -> None:
    async with working(runner.address) as worker:
        old = await runner.welcomed(assign("L1"))
        call = await worker.handler.call()
        await old.send(SOON)
        await runner.stream()
        await old.send(cancel("L1"))
        await call.until_cancelled()


@pytest.mark.guard(name="the old stream may end first")
async def test_an_old_stream_that_the_runner_ends_before_welcome_comes_is_not_a_lost_one(
    runner: ScriptedRunner,
) -> None:
    watched = Watched()
    with capture_logs() as logs:
        async with working(runner.address, dial=watched.dial):
            old = await runner.welcomed()
            await old.send(SOON)
            new = await runner.stream()
            old.end()
            await watched.calls[0].ended.wait()
            await turns()
            await new.send(welcome())
            await new.expect("credit")
    assert "stream_lost" not in [entry["event"] for entry in logs]
    assert "stream_continued" in [entry["event"] for entry in logs]


async def test_a_result_that_was_not_acknowledged_on_the_old_stream_is_said_again_on_the_next_one(
    runner: ScriptedRunner,
) -> None:
    async with working(runner.address) as worker:
        old = await runner.welcomed(assign("L1"))
        await old.expect("accepted")
        (await worker.handler.call()).make()
        sent = await old.expect("candidate")
        await old.send(SOON)
        new = await runner.welcomed(keep())
        assert await new.expect("candidate") == sent
        await new.send(ack())
        await new.nothing_more()


async def test_a_next_stream_that_ends_before_welcome_is_a_lost_stream(runner: ScriptedRunner) -> None:
    async with working(runner.address) as worker:
        old = await runner.welcomed(assign("L1"))
        call = await worker.handler.call()
        await old.send(SOON)
        (await runner.stream()).abort(grpc.StatusCode.UNAVAILABLE)
        again = await runner.stream()
        assert (again.hello.continues_session_id, list(again.hello.held_lease_ids)) == ("", ["L1"])
        assert not call.cancelled.is_set()


@pytest.mark.guard(name="the old stream stays when none can be opened")
async def test_a_worker_that_cannot_connect_anew_stays_on_the_old_stream(runner: ScriptedRunner) -> None:
    dialled = 0

    @asynccontextmanager
    async def only_once(address: str) -> AsyncIterator[Any]:
        nonlocal dialled
        dialled += 1
        if dialled == 2:
            raise ConnectionError("the old stream has ended")
        async with dial(address) as call:
            yield call

    async with working(runner.address, dial=only_once):
        old = await runner.welcomed()
        await old.send(SOON)
        while dialled < 2:
            await old.nothing_more()
        await old.nothing_more()
        await old.send(SOON)
        assert (await runner.welcomed()).hello.continues_session_id == "session"


@pytest.mark.guard(name="a frame is finished")
async def test_the_frame_that_is_being_written_is_finished_before_the_next_hello(runner: ScriptedRunner) -> None:
    watched = Watched()
    async with working(runner.address, dial=watched.dial) as worker:
        old = await runner.welcomed(assign("L1"))
        await old.expect("accepted")
        watched.calls[0].may_write.clear()
        (await worker.handler.call()).make()
        await old.send(SOON)
        await watched.connected(2)
        assert not watched.calls[1].has_written
        watched.calls[0].may_write.set()
        await old.expect("candidate")
        assert list((await runner.stream()).hello.held_lease_ids) == ["L1"]


async def test_a_worker_that_is_told_to_stop_while_its_stream_is_continued_leaves_in_order(
    runner: ScriptedRunner,
) -> None:
    async with working(runner.address) as worker:
        old = await runner.welcomed()
        await old.send(SOON)
        new = await runner.stream()
        worker.stop.set()
        await new.send(welcome())
        await new.expect("draining")
        await new.expect_end()
        await worker.ended()


@pytest.mark.guard(name="a connection of its own")
async def test_the_next_stream_has_a_connection_of_its_own(runner: ScriptedRunner) -> None:
    async with working(runner.address):
        old = await runner.welcomed()
        await old.send(SOON)
        new = await runner.stream()
        assert old.is_open
        assert new.peer != old.peer
