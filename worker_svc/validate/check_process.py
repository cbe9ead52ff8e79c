"""Processes of their own for checks that may never end, or that take long because the candidate is large.

Patterns and schemas come from plans, and a pattern such as `(a+)+$` can keep Python's `re`, and with it every thread
of the process, busy for hours. So those checks run in a child that is killed when it takes too long. Patterns that a
linear-time engine reads as Python does need none (checking/patterns.py). The others keep Python's own `re`, which a
plan is promised for `regex`, and in whose words patterns of schemas are written anew: another engine would be another
dialect, and would leave the JSON Schema keywords (`pattern`,
`uniqueItems`, recursive `$ref`) without a limit.

A child is started when first needed, looks at one candidate at a time, and lives until it is killed or closed. Both
directions carry frames: four bytes of length, then the bytes. The child greets with an empty frame. A frame to it
begins with a letter: `C` and the candidate, which it keeps for all checks; `P` and a kind of check, answered with an
empty frame when its imports are done; `I` and the TaskOutput, or `K` and a Check, answered with the results, as a
Verdict. So the time limits are for the checks alone.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import BinaryIO

from signoff.service.environment import python_command
from signoff.v1 import execution_pb2, plan_pb2, worker_pb2
from worker_svc.validate import checks

TIME_LIMIT = timedelta(seconds=5)  # an honest check takes milliseconds
BYTES_PER_SECOND = 8 * 1024**2  # of a candidate: so much more time a large one gets
ALL_LIMIT = timedelta(seconds=60)  # for all checks of one candidate together: others wait for theirs
START_LIMIT = timedelta(seconds=30)  # for an interpreter and its imports on a machine with much to do
ALONE_LIMIT = 120  # seconds a child without a parent may go on with a check
PROCESSES = 2  # at once; more candidates wait
MEMORY_BYTES = 2 * 1024**3  # of one child
KEPT_BYTES = 1024**2  # a child that has looked at more is not used again: it would keep the memory

Results = list[execution_pb2.CriterionResult]


class CheckProcess:
    """Looks at candidates with limits; a check that passes one is OUTCOME_ERROR. Cancelling a call kills its child."""

    def __init__(
        self,
        time_limit: timedelta = TIME_LIMIT,
        *,
        all_limit: timedelta = ALL_LIMIT,
        processes: int = PROCESSES,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        """`memory_bytes` are for one process of `processes`; the rest of them are time limits."""
        self._time_limit = time_limit.total_seconds()
        self._all_limit = all_limit.total_seconds()
        self._memory_bytes = memory_bytes
        self._seats = asyncio.Semaphore(processes)
        self._idle: list[_Child] = []
        self._busy: set[_Child] = set()

    def looking_at(self, content: bytes) -> CheckRun:
        """For the checks of one candidate: `async with process.looking_at(content) as look`."""
        return CheckRun(self, content, self._time_limit + len(content) / BYTES_PER_SECOND, self._all_limit)

    async def check_result(self, check: plan_pb2.Check, content: bytes) -> execution_pb2.CriterionResult:
        """As checks.check_result, but bounded in time."""
        async with self.looking_at(content) as look:
            return await look.check_result(check)

    async def close(self) -> None:
        for child in (*self._idle, *self._busy):
            await child.kill()
        self._idle.clear()

    async def _take(self) -> _Child:
        """A child that answers; waits until one is free."""
        await self._seats.acquire()
        child = self._idle.pop() if self._idle else _Child(self._memory_bytes)
        self._busy.add(child)
        return child

    async def _give_back(self, child: _Child, *, is_spent: bool) -> None:
        try:
            if is_spent:
                await child.kill()
            else:
                self._idle.append(child)
        finally:
            self._busy.discard(child)
            self._seats.release()


class CheckRun:
    """One candidate, and the child that looks at it, from the first check on."""

    def __init__(self, processes: CheckProcess, content: bytes, time_limit: float, all_limit: float) -> None:
        self._processes = processes
        self._content = content
        self._time_limit = time_limit
        self._all_limit = self._left = all_limit
        self._child: _Child | None = None

    async def __aenter__(self) -> CheckRun:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        child, self._child = self._child, None
        if child is not None:
            is_spent = error is not None or len(self._content) > KEPT_BYTES
            await self._processes._give_back(child, is_spent=is_spent)

    async def implicit_results(self, output: plan_pb2.TaskOutput) -> Results:
        """As checks.implicit_results, but bounded in time."""
        told = await self._told("json", lambda child: child.asked(b"I" + output.SerializeToString()))
        return [checks.cannot_tell(checks.IS_TEXT, told)] if isinstance(told, str) else told

    async def check_result(self, check: plan_pb2.Check) -> execution_pb2.CriterionResult:
        """As checks.check_result, but bounded in time."""
        kind = check.WhichOneof("kind") or ""
        # guard: checks run in a process of their own -> told = [checks.check_result(check, self._content)]
        told = await self._told(kind, lambda child: child.asked(b"K" + check.SerializeToString()))
        return checks.broken(check, told) if isinstance(told, str) else told[0]

    async def _told(self, kind: str, ask: Callable[[_Child], Awaitable[Results]]) -> Results | str:
        """What the child tells, or why it does not."""
        if self._left <= 0:
            return (
                f"not looked at: all checks of a candidate have {self._all_limit:g} s together, and they were used up"
            )
        if self._child is None:
            self._child = await self._processes._take()
        child, limit = self._child, min(self._time_limit, self._left)
        try:
            # asyncio.timeout and not wait_for, which loses a cancellation that comes together with the result
            async with asyncio.timeout(START_LIMIT.total_seconds()):
                await child.shown(self._content)
                await child.prepared(kind)
            return await self._within(limit, child, ask)
        except TimeoutError:
            await child.kill()
            return f"not decided within {limit:.3g} s: it was given up"
        except (OSError, RuntimeError, asyncio.IncompleteReadError) as error:  # the second is uvloop's: a closed pipe
            await child.kill()
            return f"the process that runs checks ended: {error}"

    async def _within(self, limit: float, child: _Child, ask: Callable[[_Child], Awaitable[Results]]) -> Results:
        now = asyncio.get_running_loop().time
        begun = now()
        try:
            async with asyncio.timeout(limit):
                return await ask(child)
        finally:
            self._left -= now() - begun


class _Child:
    """A process, as this one sees it; started again when it was killed."""

    def __init__(self, memory_bytes: int) -> None:
        self._memory_bytes = memory_bytes
        self._process: asyncio.subprocess.Process | None = None
        self._shown: bytes | None = None

    async def shown(self, content: bytes) -> None:
        """Starts it when it does not run, and sends the candidate, once for all of its checks."""
        if self._process is None or self._process.returncode is not None:
            await self._start()
        if self._shown is not content:
            self._shown = None
            await self._send(b"C", content)
            self._shown = content

    async def prepared(self, kind: str) -> None:
        """Returns when it is ready for a check of this kind."""
        await self._send(b"P", kind.encode())
        await self._heard()

    async def asked(self, question: bytes) -> Results:
        await self._send(question)
        return list(worker_pb2.Verdict.FromString(await self._heard()).results)

    async def kill(self) -> None:
        process, self._process, self._shown = self._process, None, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate(b"")  # reaps it and closes the pipes

    async def _start(self) -> None:
        pipe = asyncio.subprocess.PIPE
        self._shown = None
        self._process = await asyncio.create_subprocess_exec(
            *python_command(__name__, str(self._memory_bytes)), stdin=pipe, stdout=pipe, start_new_session=True
        )
        await self._heard()

    async def _send(self, *parts: bytes) -> None:
        """In pieces: a pipe takes little at once, and what waits for it would be copied as a whole."""
        assert self._process is not None
        assert self._process.stdin is not None
        stdin = self._process.stdin
        stdin.write(sum(map(len, parts)).to_bytes(4))
        for part in parts:
            for at in range(0, len(part), 65_536):
                stdin.write(part[at : at + 65_536])
                await stdin.drain()

    async def _heard(self) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        stdout = self._process.stdout
        return await stdout.readexactly(int.from_bytes(await stdout.readexactly(4)))


# ---------------------------------------------------------------- the child


def answer_requests(requests: BinaryIO, answers: BinaryIO) -> None:
    """The child's life: greets, then answers until its parent is gone."""
    content = b""
    _write(answers, b"")
    while (request := _read(requests)) is not None:
        signal.alarm(ALONE_LIMIT)  # ends the child by itself: a parent that was killed cannot
        kind, body = request[:1], request[1:]
        if kind == b"C":
            content = body
            checks.forget_candidates()
            gc.collect()
        elif kind == b"P":
            checks.prepare(body.decode())
            _write(answers, b"")
        else:
            _write(answers, worker_pb2.Verdict(results=_results(kind, body, content)).SerializeToString())
        signal.alarm(0)


def _results(kind: bytes, body: bytes, content: bytes) -> Results:
    if kind == b"I":
        return checks.implicit_results(content, plan_pb2.TaskOutput.FromString(body))
    return [checks.check_result(plan_pb2.Check.FromString(body), content)]


def _bound_memory(most: int) -> None:
    """More than that is a MemoryError, and the check cannot be carried out; the machine lives on."""
    with suppress(ValueError, OSError):  # it is bounded more tightly already
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _read(stream: BinaryIO) -> bytes | None:
    length = stream.read(4)
    return stream.read(int.from_bytes(length)) if len(length) == 4 else None


def _write(stream: BinaryIO, content: bytes) -> None:
    stream.write(len(content).to_bytes(4) + content)
    stream.flush()


if __name__ == "__main__":
    gc.disable()  # a large candidate is millions of objects, none of them in a cycle; it collects between candidates
    _bound_memory(int(sys.argv[1]))
    answer_requests(sys.stdin.buffer, sys.stdout.buffer)
