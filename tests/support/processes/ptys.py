"""Programs on a terminal: a pseudo-terminal of a size, the bytes that reach it, and keys that are typed."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import signal
import struct
import sys
import termios
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.processes.commands import environment
from tests.support.processes.terminal_screen import TerminalScreen

WITHIN = 40.0  # seconds for anything that takes one or two on an idle machine

#: Makes standard input the terminal that sends Ctrl-C, then becomes `python -m signoff.cli`.
_PROGRAM = (
    "import fcntl, runpy, termios\n"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    "runpy.run_module('signoff.cli', run_name='__main__', alter_sys=True)\n"
)


class OnTerminal:
    """A process whose standard input, output and error are one terminal."""

    def __init__(self, master: int, process: asyncio.subprocess.Process, screen: TerminalScreen) -> None:
        self._master, self.process, self._screen = master, process, screen
        self.bytes = bytearray()  #: everything that has reached the terminal
        self.arrivals: list[tuple[float, int]] = []  #: the time and the size of each piece
        self._more = asyncio.Event()
        self.is_over = asyncio.Event()
        asyncio.get_running_loop().add_reader(master, self._read)

    @property
    def text(self) -> str:
        return self.bytes.decode(errors="surrogateescape")

    @property
    def shown(self) -> str:
        """Returns what a person sees on it now."""
        self._screen.show_all(self.bytes)
        return self._screen.text

    @property
    def modes(self) -> Mapping[str, bool]:
        """Returns the modes of the terminal that the program has set or reset, as they are now."""
        self._screen.show_all(self.bytes)
        return self._screen.modes

    @property
    def line_settings(self) -> list[object]:
        """Returns how the kernel treats keys and lines: echo, signals, line editing."""
        return termios.tcgetattr(self._master)

    def _read(self) -> None:
        try:
            piece = os.read(self._master, 65536)
        except OSError:  # Linux says so when the last process has closed the terminal
            piece = b""
        if piece:
            self.bytes += piece
            self.arrivals.append((time.monotonic(), len(piece)))
        else:
            asyncio.get_running_loop().remove_reader(self._master)
            self.is_over.set()
        self._more.set()

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def resize(self, width: int, height: int) -> None:
        _set_size(self._master, width, height)
        self._screen.resize(width, height)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGWINCH)

    async def until(self, text: str, *, within: float = WITHIN, after: int = 0) -> int:
        """Waits until a text has reached the terminal; returns how many bytes had come by then."""
        await self._until(lambda: text.encode() in self.bytes[after:], repr(text), within)
        return len(self.bytes)

    async def shows(self, text: str, within: float = WITHIN) -> None:
        """Waits until a person sees a text."""
        await self._until(lambda: text in self.shown, f"to see {text!r}", within)

    async def shows_no_more(self, text: str, within: float = WITHIN) -> None:
        """Waits until a person does not see a text any more."""
        await self._until(lambda: text not in self.shown, f"to see no {text!r}", within)

    async def _until(self, holds: Callable[[], bool], what: str, within: float) -> None:
        try:
            async with asyncio.timeout(within):
                while not holds():
                    assert not self.is_over.is_set(), f"expected {what}, but the program has ended:\n{self.text}"
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise AssertionError(f"expected {what} on the terminal, but got\n{self.text[-4000:]}") from None

    async def ended(self, within: float = 60.0) -> int:
        """Waits for the end of the program and of its output; returns the exit code."""
        async with asyncio.timeout(within):
            code = await self.process.wait()
            await self.is_over.wait()
        return code


@asynccontextmanager
async def on_terminal(
    *arguments: str | Path,
    cwd: Path,
    width: int = 80,
    height: int = 24,
    variables: Mapping[str, str] | None = None,
) -> AsyncIterator[OnTerminal]:
    """Starts `signoff …` on a terminal, and kills it when the test leaves it."""
    master, slave = pty.openpty()
    _set_size(slave, width, height)
    env = {**environment(), "TERM": "xterm-256color", "COLUMNS": "", "LINES": "", **(variables or {})}
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _PROGRAM, *map(str, arguments)),
            cwd=cwd,
            env={name: value for name, value in env.items() if value},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
    finally:
        os.close(slave)
    try:
        yield OnTerminal(master, process, TerminalScreen(width, height))
    finally:
        asyncio.get_running_loop().remove_reader(master)
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        os.close(master)


def _set_size(descriptor: int, width: int, height: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
