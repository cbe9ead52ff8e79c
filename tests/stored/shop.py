"""The part of the story with inputs of plans and results of files, which also keep results of earlier executions."""

from __future__ import annotations

import hashlib

from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2, worker_pb2
from tests.stored.crew import EXECUTE, Crew, Hand, Key, Move, brings, held, makes_files
from tests.stored.messages import candidate_of
from tests.stored.plans import SHOP, STRICTER_SHOP
from tests.stored.world import World

SUCCEEDED, STOPPED, PAUSED = pb.EXECUTION_STATE_SUCCEEDED, pb.EXECUTION_STATE_STOPPED, pb.EXECUTION_STATE_PAUSED
TABLE: Key = ("shop", "table", EXECUTE)

HUGE = b"north,7,19.90\n" * 90_000  # beyond 1 MiB: it lies in the object store
SALES = {"north.csv": b"north,7,19.90\n", "south/2026.csv": b"south,3,5.00\n"}
MONTH, GOALS = "August 2026", '{"total": 1.50, "regions": ["north", "süd"]}'
RULES = b"Every region has a row.\n"
TABLES = {"table.csv": HUGE, "notes/empty.txt": b"", "notes/made.txt": b"made by hand\n"}
LATE = TABLES | {"notes/late.txt": b"it took a while\n"}
#: Files that were brought and that no candidate has named: under a lease that is out, and under one that has ended.
UNNAMED = {"table.csv": b"north,8,19.90\n" * 90_000, "notes/one.txt": b"not named yet\n"}
LEFT_BEHIND = {"table.csv": b"north,9,19.90\n" * 90_000, "notes/one.txt": b"left behind\n"}


async def inputs_of(world: World) -> list[pb.GivenInput]:
    """Uploads the files of the plan's inputs, and returns what an execution is given."""
    for content in (*SALES.values(), RULES):
        await world.upload(content)
    return [
        pb.GivenInput(name="month", text=MONTH),
        pb.GivenInput(name="goals", json=GOALS),
        pb.GivenInput(name="rules", files=[_file("rules.txt", RULES, "text/plain")]),
        pb.GivenInput(name="sales", files=[_file(path, body, "text/csv") for path, body in SALES.items()]),
    ]


def _file(path: str, body: bytes, media_type: str) -> pb.GivenFile:
    digest = hashlib.sha256(body).hexdigest()
    return pb.GivenFile(path=path, media_type=media_type, digest=digest, size_bytes=len(body))


# ---------------------------------------------------------------- what ends


async def is_pruned_to_its_artifacts(world: World) -> None:
    """Makes an execution of which only the artifacts stay, and one that keeps them."""
    async with world.channel() as channel, Crew(channel, {TABLE: [makes_files(TABLES)]}).at_work():
        await _succeeds(world)
        assert await world.prune(keep_artifacts=True) == 1
        await _keeps(world)


async def what_ends(world: World) -> None:
    """Makes executions that succeed, and one that is stopped and leaves files behind that nothing names."""
    script: dict[Key, list[Move]] = {
        TABLE: [makes_files(TABLES | {"notes/more.txt": b"more\n"}), brings(LATE, held), brings(LEFT_BEHIND, held)]
    }
    async with world.channel() as channel, Crew(channel, script).at_work() as (executor, _):
        await _succeeds(world)
        await _comes_late(world, executor)
        await _is_judged_again(world)
        await _is_stopped(world, executor)


async def _comes_late(world: World, executor: Hand) -> None:
    """Makes an execution that is stopped while files are brought, which are named later, and then count."""
    late = await _is_stopped(world, executor)
    await executor.say(candidate_of(late, LATE))
    await executor.hears("ack", of=late.lease_id)
    await world.tell("ResumeExecution", runner_pb2.ResumeExecutionRequest(), late.execution_id)
    await world.approve(late.execution_id, "charts")
    await world.state(late.execution_id, SUCCEEDED)


async def _succeeds(world: World) -> None:
    execution = await world.start("shop", await inputs_of(world))
    await world.approve(execution, "charts")
    await world.state(execution, SUCCEEDED)


async def _begins(world: World, executor: Hand) -> worker_pb2.Assign:
    """Makes an execution whose first task is held by its worker, which has brought its files."""
    return await executor.holds(await world.start("shop", await inputs_of(world)), "table")


async def _is_stopped(world: World, executor: Hand) -> worker_pb2.Assign:
    """Makes an execution that is stopped while its worker has brought files that no candidate names."""
    begun = await _begins(world, executor)
    stopping = runner_pb2.StopExecutionRequest(reason="not this month")
    await world.tell("StopExecution", stopping, begun.execution_id)
    await world.state(begun.execution_id, STOPPED)
    return begun


async def _keeps(world: World) -> None:
    """Makes an execution that keeps what earlier ones have made, and makes the rest."""
    execution = await world.start("shop", await inputs_of(world), reuse=True, fresh_task_ids=["summary"])
    await world.state(execution, SUCCEEDED)


async def _is_judged_again(world: World) -> None:
    """Makes an execution whose one task is judged by another criterion now, and not made again."""
    await world.compile("shop", STRICTER_SHOP)
    execution = await world.start("shop", await inputs_of(world), reuse=True, until_task_ids=["table"])
    await world.state(execution, SUCCEEDED)
    await world.compile("shop", SHOP)


# ---------------------------------------------------------------- what goes on


def goes_on() -> dict[Key, list[Move]]:
    return {TABLE: [brings(UNNAMED, held), makes_files(TABLES)]}


async def is_paused(world: World) -> None:
    """Makes an execution that is paused before any worker comes: its inputs are still to be given to one."""
    execution = await world.start("shop", await inputs_of(world))
    await world.tell("PauseExecution", runner_pb2.PauseExecutionRequest(reason="until Monday"), execution)
    await world.state(execution, PAUSED)


async def what_goes_on(world: World, executor: Hand) -> None:
    """Makes an execution whose worker has brought files and not named them, and one whose files wait for a person."""
    await _begins(world, executor)
    person = await world.start("shop", await inputs_of(world))
    await world.waits(person, "charts", pb.WAITING_FOR_PERSON)
