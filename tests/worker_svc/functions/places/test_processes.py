"""A worker of an app as a real process: its functions never hold up the conversation with the runner."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from runner_svc.codec.maps import map_from_parts
from runner_svc.core.fleet.timings import StreamTimings
from runner_svc.planner import Fetched
from signoff.client.client import Client
from signoff.client.values import by_execution
from signoff.v1 import execution_pb2, plan_pb2, runner_pb2, worker_pb2
from tests.support.servers.runner import PlannerOfTexts, parts_of, running
from tests.support.servers.scripted_runner import ScriptedRunner, Stream, ToWorker, ack, assign, cancel, ping, welcome
from tests.support.values.maps import map_of
from tests.support.work.functions import SAMPLE
from tests.worker_svc.functions.places.test_places import gone, is_alive
from tests.worker_svc.test_main import exit_code, process

WITHIN = 20.0  # seconds for what takes about one
APP = ("--role", "executor", "--app", SAMPLE, "--slots", "2")
BLOCKING = ["blocks", "blocks_thread", "blocks_process"]
PING = 0.2  # seconds; three missed ones end a session


@pytest.fixture
async def runner() -> AsyncIterator[ScriptedRunner]:
    async with ScriptedRunner() as listening:
        yield listening


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """A pipe whose reader blocks until the test writes to it."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


async def freed(fifo: Path) -> None:
    """Lets the reader go on as soon as there is one."""
    await asyncio.to_thread(fifo.write_text, "freed")


def asks(function: str, lease: str = "L1", **parameters: Any) -> ToWorker:
    """Returns an assignment for a function."""
    message = assign(lease, thinking_wanted=True)
    message.assign.task.executor.name = function
    message.assign.task.input.parameters_json = json.dumps(parameters)
    return message


async def next_of(stream: Stream, kind: str) -> Any:
    """Returns the worker's next message of a kind; passes over others."""
    while (message := await stream.next()).WhichOneof("kind") != kind:
        pass
    return getattr(message, kind)


@pytest.mark.guard(name="functions never run on the worker's own loop")
@pytest.mark.parametrize("function", BLOCKING)
async def test_a_function_that_blocks_never_stops_the_pongs(function: str, runner: ScriptedRunner, fifo: Path) -> None:
    async with process(runner, *APP):
        stream = await runner.stream()
        await stream.send(welcome(), asks(function, fifo=str(fifo)))
        await next_of(stream, "progress")
        for nonce in range(10):
            await stream.send(ping(nonce, timedelta(seconds=PING)))
            assert (await next_of(stream, "pong")).nonce == nonce
        await stream.send(ping(10, timedelta(seconds=WITHIN)))
        await freed(fifo)
        candidate = await next_of(stream, "candidate")
    assert candidate.inline == b"freed"


async def test_work_goes_on_beside_a_function_that_blocks(runner: ScriptedRunner, fifo: Path) -> None:
    async with process(runner, *APP):
        stream = await runner.stream()
        await stream.send(welcome(), asks("blocks", fifo=str(fifo)))
        await next_of(stream, "progress")
        await stream.send(asks("counts", "L2", text="a b c"))
        candidate = await next_of(stream, "candidate")
        await freed(fifo)
    assert (candidate.lease_id, json.loads(candidate.inline)["words"]) == ("L2", 3)


async def test_cancel_frees_the_slot_at_once_and_kills_the_process(runner: ScriptedRunner, fifo: Path) -> None:
    async with process(runner, *APP, "--slots", "1"):
        stream = await runner.stream()
        await stream.send(welcome(), asks("blocks_process", fifo=str(fifo)))
        pids = [int(pid) for pid in (await next_of(stream, "progress")).thinking.split()]
        assert all(map(is_alive, pids))
        await stream.send(cancel("L1"), asks("fetch", "L2", topic="Mars"))
        assert (await next_of(stream, "candidate")).lease_id == "L2"
        await gone(pids)


@pytest.mark.parametrize("function", [*BLOCKING, "leaves_a_thread"])
async def test_a_worker_ends_whatever_its_functions_do(function: str, runner: ScriptedRunner, fifo: Path) -> None:
    async with process(runner, *APP, "--grace", "0") as worker:
        stream = await runner.stream()
        await stream.send(welcome(), asks(function, fifo=str(fifo)))
        await next_of(stream, "progress")
        worker.send_signal(signal.SIGTERM)
        assert (await next_of(stream, "abandon")).lease_id == "L1"
        code, said = await exit_code(worker)
    assert code == 0, said
    assert "Traceback" not in said


async def test_no_process_of_a_function_outlives_a_worker_that_is_killed(runner: ScriptedRunner, fifo: Path) -> None:
    async with process(runner, *APP) as worker:
        stream = await runner.stream()
        await stream.send(welcome(), asks("blocks_process", fifo=str(fifo)))
        pids = [int(pid) for pid in (await next_of(stream, "progress")).thinking.split()]
        worker.kill()
        await gone(pids)


