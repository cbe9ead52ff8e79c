"""Commands for tests: assignments of them, programs, and what is left of a program."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from signoff.v1 import plan_pb2
from tests.support.work.givens import Heard, task, to_execute, to_judge
from worker_svc.assignment import Artifact, Assignment, Feedback

WITHIN = 30.0  # seconds; for a machine with much to do

#: Starts a process of its group and one of another session, writes their ids to standard error, and stays.
FAMILY = """
import os, subprocess, sys, time
near = subprocess.Popen(["sleep", "600"])
away = subprocess.Popen(["sleep", "600"], start_new_session=True)
print(os.getppid(), os.getpid(), near.pid, away.pid, file=sys.stderr, flush=True)
time.sleep(600)
"""

#: The same, but deaf to SIGTERM.
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + FAMILY


def commanded(
    *argv: str,
    inputs: tuple[Artifact, ...] = (),
    output_format: str = "",
    memory_mib: int = 0,
    attempt: int = 1,
    feedback: Feedback | None = None,
    parameters_json: str = "",
) -> Assignment:
    """Returns an assignment whose task is a command."""
    spec = task(output_format)
    spec.executor.command.argv.extend(argv)
    spec.executor.command.memory_bytes = memory_mib * 1024**2
    spec.input.parameters_json = parameters_json
    return to_execute(spec, inputs=inputs, attempt=attempt, feedback=feedback)


def python(program: str, **given: Any) -> Assignment:
    """Returns an assignment whose task is a program in Python."""
    return commanded("python", "-c", program, **given)


def checked(*argv: str, timeout: float = 0.0) -> plan_pb2.Check:
    """Returns a check that is a command."""
    check = plan_pb2.Check(command=plan_pb2.CommandCheck(argv=argv))
    if timeout:
        check.command.timeout.FromTimedelta(timedelta(seconds=timeout))
    return check


def judged(content: str | bytes, media_type: str = "text/plain", inputs: tuple[Artifact, ...] = ()) -> Assignment:
    """Returns an assignment to check a candidate."""
    assignment = to_judge(content)
    assert assignment.candidate is not None
    return replace(assignment, candidate=replace(assignment.candidate, media_type=media_type), inputs=inputs)


async def family_of(heard: Heard) -> list[int]:
    """Returns the process ids that FAMILY writes: the launcher, the program, and the two it has started."""
    await asyncio.wait_for(heard.heard.wait(), WITHIN)
    return [int(pid) for pid in heard.pieces[0].split()]


def left_in(base: Path) -> list[str]:
    """Returns the names of the attempts' folders that are still there."""
    return sorted(folder.name for folder in base.iterdir()) if base.exists() else []


def is_alive(pid: int) -> bool:
    """Tells whether there is such a process, even one that has ended and is not reaped yet."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def gone(*pids: int) -> None:
    """Returns when these processes have ended."""
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        has_ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(descriptor, has_ended.set)
        try:
            await asyncio.wait_for(has_ended.wait(), WITHIN)
        finally:
            asyncio.get_running_loop().remove_reader(descriptor)
            os.close(descriptor)
