"""A worker that was away for longer than the grace brings what it has finished, and it is judged."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from runner_svc.core.fleet.timings import StreamTimings
from signoff.v1 import execution_pb2, runner_pb2
from tests.support.servers.proxy import Proxy
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, candidate, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running
from tests.support.work.scripted_handler import made, working

ONE = PlannerOfTexts(one="a")
SIZES = (4, 200_000, 3_000_000)  # bytes: in a message, stored apart, and in chunks


async def until_event(runner: Running, ref: runner_pb2.ExecutionRef, kind: str) -> execution_pb2.Event:
    request = runner_pb2.WatchExecutionRequest(ref=ref, after_sequence=0, follow=True)
    async with asyncio.timeout(20):
        async for message in runner.stub.WatchExecution(request):
            for event in message.events.events:
                if event.WhichOneof("kind") == kind:
                    return event
    raise AssertionError(f"the stream ended without {kind}")


async def body_of(runner: Running, ref: runner_pb2.ExecutionRef) -> bytes:
    request = runner_pb2.GetArtifactRequest(ref=ref, task_id="a")
    return b"".join([part.chunk async for part in runner.stub.GetArtifact(request)])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.guard(name="a finished candidate is offered after a stop")
async def test_what_a_worker_finished_while_it_had_no_line_is_judged_and_not_made_twice(
    tmp_path: Path, size: int
) -> None:
    timings = StreamTimings(ping_interval=0.2, resume_grace=0.3)
    async with (
        running(ONE, tmp_path, timings=timings) as runner,
        Proxy(runner.address) as proxy,
        working(proxy.address) as worker,
        raw_worker(runner, VALIDATOR, "v1") as validator,
    ):
        ref = await runner.start("one")
        call = await worker.handler.call()
        proxy.refuses = True
        proxy.reset()
        call.result.set_result(made(b"x" * size))
        await until_event(runner, ref, "lease_lost")
        async with raw_worker(runner, EXECUTOR, "w2") as second:
            again = await second.assigned()
            proxy.refuses = False
            assert (await second.hear("cancel")).lease_id == again.lease_id, "what w1 has made is not made again"
            await validator.judge(await validator.assigned())
            adopted = (await until_event(runner, ref, "orphan_adopted")).orphan_adopted
            assert (adopted.worker, adopted.candidate.attempt, adopted.candidate.size_bytes) == ("w1", 2, size)
            await until_event(runner, ref, "execution_succeeded")
        assert await body_of(runner, ref) == b"x" * size
        info = (await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref))).execution
        assert info.state == execution_pb2.EXECUTION_STATE_SUCCEEDED


@pytest.mark.parametrize("size", SIZES[:2])
async def test_who_made_it_is_told_with_the_candidate(tmp_path: Path, size: int) -> None:
    async with running(ONE, tmp_path) as runner, raw_worker(runner, EXECUTOR, "w1") as worker:
        ref = await runner.start("one")
        lease = (await worker.assigned()).lease_id
        await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=ref))
        await worker.hear("cancel")
        await worker.say(candidate=candidate(lease, b"x" * size))
        await worker.hear("ack")
        request = runner_pb2.GetCandidateRequest(ref=ref, task_id="a")
        parts = [part async for part in runner.stub.GetCandidate(request)]
        assert (parts[0].info.worker, parts[0].info.artifact.attempt) == ("w1", 1)
        assert parts[0].info.state == execution_pb2.CANDIDATE_STATE_WAITS_FOR_VALIDATOR
        assert b"".join(part.chunk for part in parts) == b"x" * size


async def test_what_is_not_finished_is_dropped_when_the_runner_says_stop(tmp_path: Path) -> None:
    timings = StreamTimings(ping_interval=0.2, resume_grace=0.3)
    async with (
        running(ONE, tmp_path, timings=timings) as runner,
        Proxy(runner.address) as proxy,
        working(proxy.address) as worker,
    ):
        ref = await runner.start("one")
        first = await worker.handler.call()
        proxy.refuses = True
        proxy.reset()
        await until_event(runner, ref, "lease_lost")
        proxy.refuses = False
        second = await worker.handler.call()
        assert second.assignment.lease_id != first.assignment.lease_id
        assert first.result.cancelled() or not first.result.done()
        second.make()
        event = await until_event(runner, ref, "candidate_stored")
        assert event.candidate_stored.attempt == 2
