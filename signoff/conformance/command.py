"""The worker under test as a process that the kit starts, asks to end, and starts again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import tempfile
from asyncio.subprocess import DEVNULL, Process
from typing import IO, Protocol

from signoff.errors import ConfigurationError

ADDRESS = "{address}"
LAST_LINES, LAST_BYTES = 5, 4096  # of what the worker printed, for a message


class WorkerProcess(Protocol):
    """A worker that the kit can start and end."""

    @property
    def is_running(self) -> bool: ...

    async def start(self, address: str) -> None:
        """Starts it anew. Raises ConfigurationError when it cannot be started."""

    def ask_to_end(self) -> None:
        """Asks it to end in order within a grace, as SIGTERM does."""

    async def ended(self) -> None:
        """Waits until it has ended."""

    async def kill(self) -> None:
        """Ends it at once. Returns when nothing of it runs any more, and drops what it printed."""

    def last_words(self) -> str:
        """Describes how it ended and what it printed last, for a message."""


class WorkerCommand:
    """A worker from a command line in which {address} stands for the kit's address. Implements WorkerProcess."""

    def __init__(self, line: str) -> None:
        """Raises ConfigurationError when the line cannot be read as a command."""
        try:
            self._argv = shlex.split(line)
        except ValueError as error:
            raise ConfigurationError(f"--command: expected a command line, but got {line!r} ({error})") from None
        if not self._argv or ADDRESS not in line:
            raise ConfigurationError(f"--command: expected a command line with {ADDRESS} in it, but got {line!r}")
        self._process: Process | None = None
        self._printed: IO[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self, address: str) -> None:
        argv = [part.replace(ADDRESS, address) for part in self._argv]
        self._forget_what_it_printed()
        # Appending, so that reading does not move where the worker prints.
        self._printed = tempfile.TemporaryFile("a+b")  # noqa: SIM115 - closed by kill, or by the next start
        try:
            # A session of its own: a Ctrl-C is for the kit, and what the command starts can be killed with it.
            self._process = await asyncio.create_subprocess_exec(
                *argv, stdin=DEVNULL, stdout=self._printed, stderr=self._printed, start_new_session=True
            )
        except OSError as error:
            raise ConfigurationError(f"--command: cannot start {argv[0]!r}: {error.strerror}") from None

    def ask_to_end(self) -> None:
        if self._process is not None and self.is_running:
            self._process.terminate()

    async def ended(self) -> None:
        if self._process is not None:
            await self._process.wait()

    async def kill(self) -> None:
        if self._process is not None and self.is_running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        await self.ended()
        self._forget_what_it_printed()

    def _forget_what_it_printed(self) -> None:
        if self._printed is not None:
            self._printed.close()
            self._printed = None

    def last_words(self) -> str:
        words = self._last_printed()
        return f"{self._how_it_ended()}; its last words: {words}" if words else f"{self._how_it_ended()} without a word"

    def _last_printed(self) -> str:
        if self._printed is None:
            return ""
        self._printed.seek(max(0, self._printed.seek(0, os.SEEK_END) - LAST_BYTES))
        lines = self._printed.read().decode(errors="replace").strip().splitlines()
        return "\n".join(lines[-LAST_LINES:])

    def _how_it_ended(self) -> str:
        code = self._process.returncode if self._process is not None else None
        if code is None:
            return "it runs"
        return f"it was killed by signal {-code}" if code < 0 else f"it ended with exit code {code}"
