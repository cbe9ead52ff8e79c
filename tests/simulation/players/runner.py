"""A runner process: the real engine, hub and services over the world's disk, and its entrances for clients."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc.aio

from runner_svc.clock import SteadyClock
from runner_svc.committer import Batch, Committer
from runner_svc.core.decide.turn import State
from runner_svc.core.fleet.timings import StreamTimings
from runner_svc.core.model import signals
from runner_svc.engine import Engine
from runner_svc.leftovers import Leftovers
from runner_svc.planner import Planner
from runner_svc.services.hub import Hub
from runner_svc.services.runner_service import RunnerService
from runner_svc.services.worker_service import WorkerService
from signoff.errors import SignoffError, Unavailable
from signoff.v1 import runner_pb2
from tests.simulation.judge.witness import Witness
from tests.simulation.nature.bugs import BuggyObserver, Bugs
from tests.simulation.nature.clock import Process
from tests.simulation.nature.crashing import Killed, Trap, TrappedFeed, TrappedObserver, TrappedPerformer
from tests.simulation.nature.disk import Disk, Objects, SharedStore
from tests.simulation.nature.network import Line, RunnerEnd, Way, broken, refused
from tests.simulation.nature.weather import Weather
from tests.simulation.scenario import Scenario

START = 1_700_000_000.0  # Unix time at which every world begins
ROTATE_WITHIN = 10.0  # seconds a worker has to open the next stream
GRACE = 5.0  # seconds that a runner which is asked to end gives its workers
KEEP_UPLOADS = 20.0  # seconds after their lease for which files stay that no candidate names


class WatchedCommitter(Committer):
    """A committer that has the witness look after every commit."""

    after: Callable[[], None]

    async def commit(self, batch: Batch) -> None:
        await super().commit(batch)
        self.after()


class WatchedEngine(Engine):
    """An engine that has the witness check every promise after every commit."""

    committer = WatchedCommitter
    looked: Callable[[State, float], None]
    trap: Trap
    _commits: WatchedCommitter
    _at = 0.0  # as late as the machine knows it to be

    async def _turn(self, items: Any) -> None:
        self._at = max([self._at, *(item.signal.at for item in items if item.signal is not None)])
        await super()._turn(items)

    def look(self) -> None:
        """Has the witness look when the state is no further than the journal."""
        if self._commits.decided.is_empty and self._commits.failure is None and not self._is_torn:
            self.looked(self._machine.state, self._at)
        self.trap.pass_by("after answering")

    async def settled(self) -> State:
        """Returns the state when nothing of it waits for a commit."""
        await self._commits.idle()
        return self._machine.state


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The parts that the runners of a world share."""

    scenario: Scenario
    store: SharedStore
    weather: Weather
    witness: Witness
    planner: Planner
    trap: Trap
    bugs: Bugs


