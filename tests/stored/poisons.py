"""Poisons: data folders that an earlier version died of and did not recover from.

In each a healthy execution has begun before the poison came, and could go on. What the version does after a restart is
tried on a copy and written down; the folder itself is as the version left it.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import grpc.aio

from planner_svc.store import read_parts
from signoff.errors import SignoffError
from signoff.files.data_directory import JOURNAL
from signoff.rpc.server import Server
from signoff.v1 import checkpoint_pb2, plan_pb2, planner_pb2, planner_pb2_grpc, worker_pb2
from signoff.v1 import execution_pb2 as pb
from tests.stored.answers import Json, answers_of
from tests.stored.crew import EXECUTE, Crew, Hand, Key, Move, held
from tests.stored.messages import candidate
from tests.stored.pack import copied
from tests.stored.plans import LETTER, task
from tests.stored.world import World, world
from tests.support.servers.service import Service, until

GOES_ON_WITHIN = 20.0  # seconds that a healthy execution gets after a restart; it needs less than two
PAIR: Json = {"idea": "Two things", "tasks": [task("a", "first"), task("b", "second")]}

Rename: TypeAlias = Mapping[str, str]
Poisoning: TypeAlias = Callable[[World, Hand, Mapping[str, worker_pb2.Assign]], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Poison:
    """A plan, and the messages of a worker about its two tasks that an earlier runner died of."""

    give: Poisoning
    plan: Json = field(default_factory=lambda: PAIR)
    renames: Rename = field(default_factory=dict)  #: changes of task ids by a rogue planner
    kills: bool = True  #: whether the runner dies of it


async def tell(poison: Poison, folder: Path) -> Json:
    """Poisons a data folder; returns the runner's last answers, its end, and its state after a restart."""
    async with _planner(folder, poison.renames) as planner, world(folder, planner=planner) as here:
        before, victim = await _poisoned(here, poison)
        ended = _ending(here.runner)
        journal = here.data / JOURNAL
        state = {"journal": _journal(journal), "checkpoint": _checkpoint(journal)}
    after = await _afterwards(folder, before["executions"][0]["execution"]["executionId"])
    return before | {"victim": victim, "ended": ended} | state | {"after_restart": after}


async def _poisoned(here: World, poison: Poison) -> tuple[Json, str]:
    await here.compile("letter", LETTER)
    await here.compile("poisoned", poison.plan)
    tasks = [task["task_id"] for task in poison.plan["tasks"] if "output" in task]
    renamed = [poison.renames.get(task, task) for task in tasks]
    script: dict[Key, list[Move]] = {("poisoned", task, EXECUTE): [held] for task in renamed}
    script["letter", "copy", EXECUTE] = [held]
    async with here.channel() as channel, Crew(channel, script).at_work() as (executor, _):
        healthy = await here.start("letter")
        await here.waits(healthy, "copy", pb.WAITING_FOR_CANDIDATE)
        victim = await here.start("poisoned")
        await until(lambda: sum(one.plan_id == "poisoned" for one in executor.given) == len(tasks), "leases")
        answers = await answers_of(channel) | {"requests": list(here.requests)}
        leases = {task: _lease(executor, name) for task, name in zip(tasks, renamed, strict=True)}
        await poison.give(here, executor, leases)
        if poison.kills:
            await until(lambda: not here.runner.is_up, "the runner dies of the poison, as only some versions do")
    await here.runner.kill()
    return answers, victim


def _lease(executor: Hand, task_id: str) -> worker_pb2.Assign:
    return next(one for one in executor.given if one.plan_id == "poisoned" and one.task.task_id == task_id)


def _ending(runner: Service) -> Json:
    """Returns the exit of the process, and the last words of its log."""
    assert runner.process is not None
    said = [line.strip() for line in runner.said().splitlines() if line.strip()]
    errors = [line for line in said if "Error" in line]
    return {"exit_code": runner.process.returncode, "said": errors[-1][-300:] if errors else said[-1][-300:]}


