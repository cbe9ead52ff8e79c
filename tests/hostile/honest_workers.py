"""Honest workers beside hostile ones: they finish a plan that only they were given, in bounded time."""

from __future__ import annotations

import asyncio
import os

import grpc.aio

from runner_svc.contents import LARGE_BYTES
from signoff.v1 import execution_pb2, runner_pb2, worker_pb2
from tests.hostile.outcomes import PATIENCE, Failed
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, RawWorker, candidate, raw_worker
from tests.support.servers.runner import Running
from tests.support.values.results import results_of
from tests.support.work.brought_files import bring, candidate_of, manifest_body

SUCCEEDED = execution_pb2.EXECUTION_STATE_SUCCEEDED
HONEST_FILES = {"charts/large.png": os.urandom(LARGE_BYTES + 100), "empty.txt": b"", "report.md": b"# Honest\n"}


async def finished(runner: Running, plan_id: str) -> runner_pb2.ExecutionRef:
    """Has two honest workers finish a plan, and all other work that there is. Raises Failed when they cannot."""
    # Drawn clients start executions of any priority, and honest workers would have to finish all of those first. What
    # drawn workers have made in an execution of the same plan would be kept.
    first = execution_pb2.ExecutionSettings(priority=2**31 - 1, reuse=False)
    started = await runner.stub.StartExecution(runner_pb2.StartExecutionRequest(plan_id=plan_id, settings=first))
    ref = runner_pb2.ExecutionRef(execution_id=started.execution.execution_id)
    async with (
        raw_worker(runner, EXECUTOR, "honest executor", slots=8) as executor,
        raw_worker(runner, VALIDATOR, "honest validator", slots=8) as validator,
    ):
        at_work = [asyncio.create_task(_work_off(runner, worker)) for worker in (executor, validator)]
        ending = asyncio.create_task(_ended(runner, ref))
        await asyncio.wait([ending, *at_work], return_when=asyncio.FIRST_COMPLETED)
        for task in at_work:
            if task.done():
                task.result()  # a worker whose stream was ended: no other peer may cause that
        state = await ending
        for task in at_work:
            task.cancel()
        await asyncio.gather(*at_work, return_exceptions=True)
    if state != SUCCEEDED:
        raise Failed(f"expected honest workers to finish, but got {execution_pb2.ExecutionState.Name(state)}")
    return ref


async def _ended(runner: Running, ref: runner_pb2.ExecutionRef) -> execution_pb2.ExecutionState.ValueType:
    request = runner_pb2.WatchExecutionRequest(ref=ref, after_sequence=0, follow=True)
    try:
        async with asyncio.timeout(PATIENCE):
            async for _ in runner.stub.WatchExecution(request):
                pass
    except TimeoutError:
        every = runner_pb2.TASK_SELECTION_ALL
        stuck = await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref, tasks=every))
        workers = await runner.stub.ListWorkers(runner_pb2.ListWorkersRequest())
        told = f"expected honest workers to finish within {PATIENCE:g} s, but they did not"
        raise Failed(f"{told}: {stuck}, with {workers}") from None
    got = await runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref))
    return got.execution.state


async def _work_off(runner: Running, worker: RawWorker) -> None:
    """Does every task well. Waits for no acknowledgement: a lease may have ended during another one."""
    while (frame := await worker.call.read()) is not grpc.aio.EOF:
        for message in frame.messages:
            if message.WhichOneof("kind") == "assign":
                await _do_well(runner, worker, message.assign)


async def _do_well(runner: Running, worker: RawWorker, assign: worker_pb2.Assign) -> None:
    if assign.phase == execution_pb2.PHASE_VALIDATE:
        passes = execution_pb2.OUTCOME_PASS
        results = results_of(assign.task, passes)
        await worker.say(verdict=worker_pb2.Verdict(lease_id=assign.lease_id, outcome=passes, results=results))
    elif assign.task.output.files:
        try:
            await bring(runner, assign.lease_id, HONEST_FILES)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:  # the lease of a drawn client's execution
                raise
        await worker.say(candidate=candidate_of(assign.lease_id, manifest_body(HONEST_FILES)))
    else:
        await worker.say(candidate=candidate(assign.lease_id, b"made"))
