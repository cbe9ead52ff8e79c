"""A watchdog over the event loop: it measures the CPU of the longest callbacks.

In a test:

    with longest_turns() as turns:
        await …                       # whatever runs on this loop
    assert turns.longest < 0.05       # seconds of CPU, turns.story() names the callbacks

For a service in a process of its own, on asyncio's loop, since callbacks of uvloop's cannot be timed:

    python -m tests.support.longest_turn REPORT MODULE [FLAGS …]

REPORT is then a JSON file with the longest turns, written when the process ends; `read_report` reads it. Only CPU of
the loop's own thread counts, so that a busy machine makes no test fail.
"""

from __future__ import annotations

import asyncio
import gc
import heapq
import json
import runpy
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

KEPT = 20  # of the longest turns
SHOWN_CHARS = 300  # of a callback's description


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """A callback of the loop; for a task, one step between two awaits."""

    seconds: float  #: of CPU
    what: str


@dataclass(slots=True)
class Turns:
    """The longest turns, and how many there were in all."""

    kept: list[Turn] = field(default_factory=list)  #: a heap, the shortest of them first
    count: int = 0

    @property
    def longest(self) -> float:
        """Returns the seconds of CPU of the longest turn; 0 when there was none."""
        return max(self.kept).seconds if self.kept else 0.0

    def add(self, seconds: float, handle: object) -> None:
        self.count += 1
        if len(self.kept) < KEPT:
            heapq.heappush(self.kept, Turn(seconds, _described(handle)))
        elif seconds > self.kept[0].seconds:
            heapq.heapreplace(self.kept, Turn(seconds, _described(handle)))

    def forget(self) -> None:
        """Begins anew, so that the start of a service does not count."""
        self.kept.clear()
        self.count = 0

    def story(self) -> str:
        """Returns the longest turns, one a line, for a failed assertion."""
        lines = (f"{turn.seconds * 1e3:9.2f} ms  {turn.what}" for turn in sorted(self.kept, reverse=True))
        return "\n".join([f"{self.count:,} turns, of which the longest:", *lines])


def _described(handle: object) -> str:
    """Returns a description of a callback. A step of a task is described by its task: it has no name of its own."""
    callback = getattr(handle, "_callback", None)
    task = getattr(callback, "__self__", None)
    return repr(task if isinstance(task, asyncio.Task) else handle)[:SHOWN_CHARS]


@contextmanager
def longest_turns() -> Iterator[Turns]:
    """Times every callback of asyncio's loops in this process during the block.

    Objects of earlier tests are frozen for the garbage collector meanwhile: it took half a second of a turn.
    """
    turns, original = Turns(), asyncio.events.Handle._run
    clock = time.thread_time

    def timed(handle: asyncio.Handle) -> None:
        begun = clock()
        try:
            original(handle)
        finally:
            turns.add(clock() - begun, handle)

    handles = cast(Any, asyncio.events.Handle)
    handles._run = timed
    gc.collect()
    gc.freeze()
    try:
        yield turns
    finally:
        handles._run = original
        gc.unfreeze()


def read_report(path: Path) -> Turns:
    """Returns the turns of a process that `python -m tests.support.longest_turn` ran."""
    report = json.loads(path.read_text())
    return Turns([Turn(turn["seconds"], turn["what"]) for turn in report["turns"]], report["count"])


def _write_report(path: Path, turns: Turns) -> None:
    longest = [{"seconds": turn.seconds, "what": turn.what} for turn in sorted(turns.kept, reverse=True)]
    path.write_text(json.dumps({"count": turns.count, "turns": longest}, indent=1))


def main(report: str, module: str, *flags: str) -> None:
    """Runs a module as `python -m` does, and reports its longest turns when it ends."""
    sys.modules["uvloop"] = cast(Any, None)  # an import of it fails, and the service takes asyncio's loop
    sys.argv = [module, *flags]
    with longest_turns() as turns:
        try:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        finally:
            _write_report(Path(report), turns)


if __name__ == "__main__":
    main(*sys.argv[1:])
