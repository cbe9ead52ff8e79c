"""The version's own planner and runner, as processes over one data folder."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc.aio

from signoff.client.client import Client
from signoff.client.values import by_execution
from signoff.rpc.channel import connect
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2, runner_pb2_grpc
from tests.stored.answers import Json, recorded_request
from tests.support.servers.service import Service

PRICES = 'currency = "USD"\n[models.priced]\ninput = 0.25\noutput = 2.0\nrequest = 0.001\n'
#: Leases stay out, and files without a name stay there, for as long as the story takes.
SLOWLY = ("--resume-grace", "600", "--accept-deadline", "600", "--keep-uploads", "3600")
WITHIN = 60.0  # seconds


@dataclass(slots=True)
class World:
    """The services, and a way to give commands and record them."""

    folder: Path
    planner: Service
    runner: Service
    store: str = ""  #: the address of the runner's PostgreSQL; empty: SQLite, in the data folder
    requests: list[Json] = field(default_factory=list)  #: the commands that were accepted

    @property
    def data(self) -> Path:
        return self.folder / "db"

    @contextlib.asynccontextmanager
    async def channel(self) -> AsyncIterator[grpc.aio.Channel]:
        """Connects to the runner as it listens now."""
        async with connect(self.runner.address) as channel:
            yield channel

    async def compile(self, plan_id: str, plan: Json) -> None:
        """Has the planner compile a plan and the runner take its layout."""
        async with Client(planner=self.planner.address, runner=self.runner.address) as client:
            compiled = await client.compile_plan(json.dumps(plan).encode(), plan_id=plan_id)
            assert compiled.ok, compiled.diagnostics
            await client.set_layout(plan_id)

    async def upload(self, content: bytes) -> None:
        """Uploads the bytes of an input's file."""
        async with Client(runner=self.runner.address) as client:
            await client.upload_content(content)

    async def start(self, plan_id: str, inputs: Sequence[pb.GivenInput] = (), **settings: Any) -> str:
        """Starts an execution; returns its id. Without the setting `reuse`, all of it is done anew."""
        request = runner_pb2.StartExecutionRequest(
            plan_id=plan_id, inputs=inputs, settings=pb.ExecutionSettings(**{"reuse": False} | settings)
        )
        return await self.command("StartExecution", request)

    async def prune(self, *, keep_artifacts: bool = False) -> int:
        """Removes all executions that are at rest, or all but their artifacts. Returns how many they were."""
        async with Client(runner=self.runner.address) as client:
            sums = [each async for each in client.prune(timedelta(0), keep_artifacts=keep_artifacts)]
        return sums[-1].executions

    async def tell(self, rpc: str, request: Any, execution_id: str) -> None:
        """Gives a command about an execution."""
        request.ref.CopyFrom(by_execution(execution_id))
        await self.command(rpc, request)

    async def command(self, rpc: str, request: Any) -> str:
        """Gives a command under a request id of its own; returns the id of the execution it is about."""
        request.request_id = uuid.uuid4().hex
        async with self.channel() as channel:
            answer = await getattr(runner_pb2_grpc.RunnerServiceStub(channel), rpc)(request)
        execution_id = str(answer.execution.execution_id)
        self.requests.append(recorded_request(rpc, request, execution_id))
        return execution_id

    async def state(self, execution_id: str, wanted: pb.ExecutionState.ValueType) -> None:
        """Returns once an execution is in a state."""
        await self.holds(execution_id, lambda one, _: one.state == wanted)

    async def approve(self, execution_id: str, task_id: str) -> None:
        """Gives a person's verdict, once a task waits for one."""
        await self.waits(execution_id, task_id, pb.WAITING_FOR_PERSON)
        verdict = runner_pb2.JudgeTaskRequest(task_id=task_id, outcome=pb.OUTCOME_PASS, person="Ada")
        await self.tell("JudgeTask", verdict, execution_id)

    async def waits(self, execution_id: str, task_id: str, reason: pb.WaitingFor.ValueType) -> None:
        """Returns once a task waits for something."""
        await self.holds(execution_id, lambda _, tasks: tasks[task_id].waiting.waiting_for == reason)

    async def holds(
        self, execution_id: str, condition: Callable[[pb.Execution, dict[str, pb.TaskState]], bool]
    ) -> None:
        """Returns once something is true of an execution and its tasks."""
        deadline = time.monotonic() + WITHIN
        async with Client(runner=self.runner.address) as client:
            while True:
                ref = by_execution(execution_id)
                execution = await client.get(ref)
                tasks = {task.task_id: task for task in await client.tasks(ref)}
                if condition(execution, tasks):
                    return
                assert time.monotonic() < deadline, f"this has not come: {execution}\n{tasks}"
                await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def world(folder: Path, *, planner: str = "", store: str = "") -> AsyncIterator[World]:
    """Starts both services, and leaves no process behind. `planner`: an address, when it is not the version's own."""
    prices = folder / "prices.toml"
    prices.write_text(PRICES)
    data = ("--data-dir", str(folder / "db"))
    own = Service(name="planner", module="planner_svc", flags=data, folder=folder, listens=True)
    await own.start()
    flags = (*data, "--planner", planner or own.address, "--prices", str(prices), *SLOWLY)
    variables = {"SIGNOFF_RUNNER_STORE": store, "SIGNOFF_RUNNER_STORE_LEASE": "2"} if store else {}
    runner = Service(
        name="runner", module="runner_svc", flags=flags, folder=folder, listens=True, variables=dict(variables)
    )
    await runner.start()
    try:
        yield World(folder, own, runner, store)
    finally:
        for service in (own, runner):
            await service.kill()
            if service.process is not None and service.process.stdin is not None:
                service.process.stdin.close()
