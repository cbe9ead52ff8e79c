"""A data folder with every kind of thing that a runner stores. Parts of its story are in `shop` and `troubles`."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration

from signoff.v1 import execution_pb2 as pb
from signoff.v1 import plan_pb2, runner_pb2
from tests.stored import shop, troubles
from tests.stored.answers import Json, answers_of
from tests.stored.crew import EXECUTE, VALIDATE, Crew, Key, Move, asks, done, fails, held, makes, notes, rejects
from tests.stored.plans import PLANS
from tests.stored.world import World

SUCCEEDED, FAILED = pb.EXECUTION_STATE_SUCCEEDED, pb.EXECUTION_STATE_FAILED
PAUSED, QUARANTINED = pb.EXECUTION_STATE_PAUSED, pb.EXECUTION_STATE_QUARANTINED
LARGE = b"a line of the appendix\n" * 60_000  # beyond 1 MiB: it lies in the object store
PROMPT = b'[{"role": "user", "content": "what has been found?"}]'
OF_THE_RUNNER = {"layout_set", "executions_pruned"}  # kinds of events in its own journal, which no one is shown


async def tell(world: World) -> Json:
    """Fills the data folder, kills the runner in the middle, and returns its last answers."""
    for plan_id, plan in PLANS.items():
        await world.compile(plan_id, plan)
    await _is_removed(world)
    await shop.is_pruned_to_its_artifacts(world)
    await _what_ends(world)
    await shop.what_ends(world)
    await troubles.what_ends(world)
    damaged = await _is_approved(world, is_asked=False)
    await world.runner.terminate()  # a checkpoint; what has ended is archived
    await troubles.damage(world, damaged)
    await world.runner.start()
    await world.state(damaged, QUARANTINED)
    answers = await _what_goes_on(world)
    await world.runner.kill()
    check_whole(answers)
    return answers | {"requests": world.requests}


def check_whole(answers: Json) -> None:
    """Raises AssertionError for a kind of event that is in no execution: the story must get it."""
    told = {kind for one in answers["executions"] for kind in one.get("events", {}).get("kinds", {})}
    known = {field.name for field in pb.Event.DESCRIPTOR.oneofs_by_name["kind"].fields} - OF_THE_RUNNER
    assert told >= known, f"expected a story with every kind of event, but it has none of {sorted(known - told)}"


# ---------------------------------------------------------------- before the checkpoint


async def _is_removed(world: World) -> None:
    """Makes an execution of which only the sums stay: its costs, and how its validators judged canaries."""
    async with world.channel() as channel, Crew(channel).at_work():
        execution = await world.start("report", canary_rate=1.0)
        await world.state(execution, SUCCEEDED)
    assert await world.prune() == 1
    world.requests.clear()  # its start would count as a new one


async def _what_ends(world: World) -> None:
    await _succeeds(world)
    await _is_rolled_back(world)
    await _fails(world)
    await _is_approved(world)


async def _succeeds(world: World) -> None:
    """Makes an execution that succeeds: with a large artifact, JSON, canaries, prices, prompts, a checkpoint, a budget.

    A task is done again, and makes the same: what was made of it is kept.
    """
    facts = makes(b'{"facts": [1, 2.50, "\xc3\xbc"]}', "application/json")
    script: dict[Key, list[Move]] = {
        ("report", "1_1", EXECUTE): [notes(b"half way", asks(PROMPT, facts))],
        ("report", "1_1", VALIDATE): [asks(PROMPT, done)],
        ("report", "1_2", EXECUTE): [asks(PROMPT, makes(LARGE, model="unpriced", tokens=500))],
        ("report", "2_1", EXECUTE): [makes(b"the report"), makes(b"the report")],
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


async def _is_approved(world: World, *, is_asked: bool = True) -> str:
    """Makes an execution that a person signs off; without `is_asked`, it is left when it waits for that."""
    async with world.channel() as channel, Crew(channel).at_work():
        execution = await world.start("letter")
        await world.waits(execution, "final", pb.WAITING_FOR_PERSON)
        if is_asked:
            await world.approve(execution, "final")
            await world.state(execution, SUCCEEDED)
    return execution


# ---------------------------------------------------------------- after it


async def _what_goes_on(world: World) -> Json:
    """Makes executions that wait, each for something else, and some with leases out; none of them ends."""
    script: dict[Key, list[Move]] = {
        ("letter", "draft", EXECUTE): [
            done,
            fails(pb.FAILURE_KIND_TRANSIENT, 3600, "the provider wants to be left alone"),
            makes(b"a dear draft", tokens=1_700),
        ],
        ("report", "1_1", VALIDATE): [held],  # what it costs is known by then, and the other may begin
        ("report", "1_2", EXECUTE): [notes(b"a third", held)],
        **troubles.goes_on(),
        **shop.goes_on(),
    }
    await shop.is_paused(world)
    async with world.channel() as channel, Crew(channel, script).at_work() as (executor, validator):
        person = await world.start("letter")
        await world.waits(person, "final", pb.WAITING_FOR_PERSON)
        later = await world.start("letter")
        await world.waits(later, "draft", pb.WAITING_FOR_RETRY_TIME)
        dear = await world.start("letter", budget=plan_pb2.Budget(tokens=2_000))
        await world.state(dear, PAUSED)
        paused = await world.start("letter")
        await world.tell("PauseExecution", runner_pb2.PauseExecutionRequest(reason="until Monday"), paused)
        await world.state(paused, PAUSED)
        await shop.what_goes_on(world, executor)
        await troubles.what_goes_on(world)
        running = await world.start("report", canary_rate=0.0)
        await validator.holds(running, "1_1")
        await executor.holds(running, "1_2")
        return await answers_of(channel)
