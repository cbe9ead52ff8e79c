"""Awaits work that must not be cut off in the middle, such as making a folder, or waiting for a program's end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_its_end(work: Coroutine[Any, Any, T], on_cancel: Callable[[], None] = lambda: None) -> T:
    """Awaits `work` to its end. A cancellation calls `on_cancel`, and is raised when the work has ended."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
            on_cancel()
    if cancelled is not None:
        _ = task.cancelled() or task.exception()  # retrieved, so that asyncio does not log it
        raise cancelled
    return task.result()
