"""A runner finds what earlier executions have signed off: in memory, in its store, and again after a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest

from runner_svc.store.memory import MemoryStore
from signoff.rpc.statuses import reason_of
from signoff.v1 import execution_pb2, runner_pb2
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running

PLANS = PlannerOfTexts(two="a; b <- a", other="x")
SUCCEEDED = execution_pb2.EXECUTION_STATE_SUCCEEDED


async def finished(runner: Running) -> runner_pb2.ExecutionRef:
    """Runs the plan to its end, all of it anew."""
    ref = await runner.start("two")
    async with raw_worker(runner, EXECUTOR, "w") as executor, raw_worker(runner, VALIDATOR, "v") as validator:
        for text in ("of a", "of b"):
            await executor.make(await executor.assigned(), text)
            await validator.judge(await validator.assigned())
    await runner.outputs.drained()
    await runner.stub.SetLayout(runner_pb2.SetLayoutRequest(plan_id="other"))  # one more event, and so a checkpoint
    return ref


async def started(runner: Running) -> runner_pb2.ExecutionRef:
    """Starts the plan, which may keep what there is."""
    answer = await runner.stub.StartExecution(runner_pb2.StartExecutionRequest(plan_id="two"))
    return runner_pb2.ExecutionRef(execution_id=answer.execution.execution_id)


async def is_kept(runner: Running, ref: runner_pb2.ExecutionRef, first: runner_pb2.ExecutionRef) -> None:
    """Checks that an execution has ended with the artifacts of another one, and their evidence."""
    async with asyncio.timeout(60):
        async for _ in runner.stub.WatchExecution(runner_pb2.WatchExecutionRequest(ref=ref, follow=True)):
            pass
    request = runner_pb2.GetExecutionRequest(ref=ref, tasks=runner_pb2.TASK_SELECTION_ALL)
    found = await runner.stub.GetExecution(request)
    assert found.execution.state == SUCCEEDED
    origins = {task.artifact.kept_from.execution_id for task in found.tasks}
    assert origins == {first.execution_id}
    wanted = runner_pb2.GetCandidateRequest(ref=ref, task_id="b")
    [info] = [answer.info async for answer in runner.stub.GetCandidate(wanted) if answer.HasField("info")]
    assert (info.state, info.decided_by.validator) == (execution_pb2.CANDIDATE_STATE_SIGNED_OFF, "v")
    assert [result.outcome for result in info.results] == [execution_pb2.OUTCOME_PASS]
    assert info.artifact.kept_from.execution_id == first.execution_id
    assert list(info.attempts) == [1]


@pytest.mark.parametrize("checkpoint_every", [1, 5000])
async def test_what_was_signed_off_is_kept_after_a_restart(tmp_path: Path, checkpoint_every: int) -> None:
    store = MemoryStore()
    async with running(PLANS, tmp_path, store=store, checkpoint_every=checkpoint_every) as runner:
        first = await finished(runner)
    async with running(PLANS, tmp_path, store=store) as runner, raw_worker(runner, EXECUTOR, "w"):
        told = await runner.stub.PreviewExecution(runner_pb2.PreviewExecutionRequest(plan_id="two"))
        assert (told.kept, told.to_judge, told.to_make) == (2, 0, 0)
        await is_kept(runner, await started(runner), first)


async def test_an_execution_that_waits_for_workers_keeps_it_after_a_restart(tmp_path: Path) -> None:
    store = MemoryStore()
    async with running(PLANS, tmp_path, store=store, checkpoint_every=1) as runner:
        first = await finished(runner)
        second = await started(runner)
    async with running(PLANS, tmp_path, store=store) as runner, raw_worker(runner, EXECUTOR, "w"):
        await is_kept(runner, second, first)


@pytest.mark.guard(name="what goes on is offered earlier results")
async def test_an_execution_that_was_stopped_keeps_it_when_it_goes_on(tmp_path: Path) -> None:
    store = MemoryStore()
    async with running(PLANS, tmp_path, store=store, checkpoint_every=1) as runner:
        first = await finished(runner)
        second = await started(runner)
        await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=second))
    async with running(PLANS, tmp_path, store=store) as runner, raw_worker(runner, EXECUTOR, "w"):
        await runner.stub.ResumeExecution(runner_pb2.ResumeExecutionRequest(ref=second))
        await is_kept(runner, second, first)


async def test_an_execution_knows_nothing_of_those_that_came_after_it(tmp_path: Path) -> None:
    store = MemoryStore()
    async with running(PLANS, tmp_path, store=store, checkpoint_every=1) as runner:
        early = await started(runner)
        await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=early))
        await finished(runner)
    async with running(PLANS, tmp_path, store=store) as runner, raw_worker(runner, EXECUTOR, "w") as executor:
        await runner.stub.ResumeExecution(runner_pb2.ResumeExecutionRequest(ref=early))
        assert (await executor.assigned()).task.task_id == "a"


async def test_a_preview_of_a_plan_that_is_not_compiled_is_refused(tmp_path: Path) -> None:
    async with running(PLANS, tmp_path) as runner:
        fresh = execution_pb2.ExecutionSettings(fresh_task_ids=["nope"])
        for request, reason in (
            (runner_pb2.PreviewExecutionRequest(plan_id="nowhere"), "PLAN_NOT_FOUND"),
            (runner_pb2.PreviewExecutionRequest(), "NO_LAYOUT"),
            (runner_pb2.PreviewExecutionRequest(plan_id="two", settings=fresh), "TASK_NOT_FOUND"),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await runner.stub.PreviewExecution(request)
            assert reason_of(refused.value) == reason
