"""Seats bound how many calls run: a cancelled call keeps its seat until it has really ended.

So a function that cannot be stopped holds a thread, but there are never more threads than the worker has slots. When
such calls hold all seats, further work waits for one, until its idle time-out.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import structlog

log = structlog.get_logger(__name__)


class Seats:
    """The seats of a place. Owned by one event loop."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._free = asyncio.Semaphore(count)
        self._taken = Counter[str]()
        self._empty = asyncio.Event()
        self._empty.set()

    async def take(self, function: str) -> None:
        if self._free.locked():
            log.warning("function_waits", function=function, taken=self._count, by=self.occupants)
        await self._free.acquire()
        self._taken[function] += 1
        self._empty.clear()

    def leave(self, function: str) -> None:
        self._free.release()
        self._taken -= Counter((function,))
        if not self._taken:
            self._empty.set()

    @property
    def occupants(self) -> list[str]:
        """The functions whose calls run."""
        return sorted(self._taken)

    async def until_empty(self, within: float) -> list[str]:
        """Waits until no call runs. Returns the functions that still do after this many seconds."""
        try:
            async with asyncio.timeout(within):
                await self._empty.wait()
        except TimeoutError:
            log.warning("functions_left_running", functions=self.occupants)
        return self.occupants
