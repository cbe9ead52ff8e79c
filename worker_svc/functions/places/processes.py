"""Runs functions in processes: one for each call at a time, killed when the work is cancelled, else used again."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
from asyncio.subprocess import PIPE, Process
from contextlib import suppress

from signoff.service.environment import python_command
from worker_svc import pipes
from worker_svc.functions.calling import Callee
from worker_svc.functions.job import Broken, FunctionJob, Outcome
from worker_svc.functions.places.frames import CallCheckpoint, CallRequest, CallUsage, Progress
from worker_svc.functions.places.seats import Seats
from worker_svc.functions.to_report import ReportLine

REAP_WITHIN = 2.0  # seconds until a child that has closed its pipe, or was killed, must be gone


class ProcessPlace:
    """A CallPlace in child processes. They begin with the first calls; there are never more than seats."""

    def __init__(self, seats: int) -> None:
        self._seats = Seats(seats)
        self._idle: list[Process] = []

    async def run(self, callee: Callee, job: FunctionJob, line: ReportLine) -> Outcome:
        await self._seats.take(callee.name)
        try:
            return await self._ask(callee, job, line)
        finally:
            self._seats.leave(callee.name)

    async def close(self) -> None:
        idle, self._idle = self._idle, []
        for child in idle:
            await _kill(child)

    async def _ask(self, callee: Callee, job: FunctionJob, line: ReportLine) -> Outcome:
        request = CallRequest(app=callee.app, judges=callee.function.judges, function=callee.name, job=job)
        while self._idle:
            with suppress(_NotBegun):  # the child has died since its last call
                return await self._ask_child(self._idle.pop(), request, line)
        try:
            return await self._ask_child(await _start(), request, line)
        except OSError as error:
            return Broken(message=f"no process could be started for {callee.name}: {error}")
        except _NotBegun as ended:
            return Broken(message=f"the process of {callee.name} {ended}")

    async def _ask_child(self, child: Process, request: CallRequest, line: ReportLine) -> Outcome:
        is_well = False
        try:
            await _hand_over(child, request)
            outcome = await _read_answers(child, line)
            is_well = True
            return outcome
        except asyncio.CancelledError:
            line.cancel()
            raise
        except asyncio.IncompleteReadError:
            return Broken(message=f"the process of {request.function} {await _how_it_ended(child)}")
        finally:
            if is_well:
                self._idle.append(child)
            else:
                await _kill(child)


class _NotBegun(Exception):
    """A process has ended before it began with its request; the text says how."""


async def _start() -> Process:
    """Starts a child in its own session: Ctrl-C does not reach it, and all that a function starts can be killed."""
    command = python_command("worker_svc.functions.places.child")
    return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, start_new_session=True)


async def _hand_over(child: Process, request: CallRequest) -> None:
    """Returns when the child has begun with the request."""
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        await pipes.send(child.stdin, pickle.dumps(request))
        await pipes.receive(child.stdout)
    except (OSError, asyncio.IncompleteReadError, RuntimeError) as error:  # the last is uvloop's, for a closed pipe
        raise _NotBegun(await _how_it_ended(child)) from error


async def _read_answers(child: Process, line: ReportLine) -> Outcome:
    assert child.stdout is not None
    while True:
        answer = pickle.loads(await pipes.receive(child.stdout))
        match answer:
            case Progress():
                line.progress(answer.text)
            case CallUsage():
                line.usage(answer.model, answer.counts)
            case CallCheckpoint():
                line.checkpoint(answer.content)
            case _:
                outcome: Outcome = answer
                return outcome


async def _kill(child: Process) -> None:
    """Kills a child with everything in its session, and reaps it."""
    with suppress(ProcessLookupError):
        # guard: a process is killed with all it has started -> child.kill()
        os.killpg(child.pid, signal.SIGKILL)
    with suppress(TimeoutError):
        async with asyncio.timeout(REAP_WITHIN):
            await child.communicate()


async def _how_it_ended(child: Process) -> str:
    with suppress(TimeoutError):
        async with asyncio.timeout(REAP_WITHIN):
            await child.wait()
    if child.returncode is None:
        return "closed its pipe to the worker"
    code = child.returncode
    return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
