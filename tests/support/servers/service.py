"""A service as a real process that can be killed, frozen, ended in order, and started again at the same address."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.processes.commands import environment

PATIENCE = 30.0  # seconds for anything that takes one or two on an idle machine
LOOK_AGAIN = 0.02  # seconds between two looks where the kernel sends no event


async def until(holds: Callable[[], bool], what: str, within: float = PATIENCE) -> None:
    """Waits for a condition that sends no event. Raises AssertionError, which names it, after `within` seconds."""
    deadline = asyncio.get_running_loop().time() + within
    while not holds():
        assert asyncio.get_running_loop().time() < deadline, f"expected within {within:g} s: {what}"
        await asyncio.sleep(LOOK_AGAIN)


@dataclass(slots=True, kw_only=True)
class Service:
    """A process of `python -m module …` with its log in a file. It ends when this process does."""

    name: str
    module: str
    flags: tuple[str, ...]
    folder: Path  #: for the log and the address
    listens: bool = False
    variables: dict[str, str] = field(default_factory=dict)
    wrapper: Sequence[str] = ()  #: a command that runs the rest of its command line in its own place
    address: str = "127.0.0.1:0"
    process: Process | None = None

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def pid(self) -> int:
        assert self.process is not None, f"{self.name} was never started"
        return self.process.pid

    @property
    def is_up(self) -> bool:
        return self.process is not None and self.process.returncode is None

    async def start(self) -> None:
        """Starts the service, and waits until it listens. Started again, it listens at the same address."""
        address_file = self.folder / f"{self.name}.address"
        address_file.unlink(missing_ok=True)
        listening = ("--address", self.address, "--address-file", str(address_file)) if self.listens else ()
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.wrapper,
                *(sys.executable, "-m", self.module, *self.flags, *listening, "--stop-on-stdin-eof"),
                stdin=PIPE,
                stdout=DEVNULL,
                stderr=log,
                env=environment() | self.variables,
                start_new_session=True,
            )
        if self.listens:
            await until(lambda: address_file.exists() or not self.is_up, f"{self.name} listens")
            assert self.is_up, f"{self.name} has ended:\n{self.said()}"
            self.address = address_file.read_text()

    async def kill(self) -> None:
        """Sends SIGKILL, which also ends a frozen process."""
        await self._end(signal.SIGKILL)

    async def terminate(self) -> int:
        """Sends SIGTERM; returns the exit code."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()

    def freeze(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def said(self, after: int = 0) -> str:
        """Returns its log, from a place on."""
        with self.log.open("rb") as log:
            log.seek(after)
            return log.read().decode(errors="replace")

    async def says(self, text: str, *, times: int = 1, after: int = 0, within: float = PATIENCE) -> None:
        """Returns when its log has a text `times` times, from a place on."""
        await until(lambda: self.said(after).count(text) >= times, f"{self.name} says {text!r} {times} times", within)

    @property
    def place(self) -> int:
        """Returns the place where its log ends now."""
        return self.log.stat().st_size
