"""The engine when its store fails, when it restarts, and when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import grpc
import pytest

from runner_svc.store.memory import MemoryStore
from runner_svc.store.port import Checkpointed, Listed, Row
from runner_svc.store.sqlite import SqliteStore
from signoff.errors import JournalBroken, ShuttingDown, StorageFailed
from signoff.v1 import execution_pb2, runner_pb2
from tests.runner_svc.services.test_runner_service import refused
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, raw_worker
from tests.support.servers.runner import PlannerOfTexts, running

PLANS = PlannerOfTexts(two="a; b <- a")


class FailingStore(MemoryStore):
    """The reference store with a disk that refuses while `broken` is set."""

    broken = False

    async def append(
        self,
        rows: Sequence[Row],
        contents: Mapping[str, bytes],
        listed: Sequence[Listed] = (),
        named: Sequence[str] = (),
    ) -> None:
        if self.broken:
            raise StorageFailed("the disk refused")
        await super().append(rows, contents, listed, named)


@pytest.mark.guard(name="rebuild after a refused write")
@pytest.mark.guard(name="remember before telling")
async def test_a_command_the_store_refuses_is_unavailable_and_has_changed_nothing(tmp_path: Path) -> None:
    store = FailingStore()
    async with running(PLANS, tmp_path, store=store) as runner:
        ref = await runner.start("two")
        store.broken = True
        with refused("STORAGE_FAILED", grpc.StatusCode.UNAVAILABLE):
            await runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=ref))
        store.broken = False
        found = await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref))
        assert found.execution.state == execution_pb2.EXECUTION_STATE_RUNNING
        assert found.execution.sequence == 2


class BrokenStore(MemoryStore):
    """The reference store with a file that is damaged."""

    async def checkpointed(self) -> Checkpointed:
        raise JournalBroken("expected a journal that can be read")


@pytest.mark.guard(name="a broken journal is not asked again")
async def test_a_runner_ends_when_its_journal_is_broken(tmp_path: Path) -> None:
    with pytest.raises(JournalBroken):
        async with asyncio.timeout(10), running(PLANS, tmp_path, store=BrokenStore()):
            pass


async def test_a_runner_that_finds_its_journal_broken_at_work_ends(tmp_path: Path) -> None:
    store = FailingStore()
    async with running(PLANS, tmp_path, store=store) as runner:
        ref = await runner.start("two")
        store.broken = True
        store.checkpointed = BrokenStore().checkpointed  # type: ignore[method-assign]
        with refused("STORAGE_FAILED", grpc.StatusCode.UNAVAILABLE):
            await runner.stub.PauseExecution(runner_pb2.PauseExecutionRequest(ref=ref))
        async with asyncio.timeout(10):
            with pytest.raises(JournalBroken):
                await runner.loops[0]


async def test_a_result_the_store_refused_is_taken_when_the_worker_repeats_it(tmp_path: Path) -> None:
    store = FailingStore()
    async with running(PLANS, tmp_path, store=store) as runner:
        ref = await runner.start("two")
        async with raw_worker(runner, EXECUTOR, "w1") as worker:
            assign = await worker.assigned()
            store.broken = True
            with refused("UNAVAILABLE", grpc.StatusCode.UNAVAILABLE):
                await worker.make(assign, "text")
        store.broken = False
        async with raw_worker(runner, EXECUTOR, "w1", held=[assign.lease_id]) as worker:
            await worker.hear("keep")
            await worker.make(assign, "text")
        found = await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref))
        assert found.execution.counts.validating == 1


async def test_a_restarted_runner_goes_on_where_the_journal_ends(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with running(PLANS, tmp_path, store=SqliteStore(path)) as runner:
        ref = await runner.start("two", "r1")
        async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
            await executor.make(await executor.assigned(), "text of a")
            await validator.judge(await validator.assigned())
            held = await executor.assigned()
    async with running(PlannerOfTexts(), tmp_path, store=SqliteStore(path)) as runner:
        assert await runner.start("two", "r1") == ref, "a repeated request answers as before the restart"
        async with (
            raw_worker(runner, EXECUTOR, "w1", held=[held.lease_id]) as executor,
            raw_worker(runner, VALIDATOR, "v1") as validator,
        ):
            await executor.hear("keep")
            await executor.make(held, "text of b")
            await validator.judge(await validator.assigned())
        request = runner_pb2.GetExecutionRequest(ref=ref, tasks=runner_pb2.TASK_SELECTION_ALL)
        found = await runner.stub.GetExecution(request)
        assert found.execution.state == execution_pb2.EXECUTION_STATE_SUCCEEDED
        assert [task.attempt for task in found.tasks] == [1, 1]
        again = await runner.stub.StartExecution(runner_pb2.StartExecutionRequest())
        assert again.execution.plan_id == "two", "the layout survives too, without the planner"


@pytest.mark.guard(name="told when the runner ends")
async def test_callers_that_wait_when_the_runner_ends_are_told(tmp_path: Path) -> None:
    async with running(PLANS, tmp_path) as runner:
        runner.loops[0].cancel()
        await asyncio.gather(runner.loops[0], return_exceptions=True)
        with pytest.raises(ShuttingDown):
            await runner.engine.ask(lambda state: state.sequence)


async def test_plans_with_equal_maps_stay_different_plans(tmp_path: Path) -> None:
    async with running(PlannerOfTexts(one="a; b <- a", same="a; b <- a"), tmp_path) as runner:
        first, second = await runner.start("one"), await runner.start("same")
        for ref, plan_id in ((first, "one"), (second, "same")):
            found = await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref))
            assert found.execution.plan_id == plan_id
