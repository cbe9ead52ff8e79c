"""The page beside the services of a command: the HTTP door as one more child process.

A door that dies is started again at its address, as often as a service. One that cannot be kept up is told of, and all
else goes on: no work depends on the page.
"""

from __future__ import annotations

import asyncio
import socket
import tempfile
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from signoff.errors import SignoffError
from signoff.files.data_directory import LOGS
from signoff.local.child import Child, ServiceProgram, address_of, ended_in_order, spawn
from signoff.local.services import DRAIN_WITHIN, LOOPBACK, may_start_again
from signoff.rpc.ports import UI_ADDRESS, page_url
from signoff.service.exit_codes import EXIT_BAD_INPUT


@dataclass(slots=True)
class LocalDoor:
    """Starts the door on entry and ends it on exit. `url` is where the page is."""

    planner: str
    runner: str
    data_dir: Path
    say: Callable[[str], None]
    address: str = ""  #: empty: the usual one, or any when another process has that
    url: str = ""
    _child: Child | None = None
    _watching: asyncio.Task[None] | None = None
    _folder: tempfile.TemporaryDirectory[str] = field(
        default_factory=lambda: tempfile.TemporaryDirectory(prefix="signoff-")
    )

    async def __aenter__(self) -> Self:
        flags = ("--planner", self.planner, "--runner", self.runner, "--grace", "2")
        address = self.address or (UI_ADDRESS if is_free(UI_ADDRESS) else LOOPBACK)
        program = ServiceProgram(name="door", module="signoff.web", flags=flags, listens_at=address)
        try:
            child = await self._start(program)
        except BaseException:
            await self._end()
            raise
        # A door that is started again keeps the address it got: the page in the browser finds it there.
        child.program = replace(program, listens_at=await self._address(child))
        self.url = page_url(child.program.listens_at)
        self._watching = asyncio.create_task(self._keep_alive(child))
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await self._end()

    async def _start(self, program: ServiceProgram) -> Child:
        self._file.unlink(missing_ok=True)
        self._child = await spawn(program, log=self.data_dir / LOGS / "door.log", address_file=self._file)
        await self._address(self._child)
        return self._child

    @property
    def _file(self) -> Path:
        return Path(self._folder.name) / "door"

    async def _address(self, child: Child) -> str:
        return await address_of(child, self._file)

    async def _keep_alive(self, child: Child) -> None:
        deaths: deque[float] = deque()
        while True:
            await child.process.wait()
            if child.process.returncode == EXIT_BAD_INPUT or not may_start_again(deaths):
                self.say(f"the page has gone, and all else goes on: {child.story()}")
                return
            self.say(f"{child.how_it_ended()}: it was started again")
            try:
                child = await self._start(child.program)
            except SignoffError as error:
                self.say(f"the page has gone, and all else goes on: {error}")
                return

    async def _end(self) -> None:
        if self._child is not None:
            await ended_in_order(self._child.process, DRAIN_WITHIN)
        self._folder.cleanup()


def is_free(address: str) -> bool:
    """Tells whether no other process listens at an address of this machine."""
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError:
            return False
    return True