def _journal(path: Path) -> dict[str, int]:
    """Returns the last sequence of each journal."""
    with closing(sqlite3.connect(path)) as db:
        return dict(db.execute("SELECT journal, max(sequence) FROM event GROUP BY journal"))


def _checkpoint(path: Path) -> dict[str, int]:
    """Returns the sequence of each execution in the checkpoint."""
    with closing(sqlite3.connect(path)) as db:
        bodies = [row[0] for row in db.execute("SELECT body FROM execution_checkpoint")]
    kept = map(checkpoint_pb2.ExecutionCheckpoint.FromString, bodies)
    return {one.execution.execution_id: one.execution.sequence for one in kept}


# ---------------------------------------------------------------- afterwards


async def _afterwards(folder: Path, healthy: str) -> Json:
    """Starts the version again on a copy, with workers that finish everything, and looks at the healthy execution."""
    again = folder / "again"
    again.mkdir()
    copied(folder / "db", again / "db")
    flags = ("--data-dir", str(again / "db"))
    runner = Service(name="again", module="runner_svc", flags=flags, folder=again, listens=True)
    try:
        await runner.start()
        goes_on = await _goes_on(runner, healthy)
    except AssertionError:
        goes_on = False  # it ended before it listened
    finally:
        is_up = runner.is_up
        await runner.kill()
        if runner.process is not None and runner.process.stdin is not None:
            runner.process.stdin.close()
    return {"healthy_goes_on": goes_on, "runner_is_up": is_up, **({} if is_up else {"ended": _ending(runner)})}


async def _goes_on(runner: Service, healthy: str) -> bool:
    """Tells whether the healthy execution gets as far as waiting for a person."""
    here = World(runner.folder, runner, runner)
    with contextlib.suppress(TimeoutError, SignoffError, grpc.aio.AioRpcError):
        async with asyncio.timeout(GOES_ON_WITHIN), here.channel() as channel, Crew(channel).at_work():
            await answers_of(channel)  # as a person who looks at everything
            await here.waits(healthy, "final", pb.WAITING_FOR_PERSON)
            return True
    with contextlib.suppress(AssertionError):
        await until(lambda: not runner.is_up, "it ends, as it is about to", GOES_ON_WITHIN)
    return False


# ---------------------------------------------------------------- a rogue planner


class _Rogue(planner_pb2_grpc.PlannerServiceServicer):
    """Serves the maps that the planner stored, with other task ids in them."""

    def __init__(self, data: Path, renames: Rename) -> None:
        self._data, self._renames = data, renames

    async def GetPlan(self, request: planner_pb2.GetPlanRequest, context: object) -> object:  # type: ignore[override]
        with (self._data / request.plan_id / "map.pb").open("rb") as file:
            for body in read_parts(file):
                part = plan_pb2.MapPart.FromString(body)
                for task in part.tasks.tasks:
                    task.spec.task_id = self._renames.get(task.spec.task_id, task.spec.task_id)
                yield planner_pb2.GetPlanResponse(part=part)


@contextlib.asynccontextmanager
async def _planner(folder: Path, renames: Rename):  # type: ignore[no-untyped-def]
    """Serves a rogue planner if one is wanted; its address, or nothing."""
    if not renames:
        yield ""
        return
    server = Server()
    rogue = _Rogue(folder / "db", renames)  # type: ignore[abstract]  # it serves maps, and nothing else
    server.add(planner_pb2_grpc.add_PlannerServiceServicer_to_server, rogue, "rogue")
    try:
        yield await server.start("127.0.0.1:0")
    finally:
        await server.stop(0)


# ---------------------------------------------------------------- the poisons


async def _frame(_here: World, executor: Hand, leases: Mapping[str, worker_pb2.Assign]) -> None:
    """A good candidate, and in the same frame a report under a number that is none."""
    good = candidate(leases["a"], b"good work")
    lease = f"{leases['b'].execution_id}.{'9' * 5000}"
    bad = worker_pb2.Failure(lease_id=lease, kind=pb.FAILURE_KIND_TRANSIENT, message="never given")
    await executor.say(good, worker_pb2.WorkerMessage(failure=bad))


