"""The engine while a commit is under way: the next turns are decided, and committed together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import grpc
import pytest

from runner_svc.core.decide.turn import Decision, State
from runner_svc.core.model import events, signals
from runner_svc.core.model.values import ExecutionId
from runner_svc.store.memory import MemoryStore
from runner_svc.store.port import Listed, Row
from signoff.errors import StorageFailed
from signoff.v1 import runner_pb2
from tests.runner_svc.services.test_runner_service import refused
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running
from tests.support.servers.service import until

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

    async def append(
        self,
        rows: Sequence[Row],
        contents: Mapping[str, bytes],
        listed: Sequence[Listed] = (),
        named: Sequence[str] = (),
    ) -> None:
        self.appends.append(len(rows))
        self.begun.release()
        await self.gate.wait()
        if self.refuses:
            raise StorageFailed("the disk refused")
        await super().append(rows, contents, listed, named)


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
    """Returns the answers to three commands. The last two are decided while the first is being committed."""
    first = asyncio.ensure_future(runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=ref)))
    await asyncio.wait_for(store.begun.acquire(), WITHIN)
    second = asyncio.ensure_future(runner.stub.ResumeExecution(runner_pb2.ResumeExecutionRequest(ref=ref)))
    await until(lambda: len(runner.engine._commits.decided.answers) == 1, "one more command is decided")
    third = asyncio.ensure_future(runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=ref)))
    await until(lambda: len(runner.engine._commits.decided.answers) == 2, "another one is decided")
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


class BreaksOnce:
    """An observer with a bug in the first commit that it is told of."""

    def __init__(self) -> None:
        self.told = 0

    def rebuilt(self, state: State) -> None:
        pass

    def committed(self, state: State, entries: Sequence[events.Entry]) -> None:
        self.told += 1
        if self.told == 1:
            raise ZeroDivisionError

    def is_settled(self, plan_id: str) -> bool:
        return True


@pytest.mark.guard(name="what was decided before a rebuild is not committed after it")
async def test_when_a_commit_cannot_be_told_what_was_decided_after_it_is_refused_and_never_committed(
    tmp_path: Path,
) -> None:
    """The state is built anew from the journal: what was decided before would be in the journal alone."""
    async with slow(tmp_path) as (runner, store, ref):
        runner.engine.observe(BreaksOnce())
        first, *later = await paused_and_resumed(runner, store, ref)
        store.gate.set()
        await first
        for answer in later:
            with refused("UNAVAILABLE", grpc.StatusCode.UNAVAILABLE):
                await answer
        await runner.stub.ResumeExecution(runner_pb2.ResumeExecutionRequest(ref=ref))
        found = await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref))
        rows = await store.read(ref.execution_id, 0, 10)
        assert (store.appends, found.execution.sequence, len(rows)) == ([1, 1], 4, 4)


async def test_a_question_that_was_asked_during_a_commit_is_answered_after_it(tmp_path: Path) -> None:
    async with slow(tmp_path) as (runner, store, ref):
        command = asyncio.ensure_future(runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=ref)))
        await asyncio.wait_for(store.begun.acquire(), WITHIN)
        question = asyncio.ensure_future(runner.engine.ask(lambda state: state.execution(ref.execution_id).sequence))
        await until(lambda: bool(runner.engine._commits.decided.answers), "the question has its answer")
        assert not question.done()
        store.gate.set()
        assert await asyncio.wait_for(question, WITHIN) == 3
        await command


# ---------------------------------------------------------------- long decisions

STEPWISE = ("engine.STEPS_AT_ONCE", "engine.WRITTEN_AT_ONCE", "committer.TOLD_AT_ONCE")
CHAIN = PlannerOfTexts(chain="a; " + "; ".join(f"t{n} <- a" for n in range(20)))


@asynccontextmanager
async def done(folder: Path, store: SlowStore) -> AsyncIterator[tuple[Running, runner_pb2.ExecutionRef]]:
    """Yields a runner with an execution whose tasks are all done. From now on it decides one step at a time."""
    async with running(CHAIN, folder, store=store) as runner:
        ref = await runner.start("chain")
        async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
            for _ in range(21):
                await executor.make(await executor.assigned())
                await validator.judge(await validator.assigned())
        request = runner_pb2.GetExecutionRequest(ref=ref)
        while (await runner.stub.GetExecution(request)).execution.counts.done < 21:
            pass
        with contextlib.ExitStack() as stack:
            for name in STEPWISE:
                stack.enter_context(mock.patch(f"runner_svc.{name}", 1))
            yield runner, ref


@contextlib.contextmanager
def amid_steps(runner: Running, act: Callable[[], object]) -> Iterator[None]:
    """Acts after the fifth step of a decision."""
    machine = runner.engine._machine
    original = machine.steps

    def steps(incoming: Sequence[signals.Signal], decision: Decision) -> Iterator[None]:
        for number, _ in enumerate(original(incoming, decision), start=1):
            if number == 5:
                act()
            yield

    with mock.patch.object(machine, "steps", steps):
        yield


def retried(runner: Running, ref: runner_pb2.ExecutionRef) -> asyncio.Future[Any]:
    request = runner_pb2.RetryTaskRequest(ref=ref, task_id="a")
    return asyncio.ensure_future(runner.stub.RetryTask(request))


async def test_a_rollback_is_one_transaction_however_many_steps_it_is_decided_in(tmp_path: Path) -> None:
    store = SlowStore()
    async with done(tmp_path, store) as (runner, ref):
        store.appends.clear()
        answer = await asyncio.wait_for(retried(runner, ref), WITHIN)
        assert answer.execution.counts.undone == 21
        assert store.appends == [22]  # one retried, twenty rolled back, and the execution goes on
        assert not runner.engine.is_ahead


async def test_others_are_answered_while_a_long_decision_is_made(tmp_path: Path) -> None:
    async with done(tmp_path, SlowStore()) as (runner, ref):
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += runner.engine._is_torn

        task = asyncio.create_task(others())
        await asyncio.wait_for(retried(runner, ref), WITHIN)
        task.cancel()
        assert turns > 20


@pytest.mark.guard(name="what is decided on what was lost is lost")
async def test_when_the_store_refuses_while_a_rollback_is_decided_the_rollback_is_refused_too(tmp_path: Path) -> None:
    store = SlowStore()
    async with done(tmp_path, store) as (runner, ref):
        store.begun, store.appends = asyncio.Semaphore(0), []
        store.gate.clear()
        budget = runner_pb2.SetBudgetRequest(ref=ref)
        budget.budget.tokens = 5
        first = asyncio.ensure_future(runner.stub.SetBudget(budget))
        await asyncio.wait_for(store.begun.acquire(), WITHIN)

        def refuse() -> None:
            store.refuses = True
            store.gate.set()

        with amid_steps(runner, refuse):
            execution = ExecutionId(ref.execution_id)
            retry = signals.RetryTask(at=runner.engine.now(), request_id="", execution=execution, task_id="a")
            second = asyncio.ensure_future(runner.engine.submit(retry, lambda _: None))
            with refused("STORAGE_FAILED", grpc.StatusCode.UNAVAILABLE):
                await asyncio.wait_for(first, WITHIN)
            with pytest.raises(StorageFailed):
                await asyncio.wait_for(second, WITHIN)
        store.refuses = False
        found = (await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref))).execution
        assert store.appends == [1]  # the rollback was not even tried
        assert (found.counts.done, len(found.budgets)) == (21, 0)
        assert (await asyncio.wait_for(retried(runner, ref), WITHIN)).execution.counts.undone == 21


async def test_half_a_rollback_is_not_kept_when_the_runner_ends_in_the_middle_of_it(tmp_path: Path) -> None:
    store = SlowStore()
    async with done(tmp_path, store) as (runner, ref):
        with amid_steps(runner, runner.loops[0].cancel):
            answer = retried(runner, ref)
            await asyncio.gather(*runner.loops[:1], return_exceptions=True)
        await runner.engine.checkpoint()
        assert not (await store.checkpointed()).executions
        answer.cancel()
