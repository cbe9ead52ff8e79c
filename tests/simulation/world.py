"""A world: it plays a scenario to its end, and checks that everything has ended as it should.

First comes chaos, as long as the scenario's faults last. Then comes good weather, in which a person resumes what only a
person can. Every execution must end, and every watcher must have seen everything.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any
from unittest import mock

from runner_svc.planner import Fetched
from signoff.v1 import execution_pb2, plan_pb2, runner_pb2
from tests.simulation.editions import TOPIC, editions, topics
from tests.simulation.judge.witness import Witness
from tests.simulation.nature.bugs import Bugs
from tests.simulation.nature.clock import run
from tests.simulation.nature.crashing import Trap
from tests.simulation.nature.disk import SharedStore
from tests.simulation.nature.faults import inject
from tests.simulation.nature.host import Host
from tests.simulation.nature.weather import Weather
from tests.simulation.players.people import PLAN, Client, Person
from tests.simulation.players.runner import Surroundings
from tests.simulation.players.watchers import Follower
from tests.simulation.players.workers import Supervised, WorkerProcess
from tests.simulation.scenario import Fault, Scenario, Start, Watch
from tests.support.servers.runner import PlannerOfTexts
from tests.support.values.maps import map_of

PATIENCE = 1800.0  # virtual seconds of good weather until an execution that has not ended is stuck
LOOK_EVERY = 20.0  # virtual seconds between two looks at the executions
CATCH_UP = 300.0  # virtual seconds that watchers have to see the rest
LARGE = 300  # bytes from which on a content lies in the object store, in a world with files

_FINAL = (execution_pb2.EXECUTION_STATE_SUCCEEDED, execution_pb2.EXECUTION_STATE_FAILED)
_HELD_UP = (
    execution_pb2.EXECUTION_STATE_PAUSED,
    execution_pb2.EXECUTION_STATE_STOPPED,
    execution_pb2.EXECUTION_STATE_QUARANTINED,
)


class Stuck(AssertionError):
    """An execution has not ended in spite of good weather."""


class CurrentEdition:
    """A planner port over the edition of the plan that is stored now."""

    def __init__(self, edition: PlannerOfTexts) -> None:
        self.edition = edition

    async def fetch(self, plan_id: str) -> Fetched:
        return await self.edition.fetch(plan_id)


class World:
    """All parts of a world: host, workers, people, watchers, and the faults that happen to them."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.weather = Weather()
        self.host = Host(self._fail)
        self.trap = Trap(self.host.kill)
        self.bugs = Bugs(scenario.seed, self.weather)
        self.workers: dict[str, Supervised] = {}
        self.followers: dict[int, Follower] = {}
        self.story: list[str] = []  #: the events of the world, for a person
        count = 1 + max((start.edition for start in scenario.executions), default=0)
        names = map_of(scenario.plan).task_ids
        self._editions = [
            PlannerOfTexts(specs, edition=number, **{PLAN: scenario.plan})
            for number, specs in enumerate(
                editions(names, scenario.seed, count, people=scenario.people, files=scenario.files)
            )
        ]
        for planner, topic in zip(self._editions, topics(scenario.seed, count), strict=True):
            planner.inputs = (plan_pb2.PlanInput(name=TOPIC, kind=plan_pb2.INPUT_KIND_TEXT, text=topic),)
        plans = [planner.compiled(PLAN) for planner in self._editions]
        self.task_ids = tuple(names)
        self._planner = CurrentEdition(self._editions[0])
        self.store = SharedStore()
        lossy = any(fault.kind == "messages lost" for fault in scenario.faults)
        self.witness = Witness(self.store, plans, lossy=lossy)
        self._surroundings = Surroundings(
            scenario=scenario,
            store=self.store,
            weather=self.weather,
            witness=self.witness,
            planner=self._planner,
            trap=self.trap,
            bugs=self.bugs,
        )
        client = Client(f"{scenario.seed} person", self.weather, lambda: self.host.runner)
        self.person = Person(client, self.witness)
        self._failure: BaseException | None = None
        self._over = asyncio.Event()
        self.witness.broke = self._fail

    def _fail(self, error: BaseException) -> None:
        """Keeps the first error, which ends the world."""
        self._failure = self._failure or error
        self._over.set()

    def tell(self, what: object) -> None:
        self.story.append(f"{asyncio.get_running_loop().time():9.3f}  {what}")

    # ------------------------------------------------------------ its course

    async def run(self) -> None:
        """Plays the scenario. Raises AssertionError for a broken promise."""
        self.host.start(self._surroundings)
        for name in self.scenario.workers:
            self.workers[name] = Supervised(partial(self._worker, name), self._fail)
        course = asyncio.create_task(self._course())
        course.add_done_callback(lambda _: self._over.set())
        await self._over.wait()
        if self._failure is not None:
            raise self._failure
        await course

    def _worker(self, name: str, number: int) -> WorkerProcess:
        self.tell(f"{name} is started")
        return WorkerProcess(name, number, self.scenario, self.weather, self.witness, lambda: self.host.runner)

    async def _course(self) -> None:
        scenario = self.scenario
        for number, watch in enumerate(scenario.watchers):
            self._alone(self._watch(number, watch))
        starts = [self._start(number, start) for number, start in enumerate(scenario.executions)]
        await asyncio.gather(*starts, *(self._befall(fault) for fault in scenario.faults))
        self.tell("the weather is good")
        self.trap.clear()
        await self._until_all_have_ended()
        await self._until_all_is_seen()
        await self._until_nothing_is_left_over()
        engine = self.host.runner.engine
        self.witness.look_back(await engine.settled(), engine.now())

    def _alone(self, work: Awaitable[None]) -> None:
        """Runs work beside everything else until the world ends."""
        task = asyncio.ensure_future(work)
        task.add_done_callback(lambda done: None if done.cancelled() else self._over_with(done.exception()))

    def _over_with(self, error: BaseException | None) -> None:
        if error is not None:
            self._fail(error)

    async def _start(self, number: int, start: Start) -> None:
        await asyncio.sleep(start.at)
        self._planner.edition = self._editions[start.edition]
        await self.person.start(number, _settings(start))
        self.tell(f"execution {number} is {self.person.executions[number]}")
        if self.scenario.people:
            self._alone(self.person.judge(number, self.scenario.seed))

    async def _watch(self, number: int, watch: Watch) -> None:
        await self.person.started(watch.execution).wait()
        await asyncio.sleep(watch.delay)
        seed, execution = f"{self.scenario.seed} watcher {number}", self.person.executions[watch.execution]
        follower = Follower(seed, watch, execution, self.weather, self.witness, lambda: self.host.runner)
        self.followers[number] = follower
        await follower.follow()

    async def _befall(self, fault: Fault) -> None:
        await asyncio.sleep(fault.at)
        self.tell(fault)
        await inject(self, fault)

    # ------------------------------------------------------------ good weather

    async def _until_all_have_ended(self) -> None:
        until = asyncio.get_running_loop().time() + PATIENCE
        for number in self.person.executions:
            while not await self._has_ended(number):
                if asyncio.get_running_loop().time() > until:
                    raise Stuck(await self._why())
                await asyncio.sleep(LOOK_EVERY)

    async def _has_ended(self, number: int) -> bool:
        """Tells whether an execution has ended; resumes it when it is paused, stopped or quarantined."""
        found = (await self.person.describe(number, runner_pb2.TASK_SELECTION_UNSPECIFIED)).execution
        if found.state in _HELD_UP:
            ref = runner_pb2.ExecutionRef(execution_id=found.execution_id)
            await self.person.order("ResumeExecution", runner_pb2.ResumeExecutionRequest(ref=ref))
        return found.state in _FINAL

    async def _until_all_is_seen(self) -> None:
        until = asyncio.get_running_loop().time() + CATCH_UP
        for follower in self.followers.values():
            follower.patient = False
        while not all(follower.has_seen_all() for follower in self.followers.values()):
            if asyncio.get_running_loop().time() > until:
                raise Stuck(f"watchers have seen {[follower.seen for follower in self.followers.values()]}")
            await asyncio.sleep(LOOK_EVERY)
        for follower in self.followers.values():
            follower.check()

    async def _until_nothing_is_left_over(self) -> None:
        """Waits until files that no candidate names are gone. Objects without a row go when a runner starts."""
        until = asyncio.get_running_loop().time() + CATCH_UP
        while leftovers := self.store.leftovers:
            if asyncio.get_running_loop().time() > until:
                raise Stuck(f"brought for no candidate, and never removed: {leftovers}")
            await asyncio.sleep(LOOK_EVERY)
            await self.host.runner.engine.contents.sweep()

    async def _why(self) -> str:
        lines = []
        for number in self.person.executions:
            answer: Any = await self.person.describe(number, runner_pb2.TASK_SELECTION_UNFINISHED)
            state = execution_pb2.ExecutionState.Name(answer.execution.state)
            lines.append(f"execution {number} is {state}")
            lines += [f"  {task.task_id}: {task.waiting.message}" for task in answer.tasks]
        return "\n".join(lines)


