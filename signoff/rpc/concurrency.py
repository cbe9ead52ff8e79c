"""A limit on how many calls of a kind are answered at once, so that they hold a bounded amount of memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from signoff.errors import TooManyStreams

T = TypeVar("T")

WAIT = 30.0  # seconds for a free slot: others are answered meanwhile, or ended when they read nothing


class ConcurrencyLimit:
    """A bounded semaphore with a time limit: at most `most` calls at once; others wait in the order they came."""

    def __init__(self, most: int, what: str) -> None:
        """Names the calls by `what`, such as "plans", for the error that a refused one gets."""
        self._most, self._what = most, what
        self._free = asyncio.Semaphore(most)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Holds a slot for the length of the block. Raises TooManyStreams when none is free for too long."""
        try:
            async with asyncio.timeout(WAIT):
                await self._free.acquire()
        except TimeoutError:
            raise TooManyStreams(
                f"expected at most {self._most} {self._what} at once, but got one more; none ended within {WAIT:g} s"
            ) from None
        try:
            yield
        finally:
            self._free.release()


async def in_thread(work: Callable[[], T]) -> T:
    """Returns what work in a thread returns. A caller that is cancelled keeps its slot until the thread has ended."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        # guard: a slot is held until its thread has ended -> pass
        await asyncio.gather(working, return_exceptions=True)
        raise
