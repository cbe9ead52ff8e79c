"""Memory of a real runner for clients that open answers and never read them."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import grpc.aio

from signoff.client.values import by_execution
from signoff.rpc.channel import connect
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2, runner_pb2_grpc
from tests.stored.crew import EXECUTE, Crew, makes
from tests.stored.world import World, world

CALLS = 60
ARTIFACT = 12_000_000  # bytes: sixty copies of it would be 720 MB
MOST_HELD = 250  # MB


async def test_a_runner_holds_little_for_calls_that_are_never_read_and_goes_on_with_its_work(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.compile("one", {"idea": "x", "tasks": [task("a")]})
        await here.compile("large", {"idea": "x", "tasks": [task(f"t{number}") for number in range(10_000)]})
        execution = await made(here)
        await here.runner.terminate()  # nothing of it is in memory afterwards
        await here.runner.start()
        before = resident(here.runner.pid)
        async with connect(here.runner.address) as channel:
            stub = runner_pb2_grpc.RunnerServiceStub(channel)
            artifact = runner_pb2.GetArtifactRequest(ref=by_execution(execution), task_id="a")
            layout = runner_pb2.GetLayoutRequest(plan_id="large")
            calls = [call for _ in range(CALLS) for call in (stub.GetArtifact(artifact), stub.GetLayout(layout))]
            first = [asyncio.create_task(call.read()) for call in calls]
            await asyncio.wait(first, timeout=10)
            assert resident(here.runner.pid) - before < MOST_HELD
            async with Crew(channel).at_work():
                await here.state(await here.start("one"), pb.EXECUTION_STATE_SUCCEEDED)
            for call in calls:
                call.cancel()
            await asyncio.gather(*first, return_exceptions=True)
        async with here.channel() as channel:
            assert await read(channel, artifact) == ARTIFACT


async def made(here: World) -> str:
    async with (
        here.channel() as channel,
        Crew(channel, {("one", "a", EXECUTE): [makes(os.urandom(ARTIFACT))]}).at_work(),
    ):
        execution = await here.start("one")
        await here.state(execution, pb.EXECUTION_STATE_SUCCEEDED)
    return execution


def task(task_id: str) -> dict[str, object]:
    return {
        "task_id": task_id,
        "description": "d" * 300,
        "input": {"description": "i"},
        "output": {"artifact": task_id},
    }


async def read(channel: grpc.aio.Channel, request: runner_pb2.GetArtifactRequest) -> int:
    answers = runner_pb2_grpc.RunnerServiceStub(channel).GetArtifact(request)
    return sum([len(answer.chunk) async for answer in answers])


def resident(pid: int) -> int:
    """Megabytes that a process has in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS"))
