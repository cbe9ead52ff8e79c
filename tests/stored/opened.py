"""Data of earlier versions, laid out where this one opens it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict

from runner_svc.objects.choice import objects_for
from runner_svc.objects.port import Objects
from runner_svc.prune.collection import GRACE
from runner_svc.store.port import Store
from runner_svc.store.sqlite import SqliteStore
from signoff.files.data_directory import JOURNAL
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import plan_pb2, runner_pb2
from tests.stored.answers import Json, can_be_named
from tests.stored.pack import unpack
from tests.stored.postgres import load, store_at
from tests.support.servers.raw_worker import PATIENCE
from tests.support.servers.runner import PlannerOfTexts, Running, running

HERE = Path(__file__).parent
DATABASE = ".sql.xz"  # how the name of a stored database ends
LONG_AFTER = 2 * 3600.0  # seconds after which all waiting times are over
WITHIN = 60.0  # seconds that a runner is open
SUCCEEDED, PAUSED = pb.EXECUTION_STATE_SUCCEEDED, pb.EXECUTION_STATE_PAUSED
FINAL = ("EXECUTION_STATE_SUCCEEDED", "EXECUTION_STATE_FAILED", "EXECUTION_STATE_STOPPED")
SHOP = "shop"  # the plan whose results are files; earlier versions knew none
QUARANTINED = "EXECUTION_STATE_QUARANTINED"


@dataclass(frozen=True, slots=True)
class Stored:
    """A data folder or a database of an earlier version, with that version's answers about it."""

    archive: Path
    answers: Json

    @property
    def name(self) -> str:
        return f"{self.archive.parent.name}-{self.answers['name']}"

    @property
    def is_poisoned(self) -> bool:
        return "victim" in self.answers

    @property
    def is_database(self) -> bool:
        return self.archive.name.endswith(DATABASE)

    @property
    def unfinished(self) -> list[str]:
        """Returns the ids of the executions that go on, once they have workers and a person."""
        overviews = [one["execution"] for one in self.answers["executions"]]
        return [each["executionId"] for each in overviews if each["state"] not in (*FINAL, QUARANTINED)]

    @property
    def plans(self) -> list[str]:
        return sorted({one["execution"]["planId"] for one in self.answers["executions"]})

    def execution(self, plan_id: str, state: str, number: int = -1) -> str:
        """Returns the id of an execution of a plan in a state. `number`: which of them, from the oldest on."""
        overviews = [one["execution"] for one in self.answers["executions"]]
        found = [each for each in overviews if (each["planId"], each["state"]) == (plan_id, state)]
        return str(found[number]["executionId"])

    def store(self, data: Path) -> Store:
        """Unpacks the data folder, unless it is there already; returns the store in it."""
        if not data.exists():
            unpack(self.archive, data)
        return SqliteStore(data / JOURNAL)

    def inputs(self, plan_id: str) -> list[pb.GivenInput]:
        """Returns the inputs that the last execution of a plan was given."""
        asked = [one["request"] for one in self.answers["requests"] if one["rpc"] == "StartExecution"]
        given = [one.get("inputs", []) for one in asked if one["planId"] == plan_id]
        return [ParseDict(one, pb.GivenInput()) for one in given[-1]]

    @property
    def left_at(self) -> float:
        """Returns the time of the last change, in the version's answers."""
        tasks = [task for one in self.answers["executions"] for task in one["tasks"] if "changedAt" in task]
        return max(datetime.fromisoformat(task["changedAt"]).timestamp() for task in tasks)


def found(suffix: str) -> Iterator[Stored]:
    """Yields everything that is stored in one form, of all versions: a new version only adds files."""
    for archive in sorted(HERE.glob(f"*/*{suffix}")):
        answers = archive.with_name(archive.name.removesuffix(suffix) + ".json")
        yield Stored(archive, json.loads(answers.read_text()))


def parameters(stored: Iterable[Stored]) -> list[Any]:
    return [pytest.param(one, id=one.name) for one in stored]


FOLDERS = list(found(".tar.xz"))
HEALTHY = parameters(one for one in FOLDERS if not one.is_poisoned)
POISONED = parameters(one for one in FOLDERS if one.is_poisoned)
DATABASES = parameters(found(DATABASE))
WITH_FILES = [one for one in (*HEALTHY, *DATABASES) if SHOP in one.values[0].plans]


@dataclass(slots=True)
class Laid:
    """Healthy data in its own kind of store, for one test."""

    stored: Stored
    data: Path
    dsn: str = ""  #: of a database; empty: a data folder
    is_loaded: bool = False

    async def store(self) -> Store:
        """Returns the store, with all that a runner has done in it since."""
        if not self.dsn:
            return self.stored.store(self.data)
        if not self.is_loaded:
            await load(self.stored.archive, self.dsn)
            self.is_loaded = True
        return store_at(self.dsn)

    @contextlib.asynccontextmanager
    async def opened(self, prune_grace: float = GRACE) -> AsyncIterator[Running]:
        """Runs this version over the data."""
        async with opened(self.stored, await self.store(), self.data, prune_grace) as runner:
            yield runner


