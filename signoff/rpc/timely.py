"""Streams of bytes that come in time: an upload holds a place that others wait for.

Answers are to be taken at the same least rate: interceptor.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import TypeVar

from signoff.errors import UploadStalled

M = TypeVar("M")

STALL = 30.0  # seconds between two messages
LEAST_BYTES_A_SECOND = 16 * 1024  # on average, after the first `STALL` seconds


async def timely(messages: AsyncIterator[M], came: Callable[[], int], stall: float = STALL) -> AsyncGenerator[M, None]:
    """Yields the messages of an upload. `came`: how many bytes have come so far.

    Raises UploadStalled when no message comes for `stall` seconds, or when they bring too little.
    """
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while True:
        slowest = begun + stall + came() / LEAST_BYTES_A_SECOND
        try:
            # guard: uploads are bounded in time -> async with asyncio.timeout_at(None):
            async with asyncio.timeout_at(min(loop.time() + stall, slowest)):
                message = await anext(messages, None)
        except TimeoutError:
            rule = f"a message every {stall:g} s and {LEAST_BYTES_A_SECOND:,} bytes a second"
            raise UploadStalled(f"expected {rule}, but got {came():,} bytes in {loop.time() - begun:.0f} s") from None
        if message is None:
            return
        yield message


async def first_of(messages: AsyncIterator[M], stall: float = STALL) -> M | None:
    """Returns the first message of an upload; None: it has none. Raises UploadStalled.

    An upload gets its place only after it: a stream that is merely open keeps no other waiting.
    """
    async with aclosing(timely(messages, lambda: 0, stall)) as stream:
        return await anext(stream, None)
