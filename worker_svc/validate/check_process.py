"""Child processes for checks that may never end, or that take long because the candidate is large.

Patterns and schemas come from plans, and a pattern such as `(a+)+$` can keep Python's `re`, and with it every thread
of the process, busy for hours. So those checks run in a child that is killed when it takes too long. A pattern that a
linear-time engine reads as Python does needs no child (checking/patterns.py). The others need Python's own `re`: plans
are promised it for `regex`, and the patterns of schemas are translated to it. Another engine would be another dialect,
and would leave the JSON Schema keywords (`pattern`, `uniqueItems`, recursive `$ref`) without a limit.

A child is started when first needed, looks at one candidate at a time, and lives until it is killed or closed. Both
directions carry frames (worker_svc/pipes.py). The child greets with an empty frame. The first letter of a frame to the
child says what it is:

    M   the media type of the candidate that comes next; no answer
    C   a candidate that is one content, which the child keeps for all of its checks; no answer
    F   a candidate of files: their folder, a NUL and the manifest; the child reads the files itself; no answer
    P   a kind of check; the answer is an empty frame, when the imports for it are done
    I   a TaskOutput; the answer is a Verdict with the results that every candidate gets
    K   a Check; the answer is a Verdict with its result

So the time limits are for the checks alone.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import BinaryIO

from signoff.plan.limits import DEFAULT_ARCHIVE_BYTES
from signoff.service.environment import python_command
from signoff.v1 import execution_pb2, plan_pb2, worker_pb2
from worker_svc import pipes
from worker_svc.validate import checks, file_checks
from worker_svc.validate.candidate_files import CandidateFiles, files_from_bytes, files_to_bytes

TIME_LIMIT = timedelta(seconds=5)  # an honest check takes milliseconds
BYTES_PER_SECOND = 8 * 1024**2  # of a candidate: a large one gets a second more for each
TABLE_TIMES = 4  # as long for a table, of which each value is looked at
UNPACKED_BYTES_PER_SECOND = 32 * 1024**2  # of an archive, by the bound that its check has
LONGEST_LIMIT = timedelta(seconds=540)  # for one check, whatever its bounds
FILES_PER_SECOND = 100  # of a candidate: many small pictures take longer than their bytes
ALL_LIMIT = timedelta(seconds=60)  # for all checks of one candidate together: other candidates wait
START_LIMIT = timedelta(seconds=30)  # for an interpreter and its imports on a busy machine
ALONE_LIMIT = 600  # seconds, more than LONGEST_LIMIT, a child without a parent may go on with a check
PROCESSES = 2  # at once; more candidates wait
MEMORY_BYTES = 2 * 1024**3  # of one child
KEPT_BYTES = 1024**2  # a child that has read a larger candidate is not used again: it would keep the memory

Results = list[execution_pb2.CriterionResult]


class CheckProcess:
    """Runs checks with limits; a check that exceeds one is OUTCOME_ERROR. Cancelling a call kills its child."""

    def __init__(
        self,
        time_limit: timedelta = TIME_LIMIT,
        *,
        all_limit: timedelta = ALL_LIMIT,
        processes: int = PROCESSES,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        """Sets the limits. `memory_bytes` is for each of the `processes`."""
        self._time_limit = time_limit.total_seconds()
        self._all_limit = all_limit.total_seconds()
        self._memory_bytes = memory_bytes
        self._seats = asyncio.Semaphore(processes)
        self._idle: list[_Child] = []
        self._busy: set[_Child] = set()

    def looking_at(self, candidate: bytes | CandidateFiles, media_type: str = "") -> CheckRun:
        """Returns a run of checks of one candidate: `async with process.looking_at(content) as look`."""
        if isinstance(candidate, bytes):
            more = len(candidate) / BYTES_PER_SECOND
            return CheckRun(self, _Shown(candidate, media_type), self._time_limit, more, self._all_limit)
        manifest = candidate.manifest
        more = manifest.size / BYTES_PER_SECOND + len(manifest.files) / FILES_PER_SECOND
        # A table of a gigabyte alone may take longer than ALL_LIMIT, and the files are read for each check of them.
        all_limit = self._all_limit + (TABLE_TIMES + 1) * more
        return CheckRun(self, _Shown(candidate), self._time_limit, more, all_limit)

    async def check_result(self, check: plan_pb2.Check, content: bytes) -> execution_pb2.CriterionResult:
        """Does what checks.check_result does, within the time limits."""
        async with self.looking_at(content) as look:
            return await look.check_result(check)

    async def close(self) -> None:
        for child in (*self._idle, *self._busy):
            await child.kill()
        self._idle.clear()

    async def _take(self) -> _Child:
        """Returns a child; waits until one is free."""
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


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """A candidate that a child is shown. It is sent once: another one with the same bytes is another candidate."""

    candidate: bytes | CandidateFiles
    media_type: str = ""

    @property
    def is_large(self) -> bool:
        """Tells whether a child would keep much memory after it."""
        if isinstance(self.candidate, bytes):
            return len(self.candidate) > KEPT_BYTES
        return max(len(self.candidate.body), self.candidate.manifest.size) > KEPT_BYTES


class CheckRun:
    """A run of checks of one candidate, all in one child. The child is taken at the first check."""

    def __init__(
        self, processes: CheckProcess, shown: _Shown, time_limit: float, more: float, all_limit: float
    ) -> None:
        """Sets the seconds for a check: `time_limit`, and `more` for the bytes of the candidate."""
        self._processes = processes
        self._shown = shown
        self._time_limit, self._more = time_limit, more
        self._all_limit = self._left = all_limit
        self._child: _Child | None = None

    async def __aenter__(self) -> CheckRun:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        child, self._child = self._child, None
        if child is not None:
            is_spent = error is not None or self._shown.is_large
            await self._processes._give_back(child, is_spent=is_spent)

    async def implicit_results(self, output: plan_pb2.TaskOutput) -> Results:
        """Does what checks.implicit_results does, within the time limits."""
        limit = self._time_limit + self._more
        answer = await self._ask("json", limit, lambda child: child.ask(b"I" + output.SerializeToString()))
        return [checks.cannot_tell(checks.IS_TEXT, answer)] if isinstance(answer, str) else answer

    async def check_result(self, check: plan_pb2.Check) -> execution_pb2.CriterionResult:
        """Does what checks.check_result does, within the time limits."""
        kind = check.WhichOneof("kind") or ""
        # guard: checks run in a process of their own -> answer = [checks.check_result(check, self._shown.candidate)]
        answer = await self._ask(kind, self._limit_of(check), lambda child: child.ask(b"K" + check.SerializeToString()))
        return checks.broken(check, answer) if isinstance(answer, str) else answer[0]

    def _limit_of(self, check: plan_pb2.Check) -> float:
        more = self._more
        if check.HasField("table"):
            more *= TABLE_TIMES
        elif check.HasField("archive_safe"):
            more += (check.archive_safe.max_unpacked_bytes or DEFAULT_ARCHIVE_BYTES) / UNPACKED_BYTES_PER_SECOND
        return min(self._time_limit + more, LONGEST_LIMIT.total_seconds())

    async def _ask(self, kind: str, most: float, ask: Callable[[_Child], Awaitable[Results]]) -> Results | str:
        """Returns the child's answer, or the reason why there is none."""
        if self._left <= 0:
            return (
                f"not looked at: all checks of a candidate have {self._all_limit:g} s together, and they were used up"
            )
        if self._child is None:
            self._child = await self._processes._take()
        child, limit = self._child, min(most, self._left)
        try:
            # asyncio.timeout and not wait_for, which loses a cancellation that comes together with the result
            async with asyncio.timeout(START_LIMIT.total_seconds()):
                await child.show(self._shown)
                await child.prepare(kind)
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
    """The parent's side of a child process, which is started again when it was killed."""

    def __init__(self, memory_bytes: int) -> None:
        self._memory_bytes = memory_bytes
        self._process: asyncio.subprocess.Process | None = None
        self._shown: _Shown | None = None

    async def show(self, shown: _Shown) -> None:
        """Starts the process when it does not run, and sends the candidate, once for all of its checks."""
        if self._process is None or self._process.returncode is not None:
            await self._start()
        if self._shown is not shown:
            self._shown = None
            if isinstance(shown.candidate, bytes):
                await self._send(b"M", shown.media_type.encode(errors="replace"))
                await self._send(b"C", shown.candidate)
            else:
                await self._send(b"F", *files_to_bytes(shown.candidate))
            self._shown = shown

    async def prepare(self, kind: str) -> None:
        """Returns when the process is ready for a check of this kind."""
        await self._send(b"P", kind.encode())
        await self._receive()

    async def ask(self, question: bytes) -> Results:
        await self._send(question)
        return list(worker_pb2.Verdict.FromString(await self._receive()).results)

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
        await self._receive()

    async def _send(self, *parts: bytes) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        await pipes.send(self._process.stdin, *parts)

    async def _receive(self) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        return await pipes.receive(self._process.stdout)


