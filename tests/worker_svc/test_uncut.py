"""Work that must not be cut off in the middle."""

from __future__ import annotations

import asyncio

import pytest

from worker_svc.uncut import to_its_end


async def test_the_result_comes_through() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    assert await to_its_end(work()) == 7


async def test_so_does_what_it_raises() -> None:
    async def work() -> None:
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        await to_its_end(work())


@pytest.mark.parametrize("error", [None, OSError("full")])
async def test_a_cancellation_waits_for_the_end(error: Exception | None) -> None:
    may_end, asked = asyncio.Event(), []

    async def work() -> None:
        await may_end.wait()
        if error is not None:
            raise error

    waiting = asyncio.create_task(to_its_end(work(), on_cancel=lambda: asked.append(True)))
    for cancels in (1, 2):
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
        assert not waiting.done()
        assert len(asked) == cancels
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_time_limit_around_it_is_a_time_out() -> None:
    may_end = asyncio.Event()

    async def work() -> None:
        await may_end.wait()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await to_its_end(work(), on_cancel=may_end.set)