def _settings(start: Start) -> execution_pb2.ExecutionSettings:
    # So that what is written down stays as it was:
    settings = execution_pb2.ExecutionSettings(canary_rate=0.0, reuse=False)
    for name, value in start.settings.items():
        if name.endswith(("timeout", "patience")):
            getattr(settings, name).FromMilliseconds(int(value * 1000))
        elif name == "budget":
            settings.budget.tokens = int(value)
        else:
            setattr(settings, name, bool(value) if name == "reuse" else value)
    settings.until_task_ids.extend(start.until)
    return settings


# ---------------------------------------------------------------- playing one


def play(scenario: Scenario, begun: Callable[[World], None] = lambda _: None) -> World:
    """Plays a world to its end. Raises AssertionError for a broken promise. `begun` receives it before it starts."""

    async def main() -> World:
        world = World(scenario)
        begun(world)
        with world.bugs.installed():
            await world.run()
        return world

    with _drawn_ids(scenario.seed), _small_objects() if scenario.files else nullcontext():
        return run(main())


def _small_objects() -> AbstractContextManager[int]:
    """Has contents of a few hundred bytes lie in the object store, until the end of the block."""
    return mock.patch("runner_svc.contents.LARGE_BYTES", LARGE)


@contextmanager
def _drawn_ids(seed: int) -> Iterator[None]:
    """Draws new ids from the seed too, until the end of the block."""
    chance = random.Random(f"{seed} ids")

    def draw_id() -> uuid.UUID:
        return uuid.UUID(int=chance.getrandbits(128), version=4)

    with mock.patch("uuid.uuid4", draw_id):
        yield
