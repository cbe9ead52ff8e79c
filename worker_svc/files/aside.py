"""Runs work with files in a thread. It reports progress as it goes on, and ends early when it is cancelled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from worker_svc.uncut import to_its_end

T = TypeVar("T")
Tick = Callable[[], None]  #: to be called by the work for each piece of a file; raises when the work is cancelled

TELL_EVERY = 0.2  # seconds between two reports of progress


class _Cancelled(Exception):
    """The work is not wanted any more."""


async def aside(work: Callable[[Tick], T], progress: Callable[[], None]) -> T:
    """Runs `work` in a thread, and calls `progress` on this event loop while it goes on.

    A cancellation ends the work at its next tick, and is raised when it has ended: its folder can then be removed.
    """
    loop, cancelled = asyncio.get_running_loop(), threading.Event()
    told = [loop.time()]

    def tick() -> None:
        if cancelled.is_set():
            raise _Cancelled
        if loop.time() - told[0] >= TELL_EVERY:
            told[0] = loop.time()
            with suppress(RuntimeError):  # the loop is closed: the worker has ended
                loop.call_soon_threadsafe(progress)

    # guard: cancelled work with files has ended before its folder goes -> return await asyncio.to_thread(work, tick)
    return await to_its_end(asyncio.to_thread(work, tick), on_cancel=cancelled.set)