async def test_a_result_is_told_again_after_a_lost_stream_as_any_other(runner: ScriptedRunner) -> None:
    async with process(runner, *APP):
        stream = await runner.stream()
        await stream.send(welcome(), asks("fetch", topic="Mars"))
        first = await next_of(stream, "candidate")
        stream.end()
        stream = await runner.stream()
        await stream.send(welcome(), ToWorker(keep=worker_pb2.Keep(lease_id="L1")))
        assert (await next_of(stream, "candidate")) == first
        await stream.send(ack("L1"))


@pytest.mark.guard(name="forks leave gRPC alone")
@pytest.mark.skipif(find_spec("uvloop") is None, reason="uvloop is not installed")
async def test_no_program_dies_before_it_begins_because_the_stream_is_busy() -> None:
    command = (sys.executable, "-m", "tests.support.processes.spawning", "200")
    spawning = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    out, _ = await asyncio.wait_for(spawning.communicate(), 3 * WITHIN)
    assert out.decode().splitlines()[-1] == "0"


# ---------------------------------------------------------------- with the real runner


class PlannerOfFunctions:
    """The planner port over one plan: a task that a function executes, and one that a function judges."""

    def __init__(self, fifo: Path) -> None:
        self._fifo = str(fifo)

    async def fetch(self, plan_id: str) -> Fetched:
        parts = parts_of(map_of("slow[text]; papers[papers] <- slow", plan_id))
        specs = {task.spec.task_id: task.spec for part in parts for task in part.tasks.tasks}
        _let_execute(specs["slow"], "blocks", fifo=self._fifo)
        specs["slow"].validation.checks.add().length.min_chars = 1
        _let_execute(specs["papers"], "fetch", topic="Mars")
        specs["papers"].validation.checks.add().function.name = "complete"
        bodies = tuple(part.SerializeToString(deterministic=True) for part in parts)
        return Fetched(header=parts[0].header, map=map_from_parts(parts), parts=bodies)


def _let_execute(spec: plan_pb2.TaskSpec, function: str, **parameters: str) -> None:
    spec.executor.name = function
    spec.input.parameters_json = json.dumps(parameters)


async def test_a_function_that_blocks_for_many_pings_loses_no_lease(tmp_path: Path, fifo: Path) -> None:
    quick = StreamTimings(ping_interval=PING, resume_grace=0.0)
    judge = ("--role", "validator", "--app", SAMPLE)
    async with (
        running(PlannerOfFunctions(fifo), tmp_path, timings=quick) as served,
        process(served, *APP),
        process(served, *judge),
        Client(runner=served.address) as client,
    ):
        events = await _watched(client, await served.start("plan"), fifo)
    kinds = [event.WhichOneof("kind") for event in events]
    assert kinds[-1] == "execution_succeeded", kinds
    assert not {"lease_lost", "attempt_failed"} & set(kinds)
    verdicts = [event.verdict_passed for event in events if event.HasField("verdict_passed")]
    assert verdicts[-1].results[-1].criterion == "passes the function complete"


async def test_what_a_function_has_saved_outlives_its_process(tmp_path: Path) -> None:
    spec = plan_pb2.TaskSpec()
    spec.executor.name = "goes_on"
    spec.validation.checks.add().regex.pattern = "page 3"
    judge = ("--role", "validator", "--app", SAMPLE)
    async with (
        running(PlannerOfTexts({"a": spec}, plan="a"), tmp_path) as served,
        process(served, *APP),
        process(served, *judge),
        Client(runner=served.address) as client,
        asyncio.timeout(WITHIN),
    ):
        ref = by_execution((await served.start("plan")).execution_id)
        events = [event async for event in client.watch(ref, after=0) if isinstance(event, execution_pb2.Event)]
        artifact = await client.artifact(ref, "a")
    kinds = [event.WhichOneof("kind") for event in events if event.task_id]
    executed = ["task_assigned", "checkpoint_stored", "attempt_failed", "retry_scheduled", "task_assigned"]
    assert kinds == [*executed, "candidate_stored", "task_assigned", "verdict_passed"]
    assert artifact.content == b"went on from page 3"


async def _watched(client: Client, ref: runner_pb2.ExecutionRef, fifo: Path) -> list[execution_pb2.Event]:
    """Collects all events. A blocked function goes on after eight pings: the runner gives a worker up after three."""
    events: list[execution_pb2.Event] = []
    async with asyncio.timeout(WITHIN), asyncio.TaskGroup() as group:
        async for message in client.watch(by_execution(ref.execution_id), after=0):
            assert isinstance(message, execution_pb2.Event)
            events.append(message)
            if message.WhichOneof("kind") == "task_assigned" and len(events) < 5:
                group.create_task(_freed_after(8 * PING, fifo))
    return events


async def _freed_after(seconds: float, fifo: Path) -> None:
    await asyncio.sleep(seconds)
    await freed(fifo)
