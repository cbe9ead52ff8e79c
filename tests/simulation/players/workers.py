"""Worker processes: the real worker over the world's network, and its supervisor."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, cast

from signoff.v1 import runner_pb2
from tests.simulation.judge.witness import Witness
from tests.simulation.nature.channel import Calls, Channel
from tests.simulation.nature.clock import Process
from tests.simulation.nature.network import Line, WorkerEnd, broken
from tests.simulation.nature.weather import Weather
from tests.simulation.players.liar import Liar
from tests.simulation.players.models import ScriptedModel
from tests.simulation.players.runner import Runner
from tests.simulation.scenario import Scenario
from worker_svc.link.lease_files import LeaseFiles
from worker_svc.link.patience import Pauses
from worker_svc.link.prefetch import Prefetch
from worker_svc.link.session import SessionTimings, WorkerRefused
from worker_svc.link.stream import Identity, Worker

SLOTS = 2
GRACE = 5.0  # seconds that a worker which is asked to end may work on
PROMPT = 60.0  # seconds within which it must have ended, even if the runner does nothing
RESTART = 2.0  # seconds until its supervisor restarts a worker that has ended


class EagerPrefetch(Prefetch):
    """A prefetch that takes work ahead however long work takes; once stuck, only after a piece of work has ended."""

    is_waiting = False

    def took(self, seconds: float) -> None:
        self.is_waiting = False

    def is_stuck(self) -> None:
        self.is_waiting = True

    @property
    def ahead(self) -> int:
        return 0 if self.is_waiting else SLOTS


class WorkerProcess:
    """A process of a worker, from its start to its end."""

    def __init__(
        self,
        name: str,
        number: int,
        scenario: Scenario,
        weather: Weather,
        witness: Witness,
        runner: Callable[[], Runner],
    ) -> None:
        self.process = Process(f"{name}#{number}")
        self.lines: list[Line] = []
        self.stop = asyncio.Event()
        self._name = name
        self._weather = weather
        self._witness = witness
        self._runner = runner
        self._chance = random.Random(f"{scenario.seed} {self.process.name}")
        self.calls = Calls(random.Random(f"{scenario.seed} {self.process.name} calls"), weather, runner)
        self._pace = EagerPrefetch(SLOTS) if scenario.seed % 2 else Prefetch(SLOTS)
        self._liar = Liar(self._chance, weather, self._foreign_leases)
        self.main = self.process.spawn(self._live())

    async def _live(self) -> None:
        executes = self._name.startswith("w")
        role = runner_pb2.WORKER_ROLE_EXECUTOR if executes else runner_pb2.WORKER_ROLE_VALIDATOR
        maker = "scripted" if executes else ""
        identity = Identity(role=role, name=self._name, slots=SLOTS, version="simulated")
        model = ScriptedModel(self._chance, self._weather, maker, self._witness.said)
        patience = SessionTimings(jitter=self._chance.uniform)
        with suppress(WorkerRefused):
            pauses = Pauses(jitter=self._chance.uniform)
            files = partial(LeaseFiles, connect=lambda _address: cast(Any, Channel(self.calls)), pauses=pauses)
            worker = Worker(self._name, identity, model, patience, self._dial, self._pace, files)
            await worker.run(self.stop, GRACE)

    def _foreign_leases(self) -> list[str]:
        return [lease for lease, worker in self._witness.leases.items() if worker != self._name]

    @asynccontextmanager
    async def _dial(self, _address: str) -> AsyncIterator[WorkerEnd]:
        """Opens a new line to the runner that is up."""
        await asyncio.sleep(self._chance.uniform(0, 0.1))
        runner = self._runner()
        if not runner.serves:
            raise broken("no runner listens")
        line = Line(random.Random(self._chance.random()), self._weather)
        self.lines.append(line)
        runner.connect(line)
        try:
            yield WorkerEnd(line, lambda frame: self._witness.heard(self._name, frame), self._liar.falsified)
        finally:
            self.lines.remove(line)
            line.leave()

    def kill(self, *, silently: bool) -> None:
        """Kills it, or silently ends its machine: then the runner hears of no end."""
        self.process.kill()
        self.calls.break_off()
        for line in self.lines:
            line.up.silent |= silently
            line.leave()


class Supervised:
    """The processes of one worker, started again when they end. Usually one lives; two when it was started twice."""

    def __init__(self, start: Callable[[int], WorkerProcess], fail: Callable[[BaseException], None]) -> None:
        self._start = start
        self._fail = fail
        self._started = 0
        self.living: list[WorkerProcess] = []
        self.start()

    @property
    def newest(self) -> WorkerProcess | None:
        return self.living[-1] if self.living else None

    def start(self) -> None:
        self._started += 1
        born = self._start(self._started)
        self.living.append(born)
        born.main.add_done_callback(lambda main: self._ended(born, main))

    def _ended(self, dead: WorkerProcess, main: asyncio.Task[None]) -> None:
        if dead not in self.living:
            return  # it was killed
        self.living.remove(dead)
        if main.cancelled():
            return  # the world ends
        if (error := main.exception()) is not None:
            self._fail(error)
        elif not self.living:
            asyncio.get_running_loop().call_later(RESTART, self._restart)

    def _restart(self) -> None:
        if not self.living:
            self.start()

    def kill(self, victim: WorkerProcess, *, silently: bool) -> None:
        self.living.remove(victim)
        victim.kill(silently=silently)

    async def drain(self, victim: WorkerProcess) -> None:
        """Sends SIGTERM. Raises AssertionError when it does not end, unless it was stopped or killed meanwhile."""
        victim.stop.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PROMPT):
                await asyncio.shield(victim.main)
        if not victim.main.done() and victim.process.was_awake(PROMPT):
            raise AssertionError(f"{victim.process.name} was asked to end and did not")
