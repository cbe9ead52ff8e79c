"""All services in one command: planner, runner and workers as child processes of this one.

A child that dies is reported and started again at the same address, at most three times in ten minutes. The runner goes
on from its data by itself, and clients and workers connect to it again.

    async with LocalServices(settings, say) as services:
        ... services.planner_address, services.runner_address ...
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from signoff.errors import SignoffError
from signoff.files.data_directory import LOGS
from signoff.local.child import Child, ServiceDied, ServiceProgram, address_of, ended_in_order, send_signal, spawn
from signoff.service.exit_codes import EXIT_BAD_INPUT

DRAIN_WITHIN = 15.0  # seconds between SIGTERM and SIGKILL; a service gives its calls ten
RESTARTS, WINDOW = 3, 600.0  # of each child within so many seconds; a fourth death in them is not bad luck

LOOPBACK = "127.0.0.1:0"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSettings:
    """The services to start, and where they keep and offer what they have."""

    data_dir: Path
    planner_address: str = LOOPBACK
    runner_address: str = LOOPBACK
    executors: int = 0  #: slots of all executor processes together
    validators: int = 0
    processes: int = 1  #: of each role; the slots are spread over them
    model: str = ""  #: empty: as the environment says
    judge_model: str = ""  #: empty: the same as `model`
    models: Path | None = None  #: the file of models; None: as the environment says
    prices: Path | None = None  #: the runner's table of prices
    limits: Path | None = None  #: the runner's table of what models take a minute
    apps: tuple[str, ...] = ()  #: functions of the user's own, as module:attribute
    allow_commands: bool = False  #: workers run the programs that plans name
    stand_by: bool = True  #: on a PostgreSQL that another runner uses, instead of being refused

    @property
    def logs(self) -> Path:
        """The folder of the children's logs, beside the journal."""
        return self.data_dir / LOGS


