"""Long work in steps, between which the loop serves others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

T = TypeVar("T")


async def in_turns(items: Iterable[T], many: int) -> AsyncIterator[T]:
    """Yields the items, and lets the loop serve others after every so many."""
    for number, item in enumerate(items, start=1):
        yield item
        if not number % many:
            await asyncio.sleep(0)
