"""The pool of processes that compile: a few at once, kept warm, each of which the service can end.

A call waits for its turn, hands its files over, and gets an answer, or an error that names what it ran out of. When the
call is cancelled, the process is killed, because nothing else could end a compile in the middle. Processes are started
without a fork of the service, which gRPC would not survive.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import structlog

from planner_svc.processes.job import CompileAnswer, CompileJob, answer_from_line, job_to_line
from signoff.errors import CompilerLost, PlanTooLarge, ShuttingDown
from signoff.service.environment import python_command

log = structlog.get_logger(__name__)

COMPILE_SECONDS = 120.0  # of CPU
COMPILES_AT_ONCE = 2  # more only wait for the same cores, and each holds a plan in memory
ANSWER_BYTES = 64 * 1024  # read at a time
KEPT_BYTES = 512 * 1024 * 1024  # of memory: a process that has had more is ended, for it gives little of it back
EXIT_SECONDS = 5.0  # seconds that a process has for its end once it has closed its channel
LONGEST_WAIT = 60  # seconds, and ten times its CPU, on the clock: a compile waits for the disk and for other programs

GIB = 1 << 30
_BYTES_A_SHARE = 128 << 20  # a plan of this size gets twice the CPU, of twice the size three times


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileLimits:
    """The CPU and the memory that one compile may take."""

    seconds: float = COMPILE_SECONDS  #: of CPU, and as much again for every 128 MiB of plan.json
    memory_bytes: int = 0  #: of address space; 0: 16 GiB, or what the machine has when that is less

    def cpu_seconds(self, plan_bytes: int) -> int:
        return max(1, round(self.seconds * (1 + plan_bytes / _BYTES_A_SHARE)))

    @property
    def memory(self) -> int:
        return self.memory_bytes or min(16 * GIB, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


class Compilers:
    """Runs jobs, at most `at_once` at a time, in the order of their arrival."""

    def __init__(self, limits: CompileLimits, at_once: int = COMPILES_AT_ONCE) -> None:
        self._limits = limits
        self._turns = asyncio.Semaphore(at_once)
        self._idle: list[_Compiler] = []
        self._all: set[_Compiler] = set()
        self._ending: dict[_Compiler, asyncio.Task[None]] = {}
        self._is_closed = False

    @property
    def pids(self) -> list[int]:
        """Returns the ids of all processes of the pool."""
        return sorted(compiler.pid for compiler in self._all)

    async def warm_up(self) -> None:
        """Starts a process before the first job, which then need not wait for its imports."""
        self._idle.append(await self._start_another())

    async def run(self, job: CompileJob, files: Sequence[BinaryIO]) -> CompileAnswer:
        """Runs a job. Raises PlanTooLarge when it takes too long, CompilerLost when its process dies."""
        async with self._turns:
            compiler = await self._take()
            try:
                answer = await compiler.answer(job, files)
            except BaseException:
                # guard: a compile ends when its caller goes away -> (removed)
                await asyncio.shield(self._end(compiler))  # until it is gone it may write files
                raise
            self._keep(compiler, answer)
            return answer

    async def close(self) -> None:
        """Ends every process, and returns when they are gone."""
        self._is_closed = True
        for compiler in [*self._all]:
            self._end(compiler)
        await asyncio.gather(*self._ending.values())

    async def _take(self) -> _Compiler:
        while self._idle:
            compiler = self._idle.pop()
            if compiler.is_alive:
                return compiler
            self._end(compiler)
        return await self._start_another()

    async def _start_another(self) -> _Compiler:
        if self._is_closed:
            raise ShuttingDown("expected a service that runs, but it is about to end")
        compiler = await _start(self._limits.memory)
        self._all.add(compiler)
        return compiler

    def _keep(self, compiler: _Compiler, answer: CompileAnswer) -> None:
        if answer.memory_bytes > KEPT_BYTES or self._is_closed:
            self._end(compiler)
        else:
            self._idle.append(compiler)

    def _end(self, compiler: _Compiler) -> asyncio.Task[None]:
        """Kills a process now. Returns a task that is done when the process is gone."""
        compiler.kill()
        if compiler not in self._ending:
            self._all.discard(compiler)
            self._ending[compiler] = asyncio.create_task(compiler.end())
            self._ending[compiler].add_done_callback(lambda _: self._ending.pop(compiler))
        return self._ending[compiler]


async def _start(memory_bytes: int) -> _Compiler:
    """Starts a process that finds the same modules as the service, in a session that no Ctrl-C reaches."""
    try:
        with ExitStack() as undo:
            ours, theirs = map(undo.enter_context, socket.socketpair())
            process = await _spawn(theirs.fileno(), memory_bytes)
            theirs.close()
            undo.pop_all()
    except OSError as error:
        reason = f"expected a process that compiles, but none can be started: {error.strerror or error}"
        raise CompilerLost(reason) from error
    ours.setblocking(False)
    return _Compiler(process, ours)


async def _spawn(channel: int, memory_bytes: int) -> Process:
    return await asyncio.create_subprocess_exec(
        *python_command("planner_svc.processes.child", str(channel), str(memory_bytes)),
        stdin=PIPE,  # never written to: its end tells the process that this one is gone
        stdout=DEVNULL,
        pass_fds=(channel,),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)},
        start_new_session=True,
    )


class _Compiler:
    """One process that compiles."""

    def __init__(self, process: Process, channel: socket.socket) -> None:
        self._process, self._channel = process, channel
        self._in_use = asyncio.Lock()  # the channel: a reader of one that is closed under it would wait for ever

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Tells whether the process waits for a job: one that has ended has closed its end of the channel."""
        try:
            self._channel.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    async def answer(self, job: CompileJob, files: Sequence[BinaryIO]) -> CompileAnswer:
        async with self._in_use:
            return await self._answer(job, files)

    async def _answer(self, job: CompileJob, files: Sequence[BinaryIO]) -> CompileAnswer:
        try:
            socket.send_fds(self._channel, [job_to_line(job)], [file.fileno() for file in files])
            async with asyncio.timeout(LONGEST_WAIT + 10 * job.cpu_seconds):
                line = await self._line()
        except TimeoutError:
            waited = f"{LONGEST_WAIT + 10 * job.cpu_seconds:,} s, most of which it was not even running"
            raise PlanTooLarge(f"expected a plan that compiles in time, but it was not done after {waited}") from None
        except OSError:
            line = b""
        return answer_from_line(line) if line.endswith(b"\n") else await self._lost(job)

    async def _line(self) -> bytes:
        """Receives a line; only a part of one when the process ends before."""
        loop, line = asyncio.get_running_loop(), b""
        while not line.endswith(b"\n") and (more := await loop.sock_recv(self._channel, ANSWER_BYTES)):
            line += more
        return line

    async def _lost(self, job: CompileJob) -> CompileAnswer:
        """Raises the error that tells how the process ended."""
        code = await self._code()
        if code == -signal.SIGXCPU:
            rule = f"a plan that compiles within {job.cpu_seconds:,} s of CPU (--compile-timeout)"
            raise PlanTooLarge(f"expected {rule}, but it took more")
        how = f"killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        log.warning("compiler_lost", pid=self.pid, code=code)
        raise CompilerLost(f"expected the plan to be compiled, but the process that did it was {how}: try again")

    async def _code(self) -> int:
        """Returns the exit code. A process that has closed its channel and goes on is killed."""
        try:
            async with asyncio.timeout(EXIT_SECONDS):
                return await self._process.wait()
        except TimeoutError:
            self._process.kill()
            return await self._process.wait()

    def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()

    async def end(self) -> None:
        """Waits until the process is gone, and closes its files."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._process.wait()
        async with self._in_use:
            self._channel.close()
