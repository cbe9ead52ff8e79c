"""A worker that is asked to stop says so, finishes what fits, gives the rest back, and leaves in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest

from signoff.errors import SessionReplaced
from tests.support.servers.scripted_runner import (
    ScriptedRunner,
    ack,
    assign,
    keep,
    nobody_listens,
    welcome,
)
from tests.support.work.scripted_handler import working
from worker_svc.link.session import SessionTimings, WorkerRefused

NEVER = 1e6  # seconds
FOR_EVER = SessionTimings(jitter=lambda _least, _most: NEVER)


@pytest.fixture
async def runner() -> AsyncIterator[ScriptedRunner]:
    async with ScriptedRunner() as listening:
        yield listening


async def test_a_worker_with_nothing_in_hand_leaves_at_once(runner: ScriptedRunner) -> None:
    async with working(runner.address, grace=NEVER) as worker:
        stream = await runner.welcomed()
        worker.stop.set()
        await stream.expect("draining")
        await stream.expect_end()
        await worker.ended()


@pytest.mark.guard(name="a draining worker takes nothing new")
async def test_what_fits_in_the_grace_is_finished_and_nothing_new_is_taken(runner: ScriptedRunner) -> None:
    async with working(runner.address, grace=NEVER) as worker:
        stream = await runner.welcomed(assign("L1"))
        await stream.expect("accepted")
        call = await worker.handler.call()
        worker.stop.set()
        await stream.expect("draining")
        await stream.send(assign("L2"))
        declined = await stream.expect("declined")
        assert (declined.lease_id, declined.reason) == ("L2", "the worker is draining")
        call.make()
        assert (await stream.expect("candidate")).lease_id == "L1"
        assert not worker.ending.done()
        await stream.send(ack("L1"))
        await stream.expect_end()
        await worker.ended()


@pytest.mark.guard(name="what does not fit is abandoned")
async def test_what_does_not_fit_in_the_grace_is_given_back(runner: ScriptedRunner) -> None:
    async with working(runner.address, grace=0) as worker:
        stream = await runner.welcomed(assign("L1"), assign("L2"))
        for _ in ("L1", "L2"):
            await stream.expect("accepted")
        first, second = await worker.handler.call(), await worker.handler.call()
        first.make()
        await stream.expect("candidate")
        worker.stop.set()
        await stream.expect("draining")
        abandoned = await stream.expect("abandon")  # not L1: its result is with the runner
        assert (abandoned.lease_id, abandoned.reason) == ("L2", "the worker is about to end")
        await stream.expect_end()
        await worker.ended()
        await second.until_cancelled()


@pytest.mark.guard(name="a draining worker stays draining")
async def test_a_worker_that_comes_back_while_it_drains_asks_for_no_work(runner: ScriptedRunner) -> None:
    async with working(runner.address, grace=NEVER) as worker:
        stream = await runner.welcomed(assign())
        await stream.expect("accepted")
        call = await worker.handler.call()
        worker.stop.set()
        await stream.expect("draining")
        stream.abort(grpc.StatusCode.UNAVAILABLE)
        stream = await runner.stream()
        assert stream.hello.held_lease_ids == ["L1"]
        await stream.send(welcome(), keep())
        await stream.expect("draining")
        call.make()
        await stream.expect("candidate")
        await stream.send(ack())
        await stream.expect_end()
        await worker.ended()


async def test_a_worker_that_finds_no_runner_leaves_at_once() -> None:
    asked = asyncio.Event()

    def jitter(_least: float, _most: float) -> float:
        asked.set()
        return NEVER

    with nobody_listens() as address:
        async with working(address, timings=SessionTimings(jitter=jitter), grace=NEVER) as worker:
            await asked.wait()
            worker.stop.set()
            await worker.ended()


async def test_a_worker_that_lost_its_runner_leaves_when_the_grace_is_over() -> None:
    async with ScriptedRunner() as runner, working(runner.address, timings=FOR_EVER, grace=0.05) as worker:
        stream = await runner.welcomed(assign())
        call = await worker.handler.call()
        stream.end()
        worker.stop.set()
        await worker.ended()
        assert call.cancelled.is_set()


async def test_a_worker_that_waits_for_welcome_leaves_at_once(runner: ScriptedRunner) -> None:
    async with working(runner.address, timings=SessionTimings(welcome=NEVER), grace=NEVER) as worker:
        await runner.stream()
        worker.stop.set()
        await worker.ended()


async def test_a_runner_that_does_not_say_goodbye_is_left_all_the_same(runner: ScriptedRunner) -> None:
    async with working(runner.address, timings=SessionTimings(goodbye=0.05)) as worker:
        stream = await runner.welcomed()
        stream.answers_goodbye = False
        worker.stop.set()
        await stream.expect("draining")
        await worker.ended()


async def test_a_refusal_ends_a_drain(runner: ScriptedRunner) -> None:
    async with working(runner.address, grace=NEVER) as worker:
        stream = await runner.welcomed(assign())
        await stream.expect("accepted")
        worker.stop.set()
        await stream.expect("draining")
        stream.refuse(SessionReplaced("a newer session of w1 took over"))
        with pytest.raises(WorkerRefused, match="a newer session of w1 took over"):
            await worker.ended()