@contextlib.asynccontextmanager
async def opened(stored: Stored, store: Store, data: Path, prune_grace: float = GRACE) -> AsyncIterator[Running]:
    """Runs this version over the data, some time later; both loops of the runner must be alive in the end."""
    begun = time.monotonic()

    def clock() -> float:
        return stored.left_at + LONG_AFTER + time.monotonic() - begun

    objects = await objects_of(store, data)
    runs = running(PlannerOfTexts(), data, store=store, clock=clock, objects=objects, prune_grace=prune_grace)
    async with runs as runner, asyncio.timeout(WITHIN), _loops_alive(runner):
        await runner.engine.contents.sweep()
        yield runner


async def objects_of(store: Store, data: Path) -> Objects | None:
    """Opens the object store that belongs to a store by default."""
    objects = objects_for(data, "", is_local=isinstance(store, SqliteStore))
    if objects is not None:
        await objects.open()
    return objects


@contextlib.asynccontextmanager
async def _loops_alive(runner: Running) -> AsyncIterator[None]:
    """Fails at once when a loop of the runner ends: nothing would be answered any more."""
    test = asyncio.current_task()
    assert test is not None

    def ended(loop: asyncio.Task[None]) -> None:
        test.cancel(f"a loop of the runner has ended: {loop.exception()!r}")

    for loop in runner.loops:
        loop.add_done_callback(ended)
    try:
        yield
    except asyncio.CancelledError:
        for loop in runner.loops:
            assert not loop.done(), f"a loop of the runner has ended: {loop.exception()!r}"
        raise
    finally:
        for loop in runner.loops:
            loop.remove_done_callback(ended)


async def start(runner: Running, stored: Stored, plan_id: str, *, reuse: bool = False) -> str:
    """Starts a plan with the inputs that it was given last; returns the id of the execution."""
    request = runner_pb2.StartExecutionRequest(plan_id=plan_id, inputs=stored.inputs(plan_id))
    request.settings.reuse = reuse
    return str((await runner.stub.StartExecution(request)).execution.execution_id)


async def finish(runner: Running, execution_id: str) -> None:
    """Brings an execution to success: gives the commands of a person, while workers do the work."""
    ref = runner_pb2.ExecutionRef(execution_id=execution_id)
    deadline = time.monotonic() + PATIENCE
    while True:
        found = await tasks_of(runner, execution_id)
        if found.execution.state == SUCCEEDED:
            return
        assert time.monotonic() < deadline, f"expected it to succeed, but this is how it stands: {found}"
        if found.execution.state == PAUSED:
            await runner.stub.SetBudget(runner_pb2.SetBudgetRequest(ref=ref, budget=plan_pb2.Budget()))
            await runner.stub.ResumeExecution(runner_pb2.ResumeExecutionRequest(ref=ref))
        await _approve(runner, ref, found.tasks)
        await asyncio.sleep(0.02)


async def _approve(runner: Running, ref: runner_pb2.ExecutionRef, tasks: Any) -> None:
    for task in tasks:
        if task.waiting.waiting_for == pb.WAITING_FOR_PERSON:
            request = runner_pb2.JudgeTaskRequest(ref=ref, task_id=task.task_id, outcome=pb.OUTCOME_PASS, person="Ada")
            await runner.stub.JudgeTask(request)


async def tasks_of(runner: Running, execution_id: str) -> runner_pb2.GetExecutionResponse:
    ref = runner_pb2.ExecutionRef(execution_id=execution_id)
    request = runner_pb2.GetExecutionRequest(ref=ref, tasks=runner_pb2.TASK_SELECTION_ALL, page_size=5000)
    return await runner.stub.GetExecution(request)


async def repeat(runner: Running, asked: Json) -> str:
    """Gives a command again that the version accepted; returns the id of the execution that answers."""
    request = ParseDict(asked["request"], getattr(runner_pb2, f"{asked['rpc']}Request")())
    answer = await getattr(runner.stub, asked["rpc"])(request)
    return str(answer.execution.execution_id)


_OF_THE_MOMENT = ("waiting", "took", "worker")  # fields of a task about the moment, not about the past


def differences(then: Any, now: Any, path: str = "") -> Iterator[str]:
    """Yields the differences to the answers of the earlier version. Additional fields are none."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key, value in then.items():
            if key not in _OF_THE_MOMENT and (not path.endswith("/artifacts") or can_be_named(key)):
                yield from differences(value, now.get(key), f"{path}/{key}")
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for number, (old, new) in enumerate(zip(then, now, strict=True)):
            yield from differences(old, new, f"{path}/{number}")
    elif then != now:
        yield f"{path}: expected {then!r}, but got {now!r}"
