"""A whole runner in this process: real engine, real services, real sockets; the store and the planner are ports."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import grpc.aio

from runner_svc.clock import SteadyClock
from runner_svc.codec.maps import map_from_parts
from runner_svc.core.fleet.timings import ModelTables, StreamTimings
from runner_svc.core.model.map import NO_PARENT, Map
from runner_svc.engine import CHECKPOINT_EVERY, Engine
from runner_svc.objects.port import Objects
from runner_svc.planner import Fetched, Planner
from runner_svc.prices import Prices
from runner_svc.prune.collection import GRACE
from runner_svc.publish.feed import Feed
from runner_svc.publish.last_thoughts import LastThoughts
from runner_svc.publish.output_files import OutputFiles
from runner_svc.services.hub import Hub
from runner_svc.services.runner_service import RunnerService
from runner_svc.services.worker_service import WorkerService
from runner_svc.services.worker_stream import Jitter
from runner_svc.store.memory import MemoryStore
from runner_svc.store.port import Store
from signoff.errors import PlanNotFound
from signoff.rpc.channel import SERVER_OPTIONS, connect
from signoff.rpc.server import Server
from signoff.v1 import plan_pb2, runner_pb2, runner_pb2_grpc, worker_pb2_grpc
from tests.support.values.maps import map_of


class PlannerOfTexts:
    """A planner port over plans that are lines of text (tests.support.values.maps)."""

    def __init__(
        self, specs: Mapping[str, plan_pb2.TaskSpec] = MappingProxyType({}), /, *, edition: int = 0, **texts: str
    ) -> None:
        """`specs`: by task id, fields of specs that a line of text cannot express. `edition` tells maps apart."""
        self.texts = texts
        self._specs = specs
        self._edition = edition
        self.inputs: tuple[plan_pb2.PlanInput, ...] = ()  #: that all plans declare

    async def fetch(self, plan_id: str) -> Fetched:
        if plan_id not in self.texts:
            raise PlanNotFound(f"expected a compiled plan, but there is none with id {plan_id!r}")
        parts = self._parts(plan_id)
        bodies = tuple(part.SerializeToString(deterministic=True) for part in parts)
        return Fetched(header=parts[0].header, map=map_from_parts(parts), parts=bodies)

    def compiled(self, plan_id: str) -> Map:
        return map_from_parts(self._parts(plan_id))

    def _parts(self, plan_id: str) -> list[plan_pb2.MapPart]:
        parts = parts_of(map_of(self.texts[plan_id], plan_id), self._specs)
        parts[0].header.inputs.extend(self.inputs)
        if self._edition:
            parts[0].header.map_digest += f", edition {self._edition}"
        return parts


def parts_of(plan: Map, specs: Mapping[str, plan_pb2.TaskSpec] = MappingProxyType({})) -> list[plan_pb2.MapPart]:
    """Returns a map as the planner would send it, with a layout of one cell a task."""
    header = plan_pb2.MapHeader(
        plan_id=plan.plan_id,
        idea=plan.idea,
        map_digest=plan.digest,
        task_count=plan.task_count,
        group_count=len(plan.group_ids),
        stage_count=max(plan.stages),
    )
    tasks = [_task(plan, task, specs) for task in range(plan.task_count)]
    groups = [
        plan_pb2.MapGroup(task_id=name, parent=_parent(plan, plan.task_count + number))
        for number, name in enumerate(plan.group_ids)
    ]
    cells = [
        plan_pb2.GridCell(task_id=name, column=stage) for name, stage in zip(plan.task_ids, plan.stages, strict=True)
    ]
    return [
        plan_pb2.MapPart(header=header),
        plan_pb2.MapPart(groups=plan_pb2.MapGroups(groups=groups)),
        plan_pb2.MapPart(tasks=plan_pb2.MapTasks(tasks=tasks)),
        plan_pb2.MapPart(layout=plan_pb2.LayoutPart(cells=cells)),
    ]


def _task(plan: Map, task: int, specs: Mapping[str, plan_pb2.TaskSpec]) -> plan_pb2.MapTask:
    spec = plan_pb2.TaskSpec(
        task_id=plan.task_ids[task],
        input=plan_pb2.TaskInput(artifacts=plan.reads[task]),
        output=plan_pb2.TaskOutput(artifact=plan.makes[task]),
    )
    for canary in plan.canaries.get(task, ()):
        spec.validation.canaries.add(candidate=canary.body.decode(), good=canary.good)
    if plan.task_ids[task] in specs:
        spec.MergeFrom(specs[plan.task_ids[task]])
    return plan_pb2.MapTask(
        spec=spec, stage=plan.stages[task], parent=_parent(plan, task), waits_for=sorted(plan.waits_for[task])
    )


def _parent(plan: Map, node: int) -> int | None:
    return None if plan.parents[node] == NO_PARENT else plan.parents[node]


@dataclass(slots=True)
class Running:
    """A runner that serves, and stubs to call it."""

    address: str
    engine: Engine
    hub: Hub
    outputs: OutputFiles
    channel: grpc.aio.Channel
    loops: list[asyncio.Task[None]]

    @property
    def stub(self) -> runner_pb2_grpc.RunnerServiceAsyncStub:
        return runner_pb2_grpc.RunnerServiceStub(self.channel)

    @property
    def workers(self) -> worker_pb2_grpc.WorkerServiceAsyncStub:
        return worker_pb2_grpc.WorkerServiceStub(self.channel)

    async def start(self, plan_id: str, request_id: str = "") -> runner_pb2.ExecutionRef:
        """Starts a plan, and has all of it done anew; returns the reference to its execution."""
        request = runner_pb2.StartExecutionRequest(plan_id=plan_id, request_id=request_id)
        request.settings.reuse = False
        started = await self.stub.StartExecution(request)
        return runner_pb2.ExecutionRef(execution_id=started.execution.execution_id)


class Clock:
    """A clock that a test sets ahead, or back."""

    def __init__(self) -> None:
        self.ahead = 0.0  #: seconds

    def __call__(self) -> float:
        return time.time() + self.ahead


@contextlib.asynccontextmanager
async def running(
    planner: Planner,
    folder: Path,
    *,
    store: Store | None = None,
    timings: StreamTimings | None = None,
    jitter: Jitter = random.uniform,
    feed: Feed | None = None,
    checkpoint_every: int = CHECKPOINT_EVERY,
    options: Sequence[tuple[str, int]] = SERVER_OPTIONS,
    prices: Prices | None = None,
    clock: Callable[[], float] = time.time,
    thoughts: LastThoughts | None = None,
    prune_grace: float = GRACE,
    objects: Objects | None = None,
) -> AsyncIterator[Running]:
    """Serves a runner until the block ends."""
    store = store or MemoryStore()
    prices, feed = prices or Prices(), feed or Feed()
    hub = Hub(feed, thoughts)
    engine = Engine(
        store,
        performer=hub,
        feed=feed,
        timings=timings,
        tables=ModelTables(prices=prices),
        checkpoint_every=checkpoint_every,
        clock=SteadyClock(clock),
        objects=objects,
    )
    outputs = OutputFiles(folder, engine.contents)
    engine.observe(hub)
    engine.observe(outputs)
    server = Server(options)
    server.add(
        runner_pb2_grpc.add_RunnerServiceServicer_to_server,
        RunnerService(
            engine,
            store,
            hub,
            planner,
            prices.currency,
            prune_grace=prune_grace,
            files_of_plan=outputs.of_plan,
        ),
        "runner",
    )
    service = WorkerService(engine, hub, prices, jitter)
    server.add(worker_pb2_grpc.add_WorkerServiceServicer_to_server, service, "worker")
    await engine.open()
    loops = [asyncio.create_task(engine.run()), asyncio.create_task(outputs.run())]
    address = await server.start("127.0.0.1:0")
    try:
        async with connect(address) as channel:
            yield Running(address, engine, hub, outputs, channel, loops)
    finally:
        await server.stop(0.2)
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        await store.close()
