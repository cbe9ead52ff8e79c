"""Messages too large for a frame are refused at once with a reason, in both directions."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import grpc
import grpc.aio
import pytest

from runner_svc.codec.maps import map_from_parts
from runner_svc.planner import Fetched
from signoff.client.client import Client
from signoff.client.values import by_execution
from signoff.errors import InvalidField, SignoffError
from signoff.rpc.channel import MAX_FRAME_BYTES
from signoff.rpc.frames import LEAST_FRAME_BYTES
from signoff.v1 import execution_pb2, plan_pb2, runner_pb2, worker_pb2, worker_pb2_grpc
from tests.runner_svc.services.test_runner_service import refused
from tests.support.servers.raw_worker import EXECUTOR, PATIENCE, VALIDATOR, RawWorker, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running

WITHIN = 1.0  # seconds: what is too large is said no later than this
LONG = "长" * 8_000
MANY = 150  # tasks


class Wordy(PlannerOfTexts):
    """A planner whose tasks have descriptions of some length."""

    async def fetch(self, plan_id: str) -> Fetched:
        fetched = await super().fetch(plan_id)
        parts = [plan_pb2.MapPart.FromString(body) for body in fetched.parts]
        for part in parts:
            for task in part.tasks.tasks:
                task.spec.description = LONG * 3
        bodies = tuple(part.SerializeToString() for part in parts)
        return replace(fetched, map=map_from_parts(parts), parts=bodies)


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[Running]:
    planner = Wordy(one="a", ten="; ".join(f"t{n}" for n in range(10)), many="; ".join(f"t{n}" for n in range(MANY)))
    async with running(planner, tmp_path) as up:
        yield up


@contextlib.contextmanager
def promptly() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < WITHIN


@contextlib.asynccontextmanager
async def foreign_worker(runner: Running, max_frame_bytes: int = 0) -> AsyncIterator[RawWorker]:
    """Connects a worker with another gRPC library, which sends anything."""
    async with grpc.aio.insecure_channel(runner.address, [("grpc.max_send_message_length", -1)]) as channel:
        worker = RawWorker(worker_pb2_grpc.WorkerServiceStub(channel).Connect())
        hello = worker_pb2.Hello(role=EXECUTOR, name="w1", slots=1, max_frame_bytes=max_frame_bytes)
        await worker.say(hello=hello)
        await worker.hear("welcome")
        await worker.say(credit=worker_pb2.Credit(window=1))
        yield worker


@pytest.mark.guard(name="receive limit")
@pytest.mark.parametrize("size", [MAX_FRAME_BYTES, 4 * MAX_FRAME_BYTES])
async def test_a_frame_of_a_worker_above_the_limit_ends_its_stream_with_the_sizes(runner: Running, size: int) -> None:
    async with foreign_worker(runner) as worker:
        await worker.say(progress=worker_pb2.Progress(lease_id="l", checkpoint=bytes(size)))
        refusal = refused("RESOURCE_EXHAUSTED", grpc.StatusCode.RESOURCE_EXHAUSTED)
        with promptly(), refusal:
            await worker.hear("ack")
    assert refusal.error is not None
    assert f"vs. {MAX_FRAME_BYTES}" in (refusal.error.details() or "")


@pytest.mark.guard(name="an assignment that fits no frame is a failure")
async def test_an_assignment_above_the_limit_of_its_worker_fails_the_task_for_good(runner: Running) -> None:
    ref = await runner.start("one")
    async with Client(runner=runner.address) as client, foreign_worker(runner, LEAST_FRAME_BYTES) as worker:
        with promptly():
            async with asyncio.timeout(PATIENCE):
                async for _ in client.watch(by_execution(ref.execution_id)):
                    """To its end."""
        (task,) = await client.tasks(by_execution(ref.execution_id))
        assert [session.hello.name for session in runner.hub.sessions.values()] == ["w1"]
        assert not worker.has_heard("assign")
    assert (task.status, task.failures) == (execution_pb2.TASK_STATUS_EXECUTION_FAILED, 1)
    assert f"expected an assignment of at most {LEAST_FRAME_BYTES - 12} bytes" in task.last_failure


async def test_a_worker_that_takes_only_tiny_frames_is_refused(runner: Running) -> None:
    with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT):
        async with foreign_worker(runner, LEAST_FRAME_BYTES - 1):
            """Not welcomed."""


@pytest.mark.guard(name="batches are bounded")
async def test_a_history_of_long_verdicts_comes_in_many_frames(runner: Running) -> None:
    ref = await runner.start("ten")
    failed = execution_pb2.CriterionResult(criterion=LONG, outcome=execution_pb2.OUTCOME_FAIL, reason=LONG)
    async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
        for _ in range(10):
            await executor.make(await executor.assigned())
            lease = (await validator.assigned()).lease_id
            verdict = worker_pb2.Verdict(lease_id=lease, outcome=execution_pb2.OUTCOME_FAIL, results=[failed] * 10)
            await validator.say(verdict=verdict)
            await validator.hear("ack")
    request = runner_pb2.WatchExecutionRequest(ref=ref, after_sequence=0)
    batches = [answer.events async for answer in runner.stub.WatchExecution(request)]
    assert len(batches) > 1
    assert max(batch.ByteSize() for batch in batches) < MAX_FRAME_BYTES
    kinds = [event.WhichOneof("kind") for batch in batches for event in batch.events]
    assert kinds.count("verdict_failed") == 10


@pytest.mark.guard(name="pages are bounded")
async def test_a_page_of_tasks_with_long_failures_is_shorter_and_none_is_left_out(runner: Running) -> None:
    ref = await runner.start("many")
    async with raw_worker(runner, EXECUTOR, "w1", slots=MANY) as worker, Client(runner=runner.address) as client:
        for _ in range(MANY):
            lease = (await worker.hear("assign")).lease_id
            kind = execution_pb2.FAILURE_KIND_PERMANENT
            await worker.say(failure=worker_pb2.Failure(lease_id=lease, kind=kind, message=LONG))
        for _ in range(MANY):
            await worker.hear("ack")
        tasks = await client.tasks(by_execution(ref.execution_id))
    assert len({task.task_id for task in tasks}) == MANY
    assert sum(task.ByteSize() for task in tasks) > MAX_FRAME_BYTES


async def test_a_request_above_the_limit_fails_at_once_and_names_the_sizes(runner: Running) -> None:
    ref = await runner.start("one")
    async with Client(runner=runner.address, patience=timedelta(hours=1)) as client:
        with promptly(), pytest.raises(SignoffError, match=rf"RESOURCE_EXHAUSTED.*\(\d+ vs\. {MAX_FRAME_BYTES}\)"):
            await client.pause(by_execution(ref.execution_id), "x" * MAX_FRAME_BYTES)


async def test_a_reason_that_is_too_long_to_be_shown_is_refused(runner: Running) -> None:
    ref = await runner.start("one")
    async with Client(runner=runner.address) as client:
        for order in (client.pause, client.stop):
            with promptly(), pytest.raises(InvalidField, match="reason: expected at most 8,192 characters"):
                await order(by_execution(ref.execution_id), "x" * 8193)