class Runner:
    """A runner from its start to its end; `serves` once it listens."""

    def __init__(self, number: int, world: Surroundings) -> None:
        self.process = Process(f"runner {number}")
        self.serves = False
        self.is_stopping = False
        self.lines: set[Line] = set()
        self._number = number
        self._world = world
        self._chance = random.Random(f"{world.scenario.seed} {self.process.name}")
        self._calls: set[asyncio.Future[Any]] = set()
        self._tails: set[Way] = set()
        self.engine = self._wired()
        self.main = self.process.spawn(self._live())

    def _wired(self) -> WatchedEngine:
        world, loop = self._world, asyncio.get_running_loop()

        def steady() -> float:
            return math.ceil(loop.time() * 1e6) / 1e6  # rounded up: a timer's moment has come

        disk = Disk(world.store, self._chance, world.weather, world.trap)
        objects = Objects(world.store, self._chance, world.weather, world.trap) if world.scenario.files else None
        feed = TrappedFeed(world.trap, world.scenario.queue_limit)
        self._hub = hub = Hub(feed)
        engine = WatchedEngine(
            disk,
            performer=TrappedPerformer(world.trap, hub),
            feed=feed,
            timings=StreamTimings(max_stream_age=world.scenario.max_stream_age, rotate_within=ROTATE_WITHIN),
            clock=SteadyClock(lambda: START + world.weather.clock_ahead + steady(), steady),
            checkpoint_every=world.scenario.checkpoint_every,
            objects=objects,
        )
        engine.looked, engine.trap, engine._commits.after = world.witness.look, world.trap, engine.look
        for observer in (hub, TrappedObserver(world.trap), BuggyObserver(world.bugs), world.witness):
            engine.observe(observer)
        self._service = RunnerService(engine, disk, hub, world.planner)
        self._workers = WorkerService(engine, hub, jitter=self._chance.uniform)
        return engine

    async def _live(self) -> None:
        await self.engine.open()
        if self._world.scenario.files:
            await self.engine.contents.sweep()
            leftovers = self.process.spawn(Leftovers(self.engine, KEEP_UPLOADS).run())
            leftovers.add_done_callback(self._has_swept)
        self.serves = True
        await self.engine.run()

    def _has_swept(self, leftovers: asyncio.Task[None]) -> None:
        if not leftovers.cancelled() and (error := leftovers.exception()) is not None:
            assert isinstance(error, Exception)
            self._world.witness.blame(error)

    # ------------------------------------------------------------ its end

    def kill(self, *, silently: bool = False) -> None:
        """Kills it, or silently ends its machine: then its peers hear of no end."""
        self.process.kill()
        self.serves = False
        for line in self.lines:
            line.up.silent |= silently
            line.down.silent |= silently
            line.break_off()
        for answer in self._calls:
            _break(answer)
        for tail in self._tails:
            tail.cut(broken("the runner died"))

    async def stop(self) -> None:
        """Ends it as SIGTERM does (runner_svc/term.py): it drains, ends, and keeps its state."""
        self.serves = False
        for session in list(self._hub.sessions):
            await self.engine.report(signals.WorkerDraining(at=self.engine.now(), session=session))
        self._hub.drain(GRACE)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                await self._hub.all_returned()
        self.main.cancel()
        await asyncio.gather(self.main, return_exceptions=True)
        await self.engine.checkpoint()

    # ------------------------------------------------------------ what reaches it

    def connect(self, line: Line) -> None:
        """Opens a worker's stream."""
        self.lines.add(line)
        line.serving = self.process.spawn(self._serve(line))

    async def _serve(self, line: Line) -> None:
        end: Any = grpc.aio.EOF
        try:
            await self._workers.Connect(None, RunnerEnd(line))  # type: ignore[arg-type]
        except SignoffError as error:
            end = refused(error)
        except (asyncio.InvalidStateError, asyncio.CancelledError):
            end = broken("the call was cancelled")
        except Exception as error:  # noqa: BLE001 - a bug, which clients see as INTERNAL
            self._world.witness.blame(error)
        self.lines.discard(line)
        line.down.close(end)
        line.up.cut(grpc.aio.EOF)

    def call(self, method: str, request: Any) -> asyncio.Future[Any]:
        """Makes a call with one answer: that, a SignoffError, or ConnectionError when the runner dies before it.

        `request`: a message, or a stream of them.
        """
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._calls.add(answer)
        answer.add_done_callback(self._calls.discard)
        self.process.spawn(self._answer(method, request, answer))
        return answer

    async def _answer(self, method: str, request: Any, answer: asyncio.Future[Any]) -> None:
        try:
            result = await getattr(self._service, method)(request, None)
        except SignoffError as error:
            if not answer.done():
                answer.set_exception(error)
        except asyncio.CancelledError:
            _break(answer)
        except Exception as error:  # noqa: BLE001 - as above
            self._world.witness.blame(error)
        else:
            if not answer.done():
                answer.set_result(result)

    def watch(self, request: Any, tail: Way) -> asyncio.Task[None]:
        """Starts a watch, whose answers go out on `tail`."""
        return self.stream("WatchExecution", request, tail)

    def stream(self, method: str, request: Any, tail: Way) -> asyncio.Task[None]:
        """Makes a call with many answers, which go out on `tail`."""
        self._tails.add(tail)
        return self.process.spawn(self._tell(method, request, tail))

    async def _tell(self, method: str, request: Any, tail: Way) -> None:
        try:
            async with contextlib.aclosing(getattr(self._service, method)(request, None)) as answers:
                async for answer in answers:
                    # A watch is encoded once, for all who watch.
                    is_watch = isinstance(answer, bytes)
                    tail.send(runner_pb2.WatchExecutionResponse.FromString(answer) if is_watch else answer)
                    await tail.room()
            tail.close(grpc.aio.EOF)
        except SignoffError as error:
            tail.close(error)
        except asyncio.CancelledError:
            tail.cut(broken("the call was cancelled"))
        except Exception as error:  # noqa: BLE001 - as above
            self._world.witness.blame(error)
        finally:
            self._tails.discard(tail)


def _break(answer: asyncio.Future[Any]) -> None:
    if not answer.done():
        answer.set_exception(ConnectionError("the runner died"))
        answer.exception()  # the client may have gone


def is_natural(error: BaseException | None) -> bool:
    """Tells whether a runner may end with this error: it was killed, or its store could not be opened."""
    return error is None or isinstance(error, Killed | Unavailable)
