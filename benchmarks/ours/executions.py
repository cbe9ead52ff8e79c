"""One execution from plan to end, as a client sees it, and the proof that nothing was left out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.driving import BrokenRun
from benchmarks.ours.services import LOOK_AGAIN, Services
from benchmarks.shapes import Node, plan_json
from signoff.client.values import Ref, by_execution
from signoff.rpc.channel import connect
from signoff.v1 import execution_pb2, runner_pb2, runner_pb2_grpc

Event = execution_pb2.Event
SUCCEEDED = execution_pb2.EXECUTION_STATE_SUCCEEDED
EXECUTE, VALIDATE = execution_pb2.PHASE_EXECUTE, execution_pb2.PHASE_VALIDATE

MOST_CHECKED = 20_000  # tasks whose every event is read again after the run; of larger runs only the counts


async def compiled(services: Services, plan: bytes, plan_id: str) -> float:
    """Compiles and stores a plan. Returns the seconds it took. Raises BrokenRun when the plan has errors."""
    begun = time.perf_counter()
    compilation = await services.client.compile_plan(plan, plan_id=plan_id)
    if not compilation.ok:
        raise BrokenRun(f"expected {plan_id} to compile, but got {compilation.diagnostics[0].message}")
    return time.perf_counter() - begun


async def layout_set(services: Services, plan_id: str) -> float:
    """Hands a compiled plan to the runner, without the client's time limit. Returns the seconds it took."""
    begun = time.perf_counter()
    async with connect(services.addresses["runner"]) as channel:
        await runner_pb2_grpc.RunnerServiceStub(channel).SetLayout(runner_pb2.SetLayoutRequest(plan_id=plan_id))
    return time.perf_counter() - begun


async def started(services: Services, plan_id: str) -> Ref:
    """Starts an execution with the default settings, without the client's time limit."""
    async with connect(services.addresses["runner"]) as channel:
        request = runner_pb2.StartExecutionRequest(plan_id=plan_id)
        answer = await runner_pb2_grpc.RunnerServiceStub(channel).StartExecution(request)
    return by_execution(answer.execution.execution_id)


async def prepared(services: Services, nodes: Sequence[Node], plan_id: str) -> None:
    await compiled(services, plan_json(nodes), plan_id)
    await layout_set(services, plan_id)


async def until_succeeded(services: Services, ref: Ref, nodes: Sequence[Node]) -> None:
    """Watches the last task until the execution ends, and asks how it ended. Raises BrokenRun."""
    async for _ in services.client.watch(ref, task_ids=(nodes[-1].id,)):
        pass
    execution = await services.client.get(ref)
    if execution.state != SUCCEEDED or execution.counts.done != len(nodes):
        raise BrokenRun(f"expected {len(nodes)} tasks to be signed off, but got {execution.counts}")


async def until_written(services: Services, plan_id: str, nodes: Sequence[Node]) -> None:
    """Waits for output.json of every task: these files are written after the commit, and would burden the next run."""
    folder = services.settings.data_dir / plan_id
    for node in nodes:
        while not (folder / node.id / "output.json").exists():
            services.raise_if_dead()
            await asyncio.sleep(LOOK_AGAIN)


async def history(services: Services, ref: Ref) -> list[Event]:
    """Returns every event of an execution."""
    messages = services.client.watch(ref, after=0, follow=False)
    return [message async for message in messages if isinstance(message, Event)]


async def check(services: Services, ref: Ref, nodes: Sequence[Node]) -> None:
    """Raises BrokenRun unless the journal shows every task executed, validated and in order."""
    if len(nodes) <= MOST_CHECKED:
        check_events(await history(services, ref), nodes)


def check_events(events: Iterable[Event], nodes: Sequence[Node]) -> None:
    """Raises BrokenRun unless each task has one candidate and one pass, and began after what it depends on."""
    needs = {node.id: node.depends_on for node in nodes}
    made, passed = set[str](), set[str]()
    for event in events:
        match event.WhichOneof("kind"):
            case "task_assigned" if not passed.issuperset(needs[event.task_id]):
                raise BrokenRun(f"expected {event.task_id} after all it depends on, but it was assigned before")
            case "candidate_stored":
                _once(made, event.task_id, "candidate")
            case "verdict_passed":
                _once(passed, event.task_id, "pass")
    if not len(made) == len(passed) == len(nodes):
        raise BrokenRun(f"expected {len(nodes)} candidates and passes, but got {len(made)} and {len(passed)}")


def _once(seen: set[str], task_id: str, what: str) -> None:
    if task_id in seen:
        raise BrokenRun(f"expected one {what} of {task_id}, but got two")
    seen.add(task_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """The number of tasks that executors held at once."""

    most: int  #: at once
    seconds: float  #: from the start of the execution until there were so many


def flight_of(events: Iterable[Event]) -> Flight:
    """Computes it from the times in the journal."""
    in_hand, begun, best = 0, 0.0, Flight(most=0, seconds=0.0)
    for event in events:
        at = event.at.seconds + event.at.nanos / 1e9
        kind = event.WhichOneof("kind")
        if kind == "execution_started":
            begun = at
        elif kind == "candidate_stored":
            in_hand -= 1
        elif kind == "task_assigned" and event.task_assigned.phase == EXECUTE:
            in_hand += 1
            if in_hand > best.most:
                best = Flight(most=in_hand, seconds=at - begun)
    return best
