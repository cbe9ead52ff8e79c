"""Work with files goes on beside the event loop, says so, and ends before its folder is removed."""

from __future__ import annotations

import asyncio
import threading

import pytest

from worker_svc.files import aside as aside_module
from worker_svc.files.aside import Tick, aside


async def test_work_reports_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside_module, "TELL_EVERY", 0.0)
    told: list[None] = []

    def work(tick: Tick) -> str:
        tick()
        tick()
        return "done"

    assert await aside(work, lambda: told.append(None)) == "done"
    await asyncio.sleep(0)
    assert len(told) == 2


@pytest.mark.guard(name="cancelled work with files has ended before its folder goes")
async def test_cancelled_work_ends_at_its_next_tick_and_is_waited_for() -> None:
    begun, goes_on, ended = asyncio.Event(), threading.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def work(tick: Tick) -> None:
        loop.call_soon_threadsafe(begun.set)
        goes_on.wait()
        try:
            tick()
        finally:
            ended.set()

    running = asyncio.create_task(aside(work, lambda: None))
    await begun.wait()
    running.cancel()
    await asyncio.sleep(0)
    try:
        assert not running.done()
    finally:
        goes_on.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended.is_set()
