"""GetThinking: the end of what a worker thinks, for as long as its lease lasts, whether or not a client watches."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest

from runner_svc.core.model.values import LeaseId
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2, worker_pb2
from tests.runner_svc.services.test_runner_service import refused
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running


async def heard(runner: Running, ref: runner_pb2.ExecutionRef, text: str) -> runner_pb2.GetThinkingResponse:
    """Returns the thinking of task a once it ends with a text."""
    request = runner_pb2.GetThinkingRequest(ref=ref, task_id="a")
    async with asyncio.timeout(10):
        while True:
            found = await runner.stub.GetThinking(request)
            if found.text.endswith(text):
                return found


@pytest.mark.guard(name="thoughts end with their lease")
async def test_what_a_worker_thinks_is_kept_until_its_lease_ends(tmp_path: Path) -> None:
    async with running(PlannerOfTexts(one="a"), tmp_path) as runner, raw_worker(runner, EXECUTOR, "w1") as executor:
        ref = await runner.start("one")
        assign = await executor.assigned()
        assert assign.thinking_wanted
        for piece in ("hm, ", "yes"):
            await executor.say(progress=worker_pb2.Progress(lease_id=assign.lease_id, thinking=piece))
        found = await heard(runner, ref, "yes")
        expected = runner_pb2.GetThinkingResponse(attempt=1, phase=pb.PHASE_EXECUTE, text="hm, yes")
        assert found == expected
        await executor.make(assign)
        assert runner.hub.thoughts.kept_bytes == 0
        assert not runner.hub.thoughts.of(LeaseId(assign.lease_id)).text
        none = await runner.stub.GetThinking(runner_pb2.GetThinkingRequest(ref=ref, task_id="a"))
        assert none == runner_pb2.GetThinkingResponse(attempt=1)


async def test_a_validator_is_heard_in_its_own_phase(tmp_path: Path) -> None:
    async with running(PlannerOfTexts(one="a"), tmp_path) as runner, raw_worker(runner, EXECUTOR, "w1") as executor:
        ref = await runner.start("one")
        await executor.make(await executor.assigned())
        async with raw_worker(runner, VALIDATOR, "v1") as validator:
            lease = (await validator.assigned()).lease_id
            await validator.say(progress=worker_pb2.Progress(lease_id=lease, thinking="doubtful", gap=True))
            found = await heard(runner, ref, "doubtful")
            assert (found.phase, found.dropped) == (pb.PHASE_VALIDATE, True)


async def test_thinking_of_unknown_tasks_is_not_found(tmp_path: Path) -> None:
    async with running(PlannerOfTexts(one="a"), tmp_path) as runner:
        ref = await runner.start("one")
        with refused("TASK_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
            await runner.stub.GetThinking(runner_pb2.GetThinkingRequest(ref=ref, task_id="b"))
        with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT):
            await runner.stub.GetThinking(runner_pb2.GetThinkingRequest(task_id="a"))
