"""One program from its start to its end, as the event loop sees it.

The worker starts a launcher, which starts the program, and the loop passes on the program's output. `Process.end` and
a cancellation end the program with all it has started.

`subprocess` starts launchers, and not the event loop. uvloop forks, and a fork runs gRPC's fork handlers in a process
with threads and open streams; launchers then die of SIGSEGV before they begin. `subprocess` uses vfork, which runs no
handlers.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from worker_svc.commands import launcher
from worker_svc.uncut import to_its_end

END_WITHIN = launcher.GRACE + 30.0  # seconds; a program that runs on is stuck in the kernel, and its launcher with it
DRAIN_WITHIN = 5.0  # seconds; after the launcher's end, only a process that escaped it still holds a pipe

LAUNCHER = (sys.executable, "-I", "-S", "-X", "utf8", str(Path(launcher.__file__).resolve()))
_MAX_REPORT = 64 * 1024

#: Takes a piece of the program's output; returns whether the program may go on.
Sink = Callable[[bytes], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program to run, with its folder and limits."""

    argv: tuple[str, ...]
    folder: Path  #: its working directory
    stdin: Path | None  #: None: it is empty
    environment: Mapping[str, str]  #: all of it
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The end of a program: a code, a signal, or the problem that kept it from starting."""

    code: int | None = None
    signal: int | None = None
    problem: str = ""  #: why it could not be run
    errno: int = 0  #: the system's number for the problem; 0 when it has none

    @property
    def in_words(self) -> str:
        if self.problem:
            where = " (programs come from the worker's PATH, or have an absolute path)"
            return f"could not be run: {self.problem}{where if self.errno == errno.ENOENT else ''}"
        return f"exited with code {self.code}" if self.signal is None else f"was ended by {_name(self.signal)}"


class Process:
    """Runs a program once. Without `err`, standard error goes to `out` as well."""

    def __init__(self, program: Program, out: Sink, err: Sink | None = None) -> None:
        self._program = program
        self._sinks = (out,) if err is None else (out, err)
        self._control, self._theirs = socket.socketpair()
        self._control.setblocking(False)
        self._launcher: subprocess.Popen[bytes] | None = None
        self._giving_up: asyncio.TimerHandle | None = None

    async def ended(self) -> Ended:
        """Waits for the program's end; a cancellation ends it first. Raises OSError when it cannot be started now."""
        return await to_its_end(self._life(), on_cancel=self.end)

    def end(self) -> None:
        """Asks for the end of the program and all it has started; `ended` returns when that is done."""
        if self._giving_up is None:
            self._giving_up = asyncio.get_running_loop().call_later(END_WITHIN, self._give_up)
            with suppress(OSError):  # it may have ended by itself
                self._control.shutdown(socket.SHUT_WR)

    def _give_up(self) -> None:
        if self._launcher is not None:
            self._launcher.kill()

    async def _life(self) -> Ended:
        pipes: list[_Pipe] = []
        with self._control:
            try:
                self._launcher = await self._launch(pipes)
                await self._order()
                report = await self._report()
                code = await asyncio.to_thread(self._launcher.wait)
                await asyncio.wait([pipe.closed for pipe in pipes], timeout=DRAIN_WITHIN)
            finally:
                for pipe in pipes:
                    pipe.close()
                if self._giving_up is not None:
                    self._giving_up.cancel()
        if not report:
            raise ChildProcessError(f"the process that was to run it ended with code {code} and without a report")
        return Ended(**json.loads(report))

    async def _launch(self, pipes: list[_Pipe]) -> subprocess.Popen[bytes]:
        with ExitStack() as theirs:
            stdin = theirs.enter_context(self._theirs)
            ends = []
            for sink in self._sinks:
                pipe, end = await _Pipe.into(sink, self.end)
                theirs.callback(os.close, end)
                pipes.append(pipe)
                ends.append(end)
            return await asyncio.to_thread(
                subprocess.Popen,
                (*LAUNCHER, str(self._program.folder)),
                stdin=stdin.fileno(),
                stdout=ends[0],
                stderr=ends[-1],
                env=dict(self._program.environment),
                start_new_session=True,
            )

    async def _order(self) -> None:
        order = {
            "argv": self._program.argv,
            "folder": str(self._program.folder),
            "stdin": str(self._program.stdin or os.devnull),
            "memory_bytes": self._program.memory_bytes,
        }
        with suppress(OSError):  # the launcher is gone, or was asked to end: then its report is missing
            line = json.dumps(order).encode() + b"\n"
            await asyncio.get_running_loop().sock_sendall(self._control, line)

    async def _report(self) -> bytes:
        """Reads the launcher's report until its end. Empty: the launcher was killed."""
        report = b""
        with suppress(OSError):  # it may be killed before it has read its order
            while piece := await asyncio.get_running_loop().sock_recv(self._control, _MAX_REPORT):
                report += piece
        return report


class _Pipe(asyncio.Protocol):
    """The reading end of a pipe."""

    def __init__(self, sink: Sink, end: Callable[[], None]) -> None:
        self._sink = sink
        self._end = end
        self._transport: asyncio.BaseTransport | None = None
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    async def into(cls, sink: Sink, end: Callable[[], None]) -> tuple[_Pipe, int]:
        """Opens a pipe whose bytes go into `sink`; returns it and its writing end."""
        reading, writing = os.pipe()
        source = os.fdopen(reading, "rb", buffering=0)
        _, pipe = await asyncio.get_running_loop().connect_read_pipe(lambda: cls(sink, end), source)
        return pipe, writing

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self._sink(data):
            self._end()

    def connection_lost(self, _error: Exception | None) -> None:
        self.closed.set_result(None)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
