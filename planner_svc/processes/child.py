"""The process that compiles, started by the service: `python -m planner_svc.processes.child CONTROL MEMORY`.

It takes one job after another from the socket whose number is CONTROL, with open files for the plan and for the
diagnostics, and answers each with a line. A plan may make it run for too long, take too much memory, or die: then the
service starts another process. It ends with the service, however that ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import socket
import sys
import threading
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from planner_svc.processes.carrying_out import carry_out
from planner_svc.processes.job import CompileAnswer, CompileJob, answer_to_line, job_from_line

LONGEST_LINE = 64 * 1024
MOST_FILES = 2  # of a job: one with its plan, one for its diagnostics
SHOWN_CHARS = 20_000  # of a traceback

JobWithFiles = tuple[CompileJob, BinaryIO, BinaryIO]


def main(control: int, memory_bytes: int) -> None:
    """Serves until the other end of the socket is closed."""
    _limit(resource.RLIMIT_AS, memory_bytes)
    _limit(resource.RLIMIT_CORE, 0)
    _end_when_the_service_does()
    with socket.socket(fileno=control) as channel:
        for job, plan, diagnostics_file in _jobs(channel):
            with plan, diagnostics_file:
                answer = _answer(job, plan, diagnostics_file)
            channel.sendall(answer_to_line(answer))


def _jobs(channel: socket.socket) -> Iterator[JobWithFiles]:
    while True:
        line, files = b"", list[int]()
        while not line.endswith(b"\n"):
            received, more, _, _ = socket.recv_fds(channel, LONGEST_LINE, MOST_FILES)
            if not received:
                return
            line, files = line + received, files + list(more)
        plan, diagnostics_file = files
        yield job_from_line(line), os.fdopen(plan, "rb"), os.fdopen(diagnostics_file, "wb")


def _answer(job: CompileJob, plan: BinaryIO, diagnostics_file: BinaryIO) -> CompileAnswer:
    # guard: a compile takes no more CPU than it was given -> (removed)
    _limit_cpu(job.cpu_seconds)
    try:
        plan.seek(0)
        answer = carry_out(job, plan, diagnostics_file)
        diagnostics_file.flush()
    except Exception:  # noqa: BLE001 - the border of the process: the service logs the story as a bug
        answer = CompileAnswer(bug=traceback.format_exc()[-SHOWN_CHARS:])
    return _with_memory(answer)


def _with_memory(answer: CompileAnswer) -> CompileAnswer:
    return replace(answer, memory_bytes=_most_memory())


def _most_memory() -> int:
    """Returns the most memory that this process has had, in bytes.

    On Linux ru_maxrss includes the memory of the process that started this one: under a large service every compile
    would look large.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    except (OSError, IndexError, ValueError):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _limit_cpu(seconds: int) -> None:
    """Has the kernel end this process with SIGXCPU when the job takes longer, even inside a call that never returns."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + 1 + seconds)


def _limit(what: int, most: int) -> None:
    """Sets a limit of the process, where the system has such a limit and allows this value."""
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(what, (most, resource.getrlimit(what)[1]))


def _end_when_the_service_does() -> None:
    """Ends this process when its standard input ends: the service never writes to it, and holds it open while it lives.

    On Linux the kernel ends the process with SIGIO, so that no thread of it need still run: a process that ran out of
    memory in a bad place, or is in a pattern that keeps Python's lock, has none. Elsewhere a thread waits for the end.
    """
    if sys.platform == "linux":
        fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    threading.Thread(target=_end_with_standard_input, daemon=True).start()


def _end_with_standard_input() -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1):
            pass
    os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
