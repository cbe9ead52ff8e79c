"""The process between a worker and one program: starts it under limits, and leaves nothing behind.

`python -I -S launcher.py FOLDER`, with a socket as standard input. The worker sends one line, the order; the launcher
answers with one object that says how the program ended. Both are JSON. When the socket ends before the program does,
the worker has cancelled the program or is dead: the launcher ends the program and removes FOLDER.

It is a process of its own for three reasons. Limits are set between fork and exec, which is safe only without threads.
It outlives a worker that is killed. And it adopts the processes that the program leaves behind: on Linux it finds and
ends even those that moved into another session.

It is started for every command, so it imports little, and nothing of signoff.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NoReturn

GRACE = 2.0  # seconds between SIGTERM and SIGKILL
MAX_FILE_BYTES = 1024**3
MAX_OPEN_FILES = 1024

CONTROL = 0  # the socket
_ON_LINUX = sys.platform == "linux"
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h


def main(folder: str) -> None:
    woken = _wake_on_signals()
    order = _order()
    if order is None:
        remove(folder)
        return
    _adopt_orphans()
    report, was_stopped = _supervise(order, woken)
    with suppress(OSError):  # the worker may be dead
        os.write(CONTROL, json.dumps(report).encode())
    if was_stopped:  # otherwise the worker removes it
        remove(folder)


def _wake_on_signals() -> int:
    """Returns a pipe that can be read when a child has ended or when this process is asked to end."""
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: None)
    return woken


def _order() -> Mapping[str, Any] | None:
    """Reads the worker's order; None: the worker has closed the socket instead."""
    line = bytearray()
    while not line.endswith(b"\n"):
        piece = os.read(CONTROL, 65536)
        if not piece:
            return None
        line += piece
    order: Mapping[str, Any] = json.loads(line)
    return order


def _supervise(order: Mapping[str, Any], woken: int) -> tuple[Mapping[str, object], bool]:
    """Runs the program to its end. Returns the report, and whether the program was stopped."""
    try:
        pid, problem = _start(order)
    except OSError as error:
        return _problem(error), False
    status, was_stopped = _follow(pid, woken)
    _end_what_is_left(pid)
    if problem is not None:
        return problem, was_stopped
    code = os.waitstatus_to_exitcode(status)
    return {"code": code} if code >= 0 else {"signal": -code}, was_stopped


# ---------------------------------------------------------------- the program begins


def _start(order: Mapping[str, Any]) -> tuple[int, Mapping[str, object] | None]:
    """Starts the program. Returns its process id, and the problem if it could not be run."""
    problem_in, problem_out = os.pipe()  # exec closes it: an end without a word means that the program runs
    launcher = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            _become(order, launcher)
        except BaseException as error:  # noqa: BLE001 - it is reported, and this copy of the launcher ends
            os.write(problem_out, json.dumps(_problem(error)).encode())
        finally:
            os._exit(127)
    os.close(problem_out)
    with open(problem_in, "rb") as pipe:  # noqa: PTH123 - a descriptor
        problem = pipe.read()
    return pid, json.loads(problem) if problem else None


def _become(order: Mapping[str, Any], launcher: int) -> NoReturn:
    """Turns this process into the program. Its environment is the launcher's own."""
    os.setsid()  # a group of its own: signals to it do not reach the launcher
    _die_with(launcher)
    os.chdir(order["folder"])
    os.dup2(os.open(order["stdin"], os.O_RDONLY), CONTROL)
    for number in signal.valid_signals():
        if signal.getsignal(number) is signal.SIG_IGN:  # by Python, or by a shell's `&`; exec would keep it
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    argv = order["argv"]
    _limit(order["memory_bytes"])
    os.execvp(argv[0], argv)


def _limit(memory_bytes: int) -> None:
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, MAX_OPEN_FILES)
    _lower(resource.RLIMIT_FSIZE, MAX_FILE_BYTES)
    _lower(resource.RLIMIT_AS, memory_bytes)  # last, for it limits this code too


def _lower(kind: int, most: int) -> None:
    """Sets both limits, never above this process's own."""
    _, ceiling = resource.getrlimit(kind)
    most = most if ceiling == resource.RLIM_INFINITY else min(most, ceiling)
    resource.setrlimit(kind, (most, most))


def _problem(error: BaseException) -> Mapping[str, object]:
    """Says why the program could not be run; `errno` is 0 when it is no error of the system."""
    if isinstance(error, OSError):
        return {"problem": error.strerror or str(error), "errno": error.errno or 0}
    return {"problem": str(error) or type(error).__name__, "errno": 0}


# ---------------------------------------------------------------- the program ends


def _follow(pid: int, woken: int) -> tuple[int, bool]:
    """Waits for the program's end, and stops it when asked to. Returns its status, and whether it was stopped."""
    while (status := _status_of(pid)) is None:
        if _is_to_end(woken):
            return _stop(pid, woken), True
    return status, False


def _stop(pid: int, woken: int) -> int:
    """Asks the program to end, and kills it when it does not in time. Returns its status."""
    _signal_group(pid, signal.SIGTERM)
    kill_at = time.monotonic() + GRACE
    while (status := _status_of(pid)) is None:
        ready, _, _ = select.select([woken], [], [], max(0.0, kill_at - time.monotonic()))
        if not ready:
            _signal_group(pid, signal.SIGKILL)
            return os.waitpid(pid, 0)[1]
        os.read(woken, 4096)
    return status


def _status_of(pid: int) -> int | None:
    """Returns the program's status; None while it runs. Reaps adopted processes on the way."""
    while True:
        ended, status = os.waitpid(-1, os.WNOHANG)
        if ended == pid:
            return status
        if not ended:
            return None


def _is_to_end(woken: int) -> bool:
    """Waits for an event. Tells whether it was the end of the socket, or a signal that asks for an end."""
    ready, _, _ = select.select([CONTROL, woken], [], [])
    numbers = os.read(woken, 4096) if woken in ready else b""
    is_gone = CONTROL in ready and not os.read(CONTROL, 4096)
    return is_gone or any(number != signal.SIGCHLD for number in numbers)


def _end_what_is_left(pid: int) -> None:
    """Kills the rest of the program's group, and then the processes that left it, which this reaper has adopted."""
    _signal_group(pid, signal.SIGKILL)
    while children := _children():
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(-1, 0)


def _children() -> list[int]:
    """Returns the children of this process; none if the system does not list them."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", "rb") as listed:  # noqa: PTH123 - pathlib takes long to import
            return [int(child) for child in listed.read().split()]
    except OSError:
        return []


def _signal_group(pid: int, number: int) -> None:
    """Signals the program, which leads its session and so cannot leave its group, and all that have not left."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def remove(folder: str) -> None:
    """Removes a folder as far as that can be done."""
    import shutil  # only here: these two take as long to import as everything else together
    import subprocess

    with suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if os.path.lexists(folder):  # the program has locked its own folders, or nested them deeper than Python goes
        for argv in (["chmod", "-R", "u+rwx", folder], ["rm", "-rf", folder]):
            subprocess.run(argv, check=False, capture_output=True)


# ---------------------------------------------------------------- Linux


def _adopt_orphans() -> None:
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _die_with(launcher: int) -> None:
    """Ends this process when the launcher ends; that holds for the program too, unless exec changes its user."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != launcher:  # it ended before
        os._exit(127)


def _prctl(option: int, value: int) -> None:
    if _ON_LINUX:
        nothing = ctypes.c_ulong(0)
        ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), nothing, nothing, nothing)


if __name__ == "__main__":
    main(sys.argv[1])
