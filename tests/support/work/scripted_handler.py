"""A handler that leaves its work to the test, and a worker around it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from signoff.v1 import execution_pb2, runner_pb2
from tests.support.servers.scripted_runner import WITHIN
from worker_svc.assignment import Assignment, CandidateResult, Offer, Report, Result, VerdictResult
from worker_svc.link.call import dial
from worker_svc.link.lease_files import LeaseFiles
from worker_svc.link.patience import Pauses
from worker_svc.link.session import Dial, SessionTimings
from worker_svc.link.stream import Identity, Worker

AT_ONCE = SessionTimings(jitter=lambda _least, _most: 0.0)
FETCHED_AT_ONCE = partial(LeaseFiles, pauses=Pauses(jitter=lambda _least, _most: 0.0))


@dataclass(slots=True)
class Call:
    """A piece of work that lasts until the test ends it."""

    assignment: Assignment
    report: Report
    result: asyncio.Future[Result] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    def make(self, content: bytes = b"Mars") -> None:
        self.result.set_result(made(content))

    async def until_cancelled(self) -> None:
        await asyncio.wait_for(self.cancelled.wait(), WITHIN)


class ScriptedHandler:
    """An assignment.Handler that hands each call to the test."""

    offer = Offer(models=("writer",), makers=("maker-1",))

    def __init__(self) -> None:
        self.running = 0
        self._calls: asyncio.Queue[Call] = asyncio.Queue()

    async def __call__(self, assignment: Assignment, report: Report) -> Result:
        call = Call(assignment, report)
        self._calls.put_nowait(call)
        self.running += 1
        try:
            return await call.result
        except asyncio.CancelledError:
            call.cancelled.set()
            raise
        finally:
            self.running -= 1

    async def call(self) -> Call:
        """Waits for the next piece of work that begins."""
        return await asyncio.wait_for(self._calls.get(), WITHIN)

    @property
    def untaken(self) -> int:
        """Calls that the test has not taken."""
        return self._calls.qsize()

    async def close(self) -> None:
        assert self.running == 0


def made(content: bytes = b"Mars") -> CandidateResult:
    return CandidateResult(content=content, media_type="text/plain", maker="maker-1")


def passed() -> VerdictResult:
    passes = execution_pb2.OUTCOME_PASS
    result = execution_pb2.CriterionResult(criterion="is good", outcome=passes, criterion_number=1)
    return VerdictResult(outcome=passes, results=(result,), feedback="")


@dataclass(slots=True)
class Running:
    """A worker at work."""

    handler: ScriptedHandler
    stop: asyncio.Event
    ending: asyncio.Task[None]

    async def ended(self) -> None:
        """Waits for the worker's end; raises what it ended with."""
        await asyncio.wait_for(asyncio.shield(self.ending), WITHIN)


@asynccontextmanager
async def working(
    address: str, *, timings: SessionTimings = AT_ONCE, slots: int = 7, grace: float = WITHIN, dial: Dial = dial
) -> AsyncIterator[Running]:
    """Runs a worker of the runner at `address` until the end of the block; its work does not outlive it."""
    handler, stop = ScriptedHandler(), asyncio.Event()
    identity = Identity(
        role=runner_pb2.WORKER_ROLE_EXECUTOR, name="w1", slots=slots, version="0.1", labels={"zone": "a"}
    )
    worker = Worker(address, identity, handler, timings, dial, files_of=FETCHED_AT_ONCE)
    ending = asyncio.create_task(worker.run(stop, grace))
    try:
        yield Running(handler, stop, ending)
    finally:
        ending.cancel()
        await asyncio.gather(ending, return_exceptions=True)
        await handler.close()
