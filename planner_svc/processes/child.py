"""The process that compiles, started by the service: `python -m planner_svc.processes.child CONTROL MEMORY`.

It takes one job after another from the socket whose number is CONTROL, with the plan and the place for diagnostics as
open files, and answers each with a line. What a plan may make it do, it may do: run for too long, take too much memory,
die. The service then starts another one. It ends with the service, however that ends.
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

from planner_svc.processes.job import CompileAnswer, CompileJob, answer_to_line, carry_out, job_from_line

LONGEST_LINE = 64 * 1024
MOST_FILES = 2  # of a job: its plan, and where diagnostics go
SHOWN_CHARS = 20_000  # of a traceback

JobWithFiles = tuple[CompileJob, BinaryIO, BinaryIO]


def main(control: int, memory_bytes: int) -> None:
    """Serves until the other end of the socket is closed."""
    _limit(resource.RLIMIT_AS, memory_bytes)
    _limit(resource.RLIMIT_CORE, 0)
    _end_when_the_service_does()
    with socket.socket(fileno=control) as channel:
        for job, plan, found in _jobs(channel):
            with plan, found:
                answer = _answer(job, plan, found)
            channel.sendall(answer_to_line(answer))


def _jobs(channel: socket.socket) -> Iterator[JobWithFiles]:
    while True:
        line, files = b"", list[int]()
        while not line.endswith(b"\n"):
            received, more, _, _ = socket.recv_fds(channel, LONGEST_LINE, MOST_FILES)
            if not received:
                return
            line, files = line + received, files + list(more)
        plan, found = files
        yield job_from_line(line), os.fdopen(plan, "rb"), os.fdopen(found, "wb")


def _answer(job: CompileJob, plan: BinaryIO, found: BinaryIO) -> CompileAnswer:
    # guard: a compile takes no more CPU than it was given -> (removed)
    _limit_cpu(job.cpu_seconds)
    try:
        plan.seek(0)
        answer = carry_out(job, plan, found)
        found.flush()
    except Exception:  # noqa: BLE001 - the border of the process: the service logs the story as a bug
        answer = CompileAnswer(bug=traceback.format_exc()[-SHOWN_CHARS:])
    return _with_memory(answer)


def _with_memory(answer: CompileAnswer) -> CompileAnswer:
    return replace(answer, memory_bytes=_most_memory())


def _most_memory() -> int:
    """Returns the most memory that this process has had, in bytes.

    Linux counts for ru_maxrss what the process had that started this one: of a large service each would be too large.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    except (OSError, IndexError, ValueError):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _limit_cpu(seconds: int) -> None:
    """The kernel ends this process with SIGXCPU when the job takes longer, also inside a call that never returns."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + 1 + seconds)


def _limit(what: int, most: int) -> None:
    """A system that has no such limit, or a lower one, is taken as it is."""
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(what, (most, resource.getrlimit(what)[1]))


def _end_when_the_service_does() -> None:
    """Standard input is never written to: it ends when the service is gone, however busy or stuck this process is.

    On Linux the kernel then ends it with SIGIO, which needs no thread of it that still moves: one that ran out of
    memory in a bad place, or is in a pattern that keeps Python's lock, has none. Elsewhere a thread waits for it.
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
