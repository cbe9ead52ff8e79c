"""`python -m benchmarks.ours.timed_runner`: a runner that measures the turns of its loop.

A turn is one callback of the loop: of a task, the step from one await to the next. It is measured in CPU of the loop's
own thread, so a busy machine makes no turn longer. The callbacks of uvloop cannot be timed, so this runner uses
asyncio's loop: it runs the same callbacks, and only the loop's own work, which is in no turn, differs.

On SIGUSR1 and at its end it writes a report to the file that SIGNOFF_BENCH_TURNS names, and begins anew.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from signoff.files.writing import write_atomically

REPORT = "SIGNOFF_BENCH_TURNS"


@dataclass(slots=True, kw_only=True)
class Turns:
    """The longest turn since the last report, and the number of turns."""

    report: int = 0  #: its number
    longest_ms: float = 0.0
    what: str = ""
    count: int = 0
    collecting_ms: float = 0.0  #: the longest look for cycles, which is part of some turn
    _collecting_since: float = 0.0

    def add(self, seconds: float, handle: asyncio.Handle) -> None:
        self.count += 1
        if seconds * 1e3 > self.longest_ms:
            self.longest_ms, self.what = round(seconds * 1e3, 3), described(handle)

    def tell(self, path: Path) -> None:
        self.report += 1
        write_atomically(path, json.dumps(asdict(self)).encode())
        self.longest_ms, self.what, self.count, self.collecting_ms = 0.0, "", 0, 0.0

    def collects(self, phase: str, _info: object) -> None:
        """Takes notice of the garbage collector, which calls it as it begins and ends."""
        now = time.thread_time()
        if phase == "start":
            self._collecting_since = now
        else:
            self.collecting_ms = max(self.collecting_ms, round((now - self._collecting_since) * 1e3, 3))


def described(handle: asyncio.Handle) -> str:
    """Names the coroutines of the task that made a turn, down to the one that waits now."""
    callback = getattr(handle, "_callback", None)
    task = getattr(callback, "__self__", None)
    if not isinstance(task, asyncio.Task):
        return str(getattr(callback, "__qualname__", callback))
    names = list[str]()
    coroutine: Any = task.get_coro()
    while coroutine is not None and hasattr(coroutine, "cr_await"):
        names.append(str(coroutine.__qualname__))  # a compiled coroutine may have none
        coroutine = coroutine.cr_await
    return " > ".join(names)


def time_turns(turns: Turns) -> Callable[[], None]:
    """Times every callback of asyncio's loops from now on. Returns a function that ends it."""
    handles = cast(Any, asyncio.events.Handle)
    original, clock = handles._run, time.thread_time

    def timed(handle: asyncio.Handle) -> None:
        begun = clock()
        try:
            original(handle)
        finally:
            turns.add(clock() - begun, handle)

    def end() -> None:
        handles._run = original

    handles._run = timed
    return end


def main() -> None:
    sys.modules["uvloop"] = cast(Any, None)  # an import of it fails, and the service takes asyncio's loop
    from runner_svc.__main__ import serve
    from runner_svc.settings import RunnerSettings
    from signoff.service.process import main as run

    turns, path = Turns(), Path(os.environ[REPORT])
    signal.signal(signal.SIGUSR1, lambda *_: turns.tell(path))
    time_turns(turns)
    gc.callbacks.append(turns.collects)
    try:
        run(RunnerSettings, serve, "runner_svc")
    finally:
        turns.tell(path)


if __name__ == "__main__":
    main()
