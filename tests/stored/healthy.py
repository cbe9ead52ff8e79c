"""A data folder with every kind of thing that a runner stores."""

from __future__ import annotations

import asyncio
from typing import Any

from google.protobuf.duration_pb2 import Duration

from signoff.v1 import execution_pb2 as pb
from signoff.v1 import plan_pb2, runner_pb2
from tests.stored.answers import Json, answers_of
from tests.stored.crew import (
    EXECUTE,
    VALIDATE,
    Crew,
    Hand,
    Key,
    Move,
    candidate,
    done,
    fails,
    held,
    makes,
    notes,
    rejects,
)
from tests.stored.world import WITHIN, World

SUCCEEDED, FAILED, STOPPED = pb.EXECUTION_STATE_SUCCEEDED, pb.EXECUTION_STATE_FAILED, pb.EXECUTION_STATE_STOPPED
PAUSED = pb.EXECUTION_STATE_PAUSED
LARGE = b"".join(b"line %d of the appendix\n" % number for number in range(20_000))  # beyond the inline limit

CANARIES = [
    {"candidate": "a good one", "good": True},
    {"candidate": "bad, and seen to be", "good": False},
    {"candidate": "worse, and taken for good", "good": False},
]


def _task(task_id: str, made: str, reads: list[str] | None = None, **more: Any) -> Json:
    return {
        "task_id": task_id,
        "description": f"Makes {made}",
        "input": {"description": "what is there", "artifacts": reads or []},
        "output": {"description": made, "artifact": made, "format": "text"},
        "validation": {"criteria": ["Reads well to a careful reader"], **more.pop("validation", {})},
        **more,
    }


REPORT: Json = {
    "idea": "Report what was found",
    "tasks": [
        {"task_id": "1", "description": "Collect", "budget": {"tokens": 1_000_000}},
        _task("1_1", "facts", validation={"canaries": CANARIES}),
        _task("1_2", "appendix"),
        {"task_id": "2", "description": "Write", "dependencies": ["1"]},
        _task("2_1", "report", ["facts", "appendix"]),
        _task("2_2", "summary", ["report"], dependencies=["2_1"], executor={"max_failures": 2}),
    ],
}
LETTER: Json = {
    "idea": "Write a letter",
    "tasks": [
        _task("draft", "draft"),
        _task("copy", "copy", ["draft"], dependencies=["draft"]),
        _task("final", "letter", ["copy"], dependencies=["copy"], validation={"human": True}),
    ],
}


async def tell(world: World) -> Json:
    """Fills the data folder, kills the runner in the middle, and returns its last answers."""
    await world.compile("report", REPORT)
    await world.compile("letter", LETTER)
    await _what_ends(world)
    await world.runner.terminate()  # a checkpoint; what has ended is archived
    await world.runner.start()
    answers = await _what_goes_on(world)
    await world.runner.kill()
    return answers | {"requests": world.requests}


# ---------------------------------------------------------------- before the checkpoint


async def _what_ends(world: World) -> None:
    await _succeeds(world)
    await _is_rolled_back(world)
    await _fails(world)
    await _is_stopped(world)
    await _is_approved(world)


async def _succeeds(world: World) -> None:
    """Makes an execution that succeeds: with a large artifact, JSON, canaries, prices, a checkpoint and a budget."""
    script: dict[Key, list[Move]] = {
        ("report", "1_1", EXECUTE): [
            notes(b"half way", makes(b'{"facts": [1, 2.50, "\xc3\xbc"]}', "application/json"))
        ],
        ("report", "1_2", EXECUTE): [makes(LARGE, model="unpriced", tokens=500)],
    }
    budget = plan_pb2.Budget(tokens=10_000_000)
    async with world.channel() as channel, Crew(channel, script).at_work():
        execution = await world.start("report", canary_rate=1.0, budget=budget, priority=3)
        await world.state(execution, SUCCEEDED)
        await world.tell("RetryTask", runner_pb2.RetryTaskRequest(task_id="2_1"), execution)
        await world.state(execution, SUCCEEDED)
        raised = runner_pb2.SetBudgetRequest(task_id="1", budget=plan_pb2.Budget(tokens=2_000_000))
        await world.tell("SetBudget", raised, execution)


