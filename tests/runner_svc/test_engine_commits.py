"""The engine while a commit is under way: the next turns are decided, and committed together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc

from runner_svc.store.memory import MemoryStore
from runner_svc.store.port import Row
from signoff.errors import StorageFailed
from signoff.v1 import runner_pb2
from tests.runner_svc.services.test_runner_service import refused
from tests.support.runner import PlannerOfTexts, Running, running
from tests.support.service import until

WITHIN = 10.0  # seconds
PLANS = PlannerOfTexts(one="a")


class SlowStore(MemoryStore):
    """The reference store; an append waits until it is let through, and may be refused then."""

    def __init__(self) -> None:
        super().__init__()
        self.appends: list[int] = []  #: the rows of each
        self.begun = asyncio.Semaphore(0)
        self.gate = asyncio.Event()
        self.gate.set()
        self.refuses = False

    async def append(self, rows: Sequence[Row], contents: Mapping[str, bytes]) -> None:
        self.appends.append(len(rows))
        self.begun.release()
        await self.gate.wait()
        if self.refuses:
            raise StorageFailed("the disk refused")
        await super().append(rows, contents)


@asynccontextmanager
async def slow(folder: Path) -> AsyncIterator[tuple[Running, SlowStore, runner_pb2.ExecutionRef]]:
    """A runner with one execution, whose store will take its time."""
    store = SlowStore()
    async with running(PLANS, folder, store=store) as runner:
        ref = await runner.start("one")
        store.begun, store.appends = asyncio.Semaphore(0), []
        store.gate.clear()
        yield runner, store, ref
        store.gate.set()


async def paused_and_resumed(
    runner: Running, store: SlowStore, ref: runner_pb2.ExecutionRef
) -> list[asyncio.Future[Any]]:
    """The answers to three commands, of which two were decided while the first is being committed."""
    first = asyncio.ensure_future(runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=ref)))
    await asyncio.wait_for(store.begun.acquire(), WITHIN)
    second = asyncio.ensure_future(runner.stub.ResumeExecution(runner_pb2.ResumeExecutionRequest(ref=ref)))
    await until(lambda: len(runner.engine._decided.answers) == 1, "one more command is decided")
    third = asyncio.ensure_future(runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=ref)))
    await until(lambda: len(runner.engine._decided.answers) == 2, "another one is decided")
    return [first, second, third]


async def test_what_is_decided_during_a_commit_is_committed_together_and_answered_after_it(tmp_path: Path) -> None:
    async with slow(tmp_path) as (runner, store, ref):
        answers = await paused_and_resumed(runner, store, ref)
        assert (store.appends, [answer.done() for answer in answers]) == ([1], [False] * 3)
        store.gate.set()
        await asyncio.wait_for(asyncio.gather(*answers), WITHIN)
        assert store.appends == [1, 2]


async def test_when_a_commit_is_refused_so_is_what_was_decided_after_it(tmp_path: Path) -> None:
    async with slow(tmp_path) as (runner, store, ref):
        answers = await paused_and_resumed(runner, store, ref)
        store.refuses = True
        store.gate.set()
        for answer in answers:
            with refused("STORAGE_FAILED", grpc.StatusCode.UNAVAILABLE):
                await answer
        store.refuses = False
        found = await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref))
        assert (store.appends, found.execution.sequence) == ([1], 2)


async def test_a_question_that_was_asked_during_a_commit_is_answered_after_it(tmp_path: Path) -> None:
    async with slow(tmp_path) as (runner, store, ref):
        command = asyncio.ensure_future(runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=ref)))
        await asyncio.wait_for(store.begun.acquire(), WITHIN)
        question = asyncio.ensure_future(runner.engine.ask(lambda state: state.execution(ref.execution_id).sequence))
        await until(lambda: bool(runner.engine._decided.answers), "the question has its answer")
        assert not question.done()
        store.gate.set()
        assert await asyncio.wait_for(question, WITHIN) == 3
        await command
