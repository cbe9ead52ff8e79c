"""A real worker that is busy until a test ends its work, and a look at the events meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from signoff.v1 import runner_pb2
from tests.support.servers.raw_worker import EXECUTOR, PATIENCE
from tests.support.servers.runner import Running
from worker_svc.assignment import Assignment, CandidateResult, Offer, Report
from worker_svc.link.session import SessionTimings
from worker_svc.link.stream import Identity, Worker

#: The kinds of events when every task has a candidate at the first attempt, and no lease was lost.
UNDISTURBED = {"execution_created", "execution_started", "task_assigned", "candidate_stored"}


class Busy:
    """A handler that works until `done` is set."""

    offer = Offer(makers=("m1",))

    def __init__(self, done: asyncio.Event) -> None:
        self._done = done

    async def __call__(self, assignment: Assignment, report: Report) -> CandidateResult:
        await self._done.wait()
        return CandidateResult(content=b"made", media_type="text/plain", maker="m1")

    async def close(self) -> None:
        """Does nothing: there is nothing to close."""


@asynccontextmanager
async def busy_worker(address: str, done: asyncio.Event, slots: int = 10) -> AsyncIterator[None]:
    """Runs an executor that reconnects at once, until the end of the block."""
    identity = Identity(role=EXECUTOR, name="w1", slots=slots, version="test")
    worker = Worker(address, identity, Busy(done), SessionTimings(jitter=lambda least, _most: least))
    stop = asyncio.Event()
    working = asyncio.create_task(worker.run(stop, PATIENCE))
    try:
        yield
    finally:
        stop.set()
        await working


async def until_made(runner: Running, ref: runner_pb2.ExecutionRef, candidates: int) -> list[str | None]:
    """Watches until there are so many candidates. Returns the kinds of all events until then."""
    request = runner_pb2.WatchExecutionRequest(ref=ref, after_sequence=0, follow=True)
    kinds: list[str | None] = []
    async with asyncio.timeout(PATIENCE):
        async for answer in runner.stub.WatchExecution(request):
            kinds += [event.WhichOneof("kind") for event in answer.events.events]
            if kinds.count("candidate_stored") == candidates:
                break
    return kinds