@dataclass(slots=True)
class LocalServices:
    """Starts the services on entry and drains them on exit. `say` tells a person what happens to the children."""

    settings: LocalSettings
    say: Say
    planner_address: str = ""
    runner_address: str = ""
    _children: dict[str, Child] = field(default_factory=dict)
    _watchers: list[asyncio.Task[None]] = field(default_factory=list)
    _folder: tempfile.TemporaryDirectory[str] | None = None
    _lost: asyncio.Future[SignoffError] | None = None

    async def __aenter__(self) -> Self:
        self._lost = asyncio.get_running_loop().create_future()
        self._folder = tempfile.TemporaryDirectory(prefix="signoff-")
        try:
            self.planner_address = await self._start(planner_program(self.settings))
            self.runner_address = await self._start(runner_program(self.settings, self.planner_address))
            for worker in worker_programs(self.settings, self.runner_address):
                await self._start(worker)
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def lost(self) -> SignoffError:
        """Waits until a child is lost for good, and returns its error. Cancel it when the work is over."""
        assert self._lost is not None, "enter the context first"
        return await asyncio.shield(self._lost)

    async def stop(self) -> None:
        """Drains the children in order. When cancelled meanwhile, kills those that are left and waits for their end."""
        draining = asyncio.create_task(self._drain())
        try:
            await asyncio.shield(draining)
        except asyncio.CancelledError:
            self.kill()
            await draining
            raise

    async def _drain(self) -> None:
        """Ends the workers first, so that the runner gets what they hand back, then the runner, then the planner."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        for children in self._in_order_of_leaving():
            await asyncio.gather(*map(self._leave, children))
        if self._folder is not None:
            self._folder.cleanup()

    def kill(self) -> None:
        """Ends every child at once. Nothing that was acknowledged is lost."""
        for child in self._children.values():
            child.is_stopping = True
            send_signal(child.process, kill=True)

    def _in_order_of_leaving(self) -> Sequence[Sequence[Child]]:
        by_module = {"worker_svc": list[Child](), "runner_svc": list[Child](), "planner_svc": list[Child]()}
        for child in self._children.values():
            by_module[child.program.module].append(child)
        return list(by_module.values())

    async def _leave(self, child: Child) -> None:
        child.is_stopping = True
        if not await ended_in_order(child.process, DRAIN_WITHIN):
            self.say(f"the {child.program.name} did not end within {DRAIN_WITHIN:.0f} s and was killed")

    async def _start(self, program: ServiceProgram) -> str:
        """Starts a child, waits until it listens if it does, and watches over it from then on."""
        child = await self._spawn(program)
        deaths: deque[float] = deque()
        while program.listens_at:
            try:
                # A child that is started again keeps the address it got, so that its clients find it again.
                address = await address_of(child, self._address_file(program))
            except ServiceDied:
                # guard: killed before it listens -> if True:
                if child.process.returncode is None or not may_start_again(deaths):
                    raise
                child = await self._again(child, deaths)
            else:
                child.program = replace(program, listens_at=address)
                break
        self._watchers.append(asyncio.create_task(self._watch_over(child)))
        return child.program.listens_at

    async def _spawn(self, program: ServiceProgram) -> Child:
        log = self.settings.logs / f"{program.name}.log"
        child = await spawn(program, log=log, address_file=self._address_file(program))
        self._children[program.name] = child
        return child

    def _address_file(self, program: ServiceProgram) -> Path:
        assert self._folder is not None, "enter the context first"
        return Path(self._folder.name) / program.name

    async def _watch_over(self, child: Child) -> None:
        """Keeps a child alive. When that fails, the services are lost as a whole."""
        try:
            story: SignoffError | None = await self._keep_alive(child)
        except (OSError, SignoffError) as error:
            story = ServiceDied(f"the {child.program.name} could not be started again: {error}")
        if story is not None and self._lost is not None and not self._lost.done():
            self._lost.set_result(story)

    async def _keep_alive(self, child: Child) -> SignoffError | None:
        """Reports when a child dies, and starts it again. Returns its error when it dies once too often."""
        deaths: deque[float] = deque()
        while True:
            await child.process.wait()
            if child.is_stopping:
                return None
            # Wrong settings would be wrong the next time too.
            if child.process.returncode == EXIT_BAD_INPUT or not may_start_again(deaths):
                return child.story()
            child = await self._again(child, deaths)

    async def _again(self, dead: Child, deaths: Sequence[float]) -> Child:
        child = await self._spawn(dead.program)
        told = f"{len(deaths)} of {RESTARTS} in {WINDOW / 60:.0f} min"
        self.say(f"{dead.how_it_ended()}: it was started again ({told})")
        return child


def may_start_again(deaths: deque[float]) -> bool:
    """Counts a death in, and tells whether there were few enough within the window."""
    now = time.monotonic()
    # guard (2 lines): deaths of long ago do not count -> (removed)
    while deaths and deaths[0] <= now - WINDOW:
        deaths.popleft()
    deaths.append(now)
    return len(deaths) <= RESTARTS


# ---------------------------------------------------------------- which children


def planner_program(settings: LocalSettings) -> ServiceProgram:
    flags = ("--data-dir", str(settings.data_dir))
    return ServiceProgram(name="planner", module="planner_svc", flags=flags, listens_at=settings.planner_address)


def runner_program(settings: LocalSettings, planner_address: str) -> ServiceProgram:
    tables = (("--prices", settings.prices), ("--limits", settings.limits))
    given = tuple(part for flag, file in tables if file for part in (flag, str(file)))
    stand_by = () if settings.stand_by else ("--no-stand-by",)
    flags = ("--data-dir", str(settings.data_dir), "--planner", planner_address, *stand_by, *given)
    return ServiceProgram(name="runner", module="runner_svc", flags=flags, listens_at=settings.runner_address)


def worker_programs(settings: LocalSettings, runner_address: str) -> list[ServiceProgram]:
    judge = settings.judge_model or settings.model
    return [
        *_workers("executor", settings.executors, settings.model, settings, runner_address),
        *_workers("validator", settings.validators, judge, settings, runner_address),
    ]


def _workers(role: str, slots: int, model: str, settings: LocalSettings, runner_address: str) -> list[ServiceProgram]:
    offered = (
        *(("--model", model) if model else ()),
        *(("--models", str(settings.models)) if settings.models else ()),
        *(("--app", ",".join(settings.apps)) if settings.apps else ()),
        *(("--allow-commands",) if settings.allow_commands else ()),
    )
    return [
        ServiceProgram(
            name=f"{role}-{number}",
            module="worker_svc",
            flags=(
                *("--role", role, "--name", f"{role}-{number}", "--slots", str(share)),
                *("--runner", runner_address, *offered),
            ),
        )
        for number, share in enumerate(spread(slots, settings.processes), start=1)
    ]


def spread(slots: int, processes: int) -> list[int]:
    """Spreads slots over processes as evenly as possible; each process gets one. spread(7, 3) is [3, 2, 2]."""
    processes = min(slots, processes)
    return [slots // processes + (number < slots % processes) for number in range(processes)]
