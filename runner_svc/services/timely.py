"""Streams of bytes that come in time: an upload holds a place that others wait for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import TypeVar

from signoff.errors import UploadStalled

M = TypeVar("M")

STALL = 30.0  # seconds between two messages
LEAST_BYTES_A_SECOND = 16 * 1024  # on average, after the first `STALL` seconds


async def timely(messages: AsyncIterator[M], came: Callable[[], int], stall: float = STALL) -> AsyncGenerator[M, None]:
    """Yields the messages of an upload. `came`: how many bytes have come so far. Raises UploadStalled."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while True:
        slowest = begun + stall + came() / LEAST_BYTES_A_SECOND
        try:
            async with asyncio.timeout_at(min(loop.time() + stall, slowest)):
                message = await anext(messages, None)
        except TimeoutError:
            rule = f"a message every {stall:g} s and {LEAST_BYTES_A_SECOND:,} bytes a second"
            raise UploadStalled(f"expected {rule}, but got {came():,} bytes and no more") from None
        if message is None:
            return
        yield message
