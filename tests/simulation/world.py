"""One world: a runner that crashes, workers that crash, freeze and drain, lines that break, and a person who meddles.

First comes chaos, then good weather. After every turn of the engine all invariants hold; in good weather every
execution comes to its end. Everything follows from the seed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from runner_svc.codec.maps import map_from_parts
from runner_svc.core import signals as s
from runner_svc.core.states import ExecutionState
from runner_svc.core.turn import State
from runner_svc.core.values import ExecutionId, RollbackScope, Settings
from runner_svc.core.waiting import waiting_of
from runner_svc.engine import Engine
from runner_svc.feed import Feed
from runner_svc.services.hub import Hub
from runner_svc.services.worker_service import Conversation, WorkerService
from runner_svc.store.memory import MemoryStore
from signoff.errors import SignoffError
from signoff.v1 import runner_pb2
from tests.simulation.disk import Disk
from tests.simulation.network import Line, RunnerEnd, WorkerEnd
from tests.simulation.people import Mood, ScriptedModel
from tests.simulation.witness import Witness
from tests.support.maps import map_of
from tests.support.runner import parts_of
from worker_svc.session import Patience, WorkerRefused
from worker_svc.stream import Identity, Worker

START = 1_700_000_000.0
PLANS = (
    "a; b <- a; c <- a; d <- b, c",
    "g/a[p]; g/b <- a; h/c(p) <- g; h/d <- g; e <- h; f",
    "g/h/a; g/h/b; g/c <- k/x; k/x; k/y <- x; z <- g, k",
    "; ".join(f"t{n}" for n in range(8)),
)
CHAOS = 240.0  # virtual seconds of bad weather
MOST_EXECUTIONS = 4
PATIENCE = 4 * 3600.0  # virtual seconds of good weather until an execution that has not ended is stuck


class Stuck(AssertionError):
    """Good weather, and still no end."""


class _Engine(Engine):
    """The engine, with every promise looked at after every turn."""

    looked: Callable[[State, float], None]

    idle: asyncio.Event  #: not in a turn, when its state may be ahead of the journal

    async def _turn(self, items: Any) -> None:
        self.idle.clear()
        await super()._turn(items)
        self.idle.set()
        signals = [item.signal.at for item in items if item.signal is not None]
        if signals:
            self.looked(self._machine.state, max(signals))  # as late as the machine knew it to be


class World:
    """Everything there is."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.store = MemoryStore()
        self.mood = Mood()
        self.weather = self._draw_weather()
        self.map = map_from_parts(parts_of(map_of(self.chance.choice(PLANS))))
        self.lines: dict[str, Line] = {}
        self.people: dict[str, asyncio.Task[None]] = {}
        self.stops: dict[str, asyncio.Event] = {}
        self.engine: _Engine | None = None
        self.service: WorkerService | None = None
        self.disk: Disk | None = None
        self.runner_tasks: list[asyncio.Task[Any]] = []
        self.witness = Witness(self.store, self.map)
        self.executions: list[ExecutionId] = []
        self.told: list[str] = []  #: what happened, for a person

    def _draw_weather(self) -> dict[str, float]:
        """How bad this seed is at what: most seeds are bad at a few things, some at everything."""
        kinds = ("crash", "disk", "repeat", "failing", "hanging", "raising", "rejecting")
        return {kind: self.chance.choice([0.0, 0.0, 0.05, 0.3]) for kind in kinds}

    def tell(self, what: str) -> None:
        self.told.append(f"{asyncio.get_running_loop().time():9.3f}  {what}")

    # ------------------------------------------------------------ the runner

    async def start_runner(self) -> None:
        loop = asyncio.get_running_loop()

        def crash_soon() -> None:
            loop.call_soon(self.crash, disk)

        disk = self.disk = Disk(self.store, self.chance, crash_soon)
        feed = Feed()
        hub = Hub(feed)
        engine = self.engine = _Engine(disk, performer=hub, feed=feed, clock=lambda: START + loop.time())
        engine.looked, engine.idle = self.witness.look, asyncio.Event()
        engine.observe(hub)
        engine.observe(self.witness)
        await engine.open()
        disk.crash_rate, disk.failure_rate = 0.05 * self.weather["crash"], 0.1 * self.weather["disk"]
        self.service = WorkerService(engine, hub, Conversation())
        self.runner_tasks = [asyncio.create_task(engine.run())]
        self.tell(f"runner {engine.epoch} is up")

    def crash(self, disk: Disk) -> None:
        """kill -9: nothing more reaches the disk, and every line breaks."""
        if disk is not self.disk or not disk.alive:
            return
        self.tell("the runner is killed")
        disk.alive = False
        self.service = None
        for task in self.runner_tasks:
            task.cancel()
        for line in self.lines.values():
            line.break_off()

    async def restart_runner(self) -> None:
        await asyncio.gather(*self.runner_tasks, return_exceptions=True)
        await self.start_runner()

    # ------------------------------------------------------------ the network

    @asynccontextmanager
    async def dial(self, name: str) -> AsyncIterator[WorkerEnd]:
        """A new line to whatever runner is up."""
        await asyncio.sleep(self.chance.uniform(0, 0.1))
        if self.service is None:
            raise ConnectionError("no runner listens")
        line = self.lines[name] = Line(self.chance, 0.2 * self.weather["repeat"])
        serving = asyncio.create_task(self._serve(self.service, line))
        self.runner_tasks.append(serving)
        try:
            yield WorkerEnd(line, self.witness.heard)
        finally:
            line.break_off()

    async def _serve(self, service: WorkerService, line: Line) -> None:
        with suppress(SignoffError, ConnectionError):
            await service.Connect(None, RunnerEnd(line))  # type: ignore[arg-type]
        line.break_off()

    # ------------------------------------------------------------ the workers

    def start_worker(self, name: str) -> None:
        role = runner_pb2.WORKER_ROLE_EXECUTOR if name.startswith("w") else runner_pb2.WORKER_ROLE_VALIDATOR
        maker = "scripted" if name.startswith("w") else ""
        identity = Identity(role=role, name=name, slots=2, version="simulated")
        patience = Patience(jitter=self.chance.uniform)
        model = ScriptedModel(self.chance, lambda: self.mood, maker)
        worker = Worker(name, identity, model, patience, self.dial)
        self.stops[name] = asyncio.Event()
        self.people[name] = asyncio.create_task(self._work(name, worker, self.stops[name]))

    async def _work(self, name: str, worker: Worker, stop: asyncio.Event) -> None:
        with suppress(WorkerRefused):
            await worker.run(stop, grace=5.0)
        self.tell(f"{name} has ended")

    async def kill_worker(self, name: str) -> None:
        """kill -9, and a supervisor that starts it again."""
        self.tell(f"{name} is killed")
        if name in self.lines:
            self.lines[name].break_off()
        self.people[name].cancel()
        await asyncio.gather(self.people[name], return_exceptions=True)
        if self.chance.random() < 0.3:
            await asyncio.sleep(self.chance.choice([10.0, 80.0]))  # longer than the grace, sometimes
        self.start_worker(name)

    async def drain_worker(self, name: str) -> None:
        self.tell(f"{name} is asked to end")
        self.stops[name].set()
        await asyncio.wait([self.people[name]], timeout=60.0)
        if not self.people[name].done():
            raise Stuck(f"{name} does not end")
        self.start_worker(name)

    # ------------------------------------------------------------ a person

    async def order(self, kind: Callable[..., s.Command], **rest: str) -> None:
        """A command that may be refused, or find no runner."""
        if self.engine is None or self.service is None or not self.executions:
            return
        self.tell(f"a person says {kind.__name__} {rest or ''}")
        signal = kind(
            at=self.engine.now(),
            request_id=self.chance.choice(["", f"r{self.chance.randrange(5)}"]),
            execution=self.chance.choice(self.executions),
            **rest,
        )
        with suppress(SignoffError, TimeoutError):
            async with asyncio.timeout(30.0):
                await self.engine.submit(signal, lambda _: None)

    async def start_execution(self) -> None:
        """Until it is accepted: a client repeats with the same request id."""
        new = ExecutionId(f"e{len(self.executions)}")
        settings = Settings(
            max_failures=self.chance.choice([1, 2, 3]),
            max_rollbacks=self.chance.choice([0, 1]),
            max_judge_errors=self.chance.choice([2, 5]),
            rollback_scope=self.chance.choice(list(RollbackScope)),
            run_timeout=self.chance.choice([60.0, 1800.0]),
            priority=self.chance.choice([0, 0, 1]),
        )
        while True:
            engine = self.engine
            assert engine is not None
            layout = s.SetLayout(at=engine.now(), request_id=f"layout {new}", map=self.map)
            start = s.StartExecution(
                at=engine.now(), request_id=f"start {new}", execution=new, plan_id="", settings=settings
            )
            with suppress(SignoffError, TimeoutError):
                async with asyncio.timeout(5.0):
                    await engine.submit(layout, lambda _: None)
                    await engine.submit(start, lambda _: None)
                    self.executions.append(new)
                    return
            await asyncio.sleep(1.0)
            await self._revive_runner()

    # ------------------------------------------------------------ its course

    async def run(self) -> None:
        """Raises what is wrong."""
        await self.store.put_map(self.map.key, [part.SerializeToString() for part in parts_of(self.map)])
        await self.start_runner()
        for name in ("w1", "w2", "v1", "v2"):
            self.start_worker(name)
        loop = asyncio.get_running_loop()
        await self.start_execution()
        self._set_mood()
        while loop.time() < CHAOS:
            await asyncio.sleep(self.chance.expovariate(1 / 4.0))
            self._watch_over()
            await self._revive_runner()
            await self._meddle()
            if len(self.executions) < MOST_EXECUTIONS and self.chance.random() < 0.05:
                await self.start_execution()
        await self._good_weather()
        assert self.engine is not None
        await self.engine.idle.wait()
        self.witness.look_back(self.engine._machine.state)

    def _set_mood(self) -> None:
        self.mood = Mood(
            failing=self.weather["failing"],
            hanging=0.2 * self.weather["hanging"],
            raising=0.3 * self.weather["raising"],
            rejecting=self.weather["rejecting"],
            judge_down=self.chance.random() < 0.1,
        )

    async def _revive_runner(self) -> None:
        if self.disk is not None and not self.disk.alive:
            await asyncio.sleep(self.chance.choice([0.5, 5.0, 70.0]))
            await self.restart_runner()

    async def _meddle(self) -> None:
        name = self.chance.choice(sorted(self.people))
        line = self.lines.get(name)
        match self.chance.randrange(13):
            case 0 if self.disk is not None and self.chance.random() < 0.5:
                self.crash(self.disk)
            case 1:
                await self.kill_worker(name)
            case 2:
                await self.drain_worker(name)
            case 3 | 4 if line is not None:
                self.tell(f"the line of {name} breaks")
                line.break_off()
            case 5 | 11 if line is not None:
                self.tell(f"the line of {name} goes silent")
                line.silent = True
            case 6:
                await self.order(s.PauseExecution, reason="lunch")
            case 7 | 8:
                await self.order(s.ResumeExecution)
            case 9:
                await self.order(s.StopExecution, reason="enough")
            case 10:
                await self.order(s.RetryTask, task_id=self.chance.choice(self.map.task_ids))
            case _:
                self._set_mood()

    def _watch_over(self) -> None:
        """What a task of ours has raised is raised here; workers that were refused are started again."""
        for task in self.runner_tasks:
            if task.done() and not task.cancelled() and task.exception() is not None:
                raise task.exception()  # type: ignore[misc]
        for name, task in list(self.people.items()):
            if task.done():
                if not task.cancelled() and task.exception() is not None:
                    raise task.exception()  # type: ignore[misc]
                self.start_worker(name)

    async def _good_weather(self) -> None:
        """No more faults, and a person who helps where only a person can."""
        self.tell("the weather is good")
        self.mood, self.weather = Mood(), dict.fromkeys(self.weather, 0.0)
        await self._revive_runner()
        assert self.disk is not None
        self.disk.crash_rate = self.disk.failure_rate = 0.0
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE
        while not all(self._state(execution).is_final for execution in self.executions):
            if loop.time() > until:
                raise Stuck(self._why())
            for execution in self.executions:
                if self._state(execution) in (ExecutionState.PAUSED, ExecutionState.STOPPED):
                    engine = self.engine
                    assert engine is not None
                    resume = s.ResumeExecution(at=engine.now(), request_id="", execution=execution)
                    await engine.submit(resume, lambda _: None)
            await asyncio.sleep(20.0)
            self._watch_over()

    def _state(self, execution: ExecutionId) -> ExecutionState:
        assert self.engine is not None
        return self.engine._machine.state.executions[execution].state

    def _why(self) -> str:
        assert self.engine is not None
        state, at = self.engine._machine.state, self.engine.now()
        lines = []
        for name in self.executions:
            execution = state.executions[name]
            lines.append(f"{name} is {execution.state.label}")
            for task in range(execution.map.task_count):
                waiting = waiting_of(state, execution, task, at)
                if waiting is not None:
                    lines.append(f"  {execution.map.name(task)}: {waiting.message}")
        return "\n".join(lines)
