"""signoff's services as child processes, for one workload.

Planner and runner are started exactly as `signoff serve` starts them, by signoff.local.services. Nothing is added
unless a workload looks into the runner.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.meter import Meter
from signoff.client.client import Client
from signoff.local.child import Child, ServiceProgram, address_of, send_signal, spawn
from signoff.local.services import LocalSettings, planner_program, runner_program
from worker_svc.__main__ import DEFAULT_SLOTS

ROOT = Path(__file__).parents[2]
LOOK_AGAIN = 0.02  # seconds
PATIENCE = 60.0  # seconds until all workers are connected


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """The worker processes of one role: by default one, with the default number of slots."""

    role: str
    slots: int = 0  #: of each stream; 0: as many as the role has by default
    processes: int = 1
    streams: int = 1  #: of each process
    flags: tuple[str, ...] = ()  #: of the handlers, such as --size

    def programs(self, runner: str) -> list[ServiceProgram]:
        return [self._program(f"{self.role}-{number}", runner) for number in range(1, self.processes + 1)]

    def _program(self, name: str, runner: str) -> ServiceProgram:
        slots = str(self.slots or DEFAULT_SLOTS[self.role])
        flags = ("--role", self.role, "--name", name, "--slots", slots, "--streams", str(self.streams))
        return ServiceProgram(
            name=name, module="benchmarks.ours.worker", flags=(*flags, "--runner", runner, *self.flags)
        )


USUAL = (Crew(role="executor"), Crew(role="validator"))


@dataclass(slots=True)
class Services:
    """Planner, runner and workers: started on entry, killed on exit, and their data removed."""

    crews: Sequence[Crew] = USUAL
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="signoff-bench-")))
    runner_module: str = "runner_svc"  #: another one is the same runner, looked at
    children: dict[str, Child] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    _client: Client | None = None

    @property
    def settings(self) -> LocalSettings:
        return LocalSettings(data_dir=self.folder / "db")

    @property
    def client(self) -> Client:
        assert self._client is not None, "enter the context first"
        return self._client

    async def __aenter__(self) -> Self:
        try:
            await self.start(planner_program(self.settings))
            await self.start(
                replace(runner_program(self.settings, self.addresses["planner"]), module=self.runner_module)
            )
            self._client = await Client(planner=self.addresses["planner"], runner=self.addresses["runner"]).__aenter__()
            await self.join(self.crews)
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._end()

    async def start(self, program: ServiceProgram) -> Child:
        """Starts a child. Returns when it listens, if it is to listen."""
        address_file = self.folder / f"{program.name}.address"
        address_file.unlink(missing_ok=True)
        program = replace(program, paths=(str(ROOT),))
        child = await spawn(program, log=self.folder / f"{program.name}.log", address_file=address_file)
        self.children[program.name] = child
        if program.listens_at:
            self.addresses[program.name] = await address_of(child, address_file)
        return child

    async def join(self, crews: Sequence[Crew]) -> None:
        """Starts workers. Returns when the runner has welcomed them all. Raises TimeoutError."""
        expected = len(await self.client.workers()) + sum(crew.processes * crew.streams for crew in crews)
        for crew in crews:
            for program in crew.programs(self.addresses["runner"]):
                await self.start(program)
        async with asyncio.timeout(PATIENCE):
            while len(await self.client.workers()) < expected:
                self.raise_if_dead()
                await asyncio.sleep(LOOK_AGAIN)

    def raise_if_dead(self) -> None:
        """Raises an error with the output of a child that has ended."""
        for child in self.children.values():
            if child.process.returncode is not None:
                raise child.story()

    def pid(self, name: str) -> int:
        return self.children[name].process.pid

    def processes(self) -> dict[int, str]:
        """Returns all children, and this process, which is the client."""
        return {os.getpid(): "client", **{self.pid(name): name for name in self.children}}

    def meter(self) -> Meter:
        return Meter(self.processes())

    async def kill(self, name: str) -> None:
        """Kills a child with SIGKILL, in the middle of its work."""
        child = self.children.pop(name)
        send_signal(child.process, kill=True)
        await child.process.wait()

    async def _end(self) -> None:
        """Kills all children that are left: their data is not needed again."""
        if self._client is not None:
            await self._client.__aexit__(None, None, None)
        await asyncio.gather(*map(self.kill, list(self.children)))
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)


def prepare_environment() -> None:
    """Sets the environment for children: nothing of signoff is configured, and this package is found from anywhere."""
    for name in [name for name in os.environ if name.startswith(("SIGNOFF_", "OPENAI_"))]:
        del os.environ[name]
    os.environ["PYTHONPATH"] = str(ROOT)
