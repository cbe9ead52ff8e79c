"""The longest turn of the runner's loop in each phase of an execution, and the time of its end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import grpc.aio

from benchmarks.driving import BrokenRun
from benchmarks.engine import Measure
from benchmarks.ours.executions import compiled, layout_set, started, until_succeeded
from benchmarks.ours.graphs import version
from benchmarks.ours.services import Crew, Services
from benchmarks.ours.timed_runner import REPORT
from benchmarks.sample import Sample
from benchmarks.shapes import Node, plan_json
from signoff.client.values import Ref
from signoff.errors import WatcherTooSlow
from signoff.rpc.channel import connect
from signoff.rpc.statuses import reason_of
from signoff.v1 import runner_pb2, runner_pb2_grpc

TIMED_RUNNER = "benchmarks.ours.timed_runner"
MOST_SLOTS = 10_000  # of one worker
LOOK_AGAIN, WITHIN = 0.01, 60.0  # seconds
LOOK_EVERY = 1.0  # seconds between two snapshots while the execution runs


def behind_one(count: int) -> list[Node]:
    """Returns tasks that all wait for the first: once it is done all are ready, once it is rerun all are undone."""
    return [Node("t0"), *(Node(f"t{n}", ("t0",)) for n in range(1, count))]


@dataclass(slots=True)
class Phases:
    """The longest turns of a timed runner, phase by phase."""

    services: Services
    report: Path
    figures: dict[str, float] = field(default_factory=dict)
    stories: list[str] = field(default_factory=list)
    _told: int = 0  # the number of the last report

    async def over(self, phase: str) -> None:
        """Ends a phase: its figure is the longest turn since the last one."""
        os.kill(self.services.pid("runner"), signal.SIGUSR1)
        await self.heard(phase)

    async def heard(self, phase: str) -> None:
        """Waits for the next report. Raises TimeoutError."""
        async with asyncio.timeout(WITHIN):
            while (told := self._read())["report"] == self._told:  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(LOOK_AGAIN)
        self._told = int(told["report"])
        self.figures[f"{phase}_turn_ms"] = told["longest_ms"]
        self.stories.append(f"{phase}: {told['longest_ms']} ms, {told['what']} (cycles: {told['collecting_ms']} ms)")

    def begun_anew(self) -> None:
        """Notes that the runner is a new process, whose reports are numbered from 1."""
        self._told = 0
        self.report.unlink(missing_ok=True)

    def _read(self) -> dict[str, float]:
        try:
            return dict(json.loads(self.report.read_bytes()))
        except FileNotFoundError:
            return {"report": self._told}


@asynccontextmanager
async def longest_turn(tasks: int) -> AsyncIterator[Measure]:
    """Sets up new services for each run, so that every phase happens once."""

    async def once() -> Sample:
        slots = min(tasks, MOST_SLOTS)
        crews = tuple(Crew(role=role, slots=slots) for role in ("executor", "validator"))
        services = Services(crews=crews, runner_module=TIMED_RUNNER)
        with _reports_to(services.folder / "turns.json") as report:
            async with services:
                return await run(Phases(services, report), behind_one(tasks))

    yield once


@contextmanager
def _reports_to(path: Path) -> Iterator[Path]:
    os.environ[REPORT] = str(path)
    try:
        yield path
    finally:
        del os.environ[REPORT]


async def run(phases: Phases, nodes: list[Node]) -> Sample:
    """Goes through all phases. Raises BrokenRun."""
    services = phases.services
    await phases.over("join")
    await compiled(services, plan_json(nodes), "plan")
    await layout_set(services, "plan")
    await phases.over("layout")
    ref = await started(services, "plan")
    await phases.over("start")
    await _run_and_look(services, ref, nodes)
    await phases.over("run")
    await _look(phases, services, ref, len(nodes), "")
    for name in ("executor-1", "validator-1"):
        await services.kill(name)
    await phases.over("leave")
    await services.client.retry(ref, "t0")
    await phases.over("rollback")
    await _look(phases, services, ref, len(nodes), "undone_")
    await _restart(phases, services)
    ended = await _end(phases, services)
    figures = {"turn_ms": max(phases.figures.values()), "ended_after_seconds": ended, **phases.figures}
    return Sample(figures=figures, version=version(), durable=True, note="; ".join(phases.stories))


async def _run_and_look(services: Services, ref: Ref, nodes: list[Node]) -> None:
    """Takes snapshots of the execution while it runs."""
    running = asyncio.create_task(until_succeeded(services, ref, nodes))
    try:
        while not running.done():
            await _snapshot_unless_too_slow(services, ref, len(nodes))
            await asyncio.wait([running], timeout=LOOK_EVERY)
        await running
    finally:
        running.cancel()


async def _look(phases: Phases, services: Services, ref: Ref, tasks: int, prefix: str) -> None:
    await _snapshot(services, ref, tasks)
    await phases.over(f"{prefix}snapshot")
    if len(set(await _pages(services, ref))) != tasks:
        raise BrokenRun(f"expected {tasks} tasks in all pages together")
    await phases.over(f"{prefix}pages")
    await services.client.list()
    await services.client.workers()
    await phases.over(f"{prefix}lists")


async def _snapshot(services: Services, ref: Ref, tasks: int) -> None:
    """Reads the tasks of a snapshot. Raises BrokenRun unless it has all of them."""
    async with connect(services.addresses["runner"]) as channel:
        request = runner_pb2.WatchExecutionRequest(ref=runner_pb2.ExecutionRef(execution_id=ref.execution_id))
        answers = runner_pb2_grpc.RunnerServiceStub(channel).WatchExecution(request)
        seen = sum([len(answer.snapshot.tasks) async for answer in answers])
    if seen != tasks:
        raise BrokenRun(f"expected a snapshot of {tasks} tasks, but got {seen}")


async def _snapshot_unless_too_slow(services: Services, ref: Ref, tasks: int) -> None:
    """Reads a snapshot of a running execution. A reader that events overtake may try again, so that is no error."""
    try:
        await _snapshot(services, ref, tasks)
    except grpc.aio.AioRpcError as error:
        if reason_of(error) != WatcherTooSlow.reason():
            raise


async def _pages(services: Services, ref: Ref) -> list[str]:
    """Returns the ids of all tasks, page by page."""
    request = runner_pb2.GetExecutionRequest(
        ref=runner_pb2.ExecutionRef(execution_id=ref.execution_id), tasks=runner_pb2.TASK_SELECTION_ALL, page_size=5000
    )
    found: list[str] = []
    async with connect(services.addresses["runner"]) as channel:
        stub = runner_pb2_grpc.RunnerServiceStub(channel)
        while True:
            answer = await stub.GetExecution(request)
            found += (task.task_id for task in answer.tasks)
            if not answer.next_page_token:
                return found
            request.page_token = answer.next_page_token


async def _restart(phases: Phases, services: Services) -> None:
    program = replace(services.children["runner"].program, listens_at=services.addresses["runner"])
    await services.kill("runner")
    phases.begun_anew()
    await services.start(program)
    await phases.over("restart")


async def _end(phases: Phases, services: Services) -> float:
    """Asks the runner to end. Returns the seconds it took."""
    process = services.children.pop("runner").process
    begun = time.perf_counter()
    process.terminate()
    await process.wait()
    took = round(time.perf_counter() - begun, 3)
    await phases.heard("end")
    return took