# ---------------------------------------------------------------- the child


def answer_requests(requests: BinaryIO, answers: BinaryIO) -> None:
    """Runs the child: greets, then answers until its parent is gone."""
    shown = _Shown(b"")
    pipes.write_frame(answers, b"")
    while (request := pipes.read_frame(requests)) is not None:
        signal.alarm(ALONE_LIMIT)  # ends the child by itself: a parent that was killed cannot
        kind, body = request[:1], request[1:]
        if kind == b"M":
            shown = _Shown(b"", body.decode())
        elif kind in (b"C", b"F"):
            shown = _Shown(body, shown.media_type) if kind == b"C" else _Shown(files_from_bytes(body))
            checks.forget_candidates()
            gc.collect()
        elif kind == b"P":
            checks.prepare(body.decode())
            pipes.write_frame(answers, b"")
        else:
            results = worker_pb2.Verdict(results=_results(kind, body, shown))
            pipes.write_frame(answers, results.SerializeToString())
        signal.alarm(0)


def _results(kind: bytes, body: bytes, shown: _Shown) -> Results:
    candidate = shown.candidate
    if kind == b"I":
        if not isinstance(candidate, bytes):
            return file_checks.implicit_results(candidate)
        return checks.implicit_results(candidate, plan_pb2.TaskOutput.FromString(body), shown.media_type)
    check = plan_pb2.Check.FromString(body)
    if not isinstance(candidate, bytes):
        return [file_checks.check_result(check, candidate)]
    return [checks.check_result(check, candidate, shown.media_type)]


def _bound_memory(most: int) -> None:
    """Limits the process's memory: beyond it, a check ends with a MemoryError instead of taking the machine down."""
    with suppress(ValueError, OSError):  # the limit is tighter already
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


if __name__ == "__main__":
    gc.disable()  # a large candidate is millions of objects, none of them in a cycle; collected between candidates
    _bound_memory(int(sys.argv[1]))
    answer_requests(sys.stdin.buffer, sys.stdout.buffer)
