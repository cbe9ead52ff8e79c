"""The part of the story in which things go wrong: models that are away, lost workers, late results, damaged rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import asyncpg
from google.protobuf.duration_pb2 import Duration

from signoff.files.data_directory import JOURNAL
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2
from tests.stored.crew import EXECUTE, VALIDATE, Crew, Key, Move, breaks, done, fails, held
from tests.stored.messages import candidate
from tests.stored.world import World

SUCCEEDED, STOPPED = pb.EXECUTION_STATE_SUCCEEDED, pb.EXECUTION_STATE_STOPPED
QUESTION: Key = ("question", "ask", EXECUTE)
PATIENT = Duration(seconds=30 * 24 * 3600)  # the longest that work may wait for a model


async def what_ends(world: World) -> None:
    await _is_stopped(world)
    await _is_given_to_another(world)
    await _is_away_for_a_while(world)


async def _is_stopped(world: World) -> None:
    """Makes an execution that is stopped while a lease is out, whose result then comes late, and counts."""
    script: dict[Key, list[Move]] = {("report", "1_2", EXECUTE): [held]}
    async with world.channel() as channel, Crew(channel, script).at_work() as (executor, _):
        execution = await world.start("report")
        late = await executor.holds(execution, "1_2")
        await world.tell("StopExecution", runner_pb2.StopExecutionRequest(reason="no longer needed"), execution)
        await world.state(execution, STOPPED)
        await executor.say(candidate(late, b"late"))
        await executor.hears("ack", of=late.lease_id)


async def _is_given_to_another(world: World) -> None:
    """Makes an execution whose judge breaks once, and whose worker forgets a lease and has its result too late.

    It is paused twice, which changes nothing the second time, and goes on.
    """
    script: dict[Key, list[Move]] = {("letter", "draft", VALIDATE): [breaks], ("letter", "copy", EXECUTE): [held, done]}
    async with world.channel() as channel:
        crew = Crew(channel, script)
        async with crew.at_work() as (executor, _):
            execution = await world.start("letter", retry_base=Duration(nanos=1_000_000))
            lost = await executor.holds(execution, "copy")
        for reason in ("a pause", "a pause"):
            await world.tell("PauseExecution", runner_pb2.PauseExecutionRequest(reason=reason), execution)
        await world.tell("ResumeExecution", runner_pb2.ResumeExecutionRequest(), execution)
        async with crew.at_work() as (executor, _):
            await world.waits(execution, "final", pb.WAITING_FOR_PERSON)
            await executor.say(candidate(lost, b"too late"))
            await executor.hears("superseded", of=lost.lease_id)
            await world.approve(execution, "final")
            await world.state(execution, SUCCEEDED)


async def _is_away_for_a_while(world: World) -> None:
    """Makes an execution that asks a model which is away, and then is back."""
    script: dict[Key, list[Move]] = {QUESTION: [fails(pb.FAILURE_KIND_OUTAGE), done]}
    async with world.channel() as channel, Crew(channel, script).at_work():
        await world.state(await world.start("question"), SUCCEEDED)


# ---------------------------------------------------------------- what goes on


def goes_on() -> dict[Key, list[Move]]:
    return {QUESTION: [fails(pb.FAILURE_KIND_RATE_LIMITED, 3600, "the provider refuses for now")]}


async def what_goes_on(world: World) -> None:
    """Makes an execution that waits for a model."""
    execution = await world.start("question", outage_patience=PATIENT)
    await world.waits(execution, "ask", pb.WAITING_FOR_MODEL)


# ---------------------------------------------------------------- damage

_ROWS = (
    "UPDATE {}event SET body = {} WHERE journal = '{}' AND sequence = 2",
    "UPDATE {}task_checkpoint SET body = {} WHERE journal = '{}'",
)


async def damage(world: World, execution_id: str) -> None:
    """Makes rows of an execution unreadable, in its journal and in the checkpoint. No runner may be at work."""
    if not world.store:
        with closing(sqlite3.connect(world.data / JOURNAL)) as db, db:
            for statement in _ROWS:
                assert db.execute(statement.format("", "x'ff'", execution_id)).rowcount
        return
    connection = await asyncpg.connect(world.store)
    try:
        for statement in _ROWS:
            assert await connection.execute(statement.format("signoff.", r"'\xff'", execution_id)) != "UPDATE 0"
    finally:
        await connection.close()