async def _surrogate(_here: World, executor: Hand, leases: Mapping[str, worker_pb2.Assign]) -> None:
    """JSON with half a character, which no file can hold; it is signed off."""
    await executor.say(candidate(leases["a"], rb'{"t": "Launch day \ud83d"}', "application/json"))


async def _wait(_here: World, executor: Hand, leases: Mapping[str, worker_pb2.Assign]) -> None:
    """A provider that wants to be left alone until after the end of the calendar."""
    failure = worker_pb2.Failure(lease_id=leases["a"].lease_id, kind=pb.FAILURE_KIND_RATE_LIMITED, message="later")
    failure.retry_after.seconds = 2**63 - 1
    await executor.say(worker_pb2.WorkerMessage(failure=failure))


async def _cost(here: World, executor: Hand, leases: Mapping[str, worker_pb2.Assign]) -> None:
    """Amounts that are more than 64 bits hold together: a look ends the runner. The leases were never given."""
    await executor.say(*(_spent(lease, "priced") for lease in _never_given(leases["a"], 32)))
    await _look(here)


async def _tokens(here: World, executor: Hand, leases: Mapping[str, worker_pb2.Assign]) -> None:
    """The same without a price, which takes thousands of reports."""
    invented = _never_given(leases["a"], 33_000)
    for start in range(0, len(invented), 500):
        await executor.say(*(_spent(lease, "unpriced") for lease in invented[start : start + 500]))
    await _look(here)


def _never_given(assign: worker_pb2.Assign, count: int) -> list[str]:
    """Lease ids of a task as the runner makes them, none of which it gave."""
    task = assign.lease_id.rpartition(".")[0]
    return [f"{task}.{number}" for number in range(100, 100 + count)]


def _spent(lease_id: str, model: str) -> worker_pb2.WorkerMessage:
    """Returns a report with as many tokens as one may have."""
    most = 2**48
    spent = worker_pb2.Usage(lease_id=lease_id, model=model, input_tokens=most, output_tokens=most, requests=1)
    return worker_pb2.WorkerMessage(usage=spent)


async def _look(here: World) -> None:
    with contextlib.suppress(grpc.aio.AioRpcError, TimeoutError):
        async with asyncio.timeout(60), here.channel() as channel:
            while here.runner.is_up:
                await answers_of(channel)
                await asyncio.sleep(0.1)


async def _done(here: World, executor: Hand, leases: Mapping[str, worker_pb2.Assign]) -> None:
    """The first task is signed off."""
    await executor.say(candidate(next(iter(leases.values())), b"good work"))
    if (here.data / "poisoned").exists():
        await asyncio.sleep(2)


async def _nothing(here: World, executor: Hand, leases: Mapping[str, worker_pb2.Assign]) -> None:
    await _done(here, executor, leases)
    await asyncio.sleep(2)


def _nested(depth: int) -> Json:
    """One task at the end of a thousand groups."""
    names = [f"g{level}" for level in range(depth)]
    groups = [{"task_id": name, "description": name} for name in names]
    for above, group in zip(names, groups[1:], strict=False):
        group["parent_id"] = above
    return {"idea": "Deep down", "tasks": [*groups, task("a", "first", parent_id=names[-1])]}


POISONS: dict[str, Poison] = {
    "frame": Poison(give=_frame),
    "surrogate": Poison(give=_surrogate),
    "wait": Poison(give=_wait),
    "cost": Poison(give=_cost),
    "tokens": Poison(give=_tokens),
    "nul": Poison(give=_done, renames={"a": "a\0b"}),
    "outside": Poison(give=_nothing, renames={"a": "../../outside"}, kills=False),
    "nested": Poison(give=_done, plan=_nested(1_000)),
}
