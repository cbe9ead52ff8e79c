"""Old streams over real sockets: the runner asks for the next one, and the work goes on as if nothing were."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import grpc
import pytest

from runner_svc.core.fleet.timings import StreamTimings
from signoff.v1 import execution_pb2, runner_pb2
from tests.runner_svc.services.test_runner_service import refused
from tests.support.processes.busy import UNDISTURBED, busy_worker, until_made
from tests.support.servers.raw_worker import EXECUTOR, PATIENCE, raw_worker
from tests.support.servers.runner import PlannerOfTexts, running

PLANS = PlannerOfTexts(one="a", ten="; ".join(f"t{n}" for n in range(10)))


def steady(_least: float, _most: float) -> float:
    return 1.0


def aged(seconds: float, within: float) -> StreamTimings:
    return StreamTimings(max_stream_age=seconds, rotate_within=within)


@pytest.mark.guard(name="rotate")
async def test_a_stream_that_is_old_is_asked_for_the_next_one(tmp_path: Path) -> None:
    old = running(PLANS, tmp_path, timings=aged(0.05, 30), jitter=steady)
    async with old as runner, raw_worker(runner, EXECUTOR, "w1") as worker:
        assert (await worker.hear("rotate")).within.seconds == 30


@pytest.mark.guard(name="an old stream ends")
async def test_a_stream_that_is_asked_in_vain_is_ended_in_order(tmp_path: Path) -> None:
    old = running(PLANS, tmp_path, timings=aged(0.01, 0.01), jitter=steady)
    async with old as runner, raw_worker(runner, EXECUTOR, "w1") as worker:
        with refused("OK", grpc.StatusCode.OK):
            await worker.hear("assign")


@pytest.mark.guard(name="streams do not rotate together")
def test_streams_that_began_together_do_not_all_grow_old_together() -> None:
    ages = [StreamTimings(max_stream_age=1000).stream_age(random.uniform) for _ in range(200)]
    assert min(ages) < 900
    assert max(ages) > 1100
    assert all(800 <= age <= 1200 for age in ages)


async def test_a_stream_that_may_grow_as_old_as_it_likes_is_not_asked(tmp_path: Path) -> None:
    forever = running(PLANS, tmp_path, timings=StreamTimings(max_stream_age=0, ping_interval=0.05))
    async with forever as runner, raw_worker(runner, EXECUTOR, "w1") as worker:
        for _ in range(2):
            await worker.hear("ping")
        assert not worker.has_heard("rotate")


async def test_a_stream_that_is_continued_ends_in_order_and_the_lease_moves_along(tmp_path: Path) -> None:
    async with running(PLANS, tmp_path) as runner:
        await runner.start("one")
        async with raw_worker(runner, EXECUTOR, "w1") as old:
            lease = (await old.assigned()).lease_id
            async with raw_worker(runner, EXECUTOR, "w1", held=[lease], continues=old.session_id) as new:
                assert (await new.hear("keep")).lease_id == lease
                with refused("OK", grpc.StatusCode.OK):
                    await old.hear("assign")


async def test_an_assignment_under_way_to_the_old_stream_comes_again_on_the_next_one(tmp_path: Path) -> None:
    async with running(PLANS, tmp_path) as runner:
        ref = await runner.start("one")
        async with raw_worker(runner, EXECUTOR, "w1") as old:
            lease = (await old.hear("assign")).lease_id
            async with raw_worker(runner, EXECUTOR, "w1", continues=old.session_id) as new:
                assign = await new.assigned()
                assert assign.lease_id == lease
                await new.make(assign)
        request = runner_pb2.GetExecutionRequest(ref=ref, tasks=runner_pb2.TASK_SELECTION_ALL)
        (task,) = (await runner.stub.GetExecution(request)).tasks
    assert (task.attempt, task.losses, task.status) == (1, 0, execution_pb2.TASK_STATUS_VALIDATING)


async def test_a_session_that_nobody_has_is_not_continued(tmp_path: Path) -> None:
    async with running(PLANS, tmp_path) as runner, raw_worker(runner, EXECUTOR, "w1") as old:
        another = raw_worker(runner, EXECUTOR, "w1", continues="of another runner")
        with refused("SESSION_REPLACED", grpc.StatusCode.FAILED_PRECONDITION):
            async with another:
                await old.hear("assign")


async def test_work_goes_on_while_its_stream_is_continued_again_and_again(tmp_path: Path) -> None:
    streams, enough = 0, asyncio.Event()

    def jitter(_least: float, _most: float) -> float:
        nonlocal streams
        streams += 1
        if streams > 5:
            enough.set()
        return 1.0

    timings = StreamTimings(max_stream_age=0.05, rotate_within=PATIENCE)
    async with running(PLANS, tmp_path, timings=timings, jitter=jitter) as runner:
        ref = await runner.start("ten")
        async with busy_worker(runner.address, enough):
            happened = await until_made(runner, ref, 10)
    assert streams > 5
    assert set(happened) == UNDISTURBED