async def _is_rolled_back(world: World) -> None:
    """Makes an execution with a rollback: a task fails twice, its producer is done again, and then it passes."""
    script: dict[Key, list[Move]] = {
        ("report", "2_2", EXECUTE): [makes(b"bad one"), makes(b"bad again"), done],
        ("report", "2_2", VALIDATE): [rejects, rejects, done],
    }
    async with world.channel() as channel, Crew(channel, script).at_work():
        execution = await world.start(
            "report", canary_rate=1.0, rollback_scope=pb.ROLLBACK_SCOPE_PRODUCERS, retry_base=Duration(nanos=1_000_000)
        )
        await world.state(execution, SUCCEEDED)


async def _fails(world: World) -> None:
    script: dict[Key, list[Move]] = {("report", "1_1", EXECUTE): [fails(pb.FAILURE_KIND_PERMANENT)]}
    async with world.channel() as channel, Crew(channel, script).at_work():
        execution = await world.start("report", canary_rate=1.0)
        await world.state(execution, FAILED)


async def _is_stopped(world: World) -> None:
    """Makes an execution that is stopped while a lease is out, whose result then comes too late."""
    script: dict[Key, list[Move]] = {("report", "1_2", EXECUTE): [held]}
    async with world.channel() as channel, Crew(channel, script).at_work() as (executor, _):
        execution = await world.start("report")
        await world.waits(execution, "1_2", pb.WAITING_FOR_CANDIDATE)
        await world.tell("StopExecution", runner_pb2.StopExecutionRequest(reason="no longer needed"), execution)
        await world.state(execution, STOPPED)
        late = next(one for one in executor.given if one.task.task_id == "1_2" and one.execution_id == execution)
        await executor.say(candidate(late, b"too late"))
        await _answered(executor, "superseded")


async def _is_approved(world: World) -> None:
    async with world.channel() as channel, Crew(channel).at_work():
        execution = await world.start("letter")
        await world.waits(execution, "final", pb.WAITING_FOR_PERSON)
        verdict = runner_pb2.JudgeTaskRequest(task_id="final", outcome=pb.OUTCOME_PASS, person="Ada")
        await world.tell("JudgeTask", verdict, execution)
        await world.state(execution, SUCCEEDED)


async def _answered(hand: Hand, kind: str) -> None:
    async with asyncio.timeout(WITHIN):
        while all(message.WhichOneof("kind") != kind for message in hand.answered):  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0.05)


# ---------------------------------------------------------------- after it


async def _what_goes_on(world: World) -> Json:
    """Makes executions that wait, each for something else, and one with leases out; none of them ends."""
    script: dict[Key, list[Move]] = {
        ("letter", "draft", EXECUTE): [
            done,
            fails(pb.FAILURE_KIND_RATE_LIMITED, 3600, "the provider wants to be left alone"),
            makes(b"a dear draft", tokens=1_700),
        ],
        ("report", "1_1", EXECUTE): [notes(b"a third", held)],
        ("report", "1_2", VALIDATE): [held],
    }
    async with world.channel() as channel, Crew(channel, script).at_work():
        person = await world.start("letter")
        await world.waits(person, "final", pb.WAITING_FOR_PERSON)
        later = await world.start("letter")
        await world.waits(later, "draft", pb.WAITING_FOR_RETRY_TIME)
        dear = await world.start("letter", budget=plan_pb2.Budget(tokens=2_000))
        await world.state(dear, PAUSED)
        paused = await world.start("letter")
        await world.tell("PauseExecution", runner_pb2.PauseExecutionRequest(reason="until Monday"), paused)
        await world.state(paused, PAUSED)
        running = await world.start("report", canary_rate=0.0)
        await world.waits(running, "1_1", pb.WAITING_FOR_CANDIDATE)
        await world.waits(running, "1_2", pb.WAITING_FOR_VERDICT)
        return await answers_of(channel)
