"""Functions that want a process: one for each call at a time, killed when the work is cancelled, else used again.

Both directions carry frames: four bytes of length, then a pickle. A request is a Request; answers are what the function
says (Progress, Usage), and its Outcome last. Both sides are this program, with the same app.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress

from worker_svc.functions.calling import Callee
from worker_svc.functions.child import Progress, Request, Usage, frame
from worker_svc.functions.job import Broken, Job, Outcome
from worker_svc.functions.line import ReportLine
from worker_svc.functions.seats import Seats

REAP_WITHIN = 2.0  # seconds for the pipes of a killed child to close


class ProcessPlace:
    """A Place. Children begin with the first calls; there are never more than seats."""

    def __init__(self, seats: int) -> None:
        self._seats = Seats(seats)
        self._idle: list[Process] = []

    async def run(self, callee: Callee, job: Job, line: ReportLine) -> Outcome:
        await self._seats.take(callee.name)
        try:
            return await self._asked(callee, job, line)
        finally:
            self._seats.leave(callee.name)

    async def close(self) -> None:
        idle, self._idle = self._idle, []
        for child in idle:
            await _kill(child)

    async def _asked(self, callee: Callee, job: Job, line: ReportLine) -> Outcome:
        try:
            child = await self._ready()
        except OSError as error:
            return Broken(message=f"no process could be started for {callee.name}: {error}")
        is_well = False
        try:
            request = Request(app=callee.app, judges=callee.function.judges, function=callee.name, job=job)
            outcome = await _answered(child, request, line)
            is_well = True
        except asyncio.CancelledError:
            line.cancel()
            raise
        except (OSError, asyncio.IncompleteReadError):
            await child.wait()
            return Broken(message=f"the process of {callee.name} {_how_it_ended(child)}")
        finally:
            if is_well:
                self._idle.append(child)
            else:
                await _kill(child)
        return outcome

    async def _ready(self) -> Process:
        while self._idle:
            child = self._idle.pop()
            if child.returncode is None and child.stdout is not None and not child.stdout.at_eof():
                return child
            await _kill(child)  # it has died meanwhile
        return await _start()


async def _start() -> Process:
    """In a session of its own: Ctrl-C is for the worker, and what a function starts can be killed with it."""
    command = (sys.executable, "-m", "worker_svc.functions.child")
    return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, start_new_session=True)


async def _answered(child: Process, request: Request, line: ReportLine) -> Outcome:
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write(frame(request))
    except RuntimeError as error:  # as uvloop says that a pipe is closed
        raise ConnectionResetError(str(error)) from error
    await child.stdin.drain()
    while True:
        answer = pickle.loads(await _read_frame(child.stdout))
        match answer:
            case Progress():
                line.progress(answer.text)
            case Usage():
                line.usage(answer.model, answer.input_tokens, answer.output_tokens, answer.requests)
            case _:
                outcome: Outcome = answer
                return outcome


async def _read_frame(stream: asyncio.StreamReader) -> bytes:
    return await stream.readexactly(int.from_bytes(await stream.readexactly(4)))


async def _kill(child: Process) -> None:
    """Kills it, with everything in its session, and reaps it."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    with suppress(TimeoutError):
        async with asyncio.timeout(REAP_WITHIN):
            await child.communicate()


def _how_it_ended(child: Process) -> str:
    code = child.returncode
    return f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
