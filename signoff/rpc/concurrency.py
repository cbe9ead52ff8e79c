"""Taking turns: how many calls of a kind are answered at once, so that what each holds in memory is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from signoff.errors import TooManyStreams

WAIT = 30.0  # seconds for a turn: others are answered meanwhile, or ended when they take nothing


class ConcurrencyLimit:
    """At most `most` at once; others wait in the order they came, and not for ever."""

    def __init__(self, most: int, what: str) -> None:
        """`what` they are, for those that are refused."""
        self._most, self._what = most, what
        self._free = asyncio.Semaphore(most)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Takes a turn for the length of the block. Raises TooManyStreams when none is free for too long."""
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
