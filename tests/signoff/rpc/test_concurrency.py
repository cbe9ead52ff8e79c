"""A concurrency limit: so many calls at once, the others in order, and none waits for ever."""

from __future__ import annotations

import asyncio
import threading

import pytest

from signoff.errors import TooManyStreams
from signoff.rpc import concurrency
from signoff.rpc.concurrency import ConcurrencyLimit, in_thread


async def test_others_wait_in_the_order_they_came() -> None:
    taking, order = ConcurrencyLimit(2, "answers"), list[int]()

    async def one(number: int) -> None:
        async with taking.slot():
            order.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*map(one, range(6)))
    assert order == [0, 1, 2, 3, 4, 5]


async def test_one_that_waits_for_too_long_is_refused_with_what_is_the_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "WAIT", 0.01)
    taking = ConcurrencyLimit(1, "answers")
    async with taking.slot():
        with pytest.raises(TooManyStreams, match=r"expected at most 1 answers at once, but got one more; none ended"):
            async with taking.slot():
                pass
    async with taking.slot():
        pass


@pytest.mark.parametrize("when", ["waiting", "at work"])
async def test_a_turn_that_is_cancelled_is_free_again(when: str) -> None:
    taking = ConcurrencyLimit(1, "answers")

    async def holds() -> None:
        async with taking.slot():
            await asyncio.Event().wait()

    first = asyncio.create_task(holds())
    second = asyncio.create_task(holds())
    await asyncio.sleep(0)
    for task in (second, first) if when == "waiting" else (first, second):
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(5), taking.slot():
        pass


@pytest.mark.guard(name="a slot is held until its thread has ended")
async def test_a_caller_that_is_cancelled_keeps_its_slot_until_its_thread_has_ended() -> None:
    taking, go = ConcurrencyLimit(1, "answers"), threading.Event()
    order = list[str]()

    def work() -> None:
        go.wait(10)
        order.append("the thread has ended")

    async def first() -> None:
        async with taking.slot():
            await in_thread(work)

    async def second() -> None:
        async with taking.slot():
            order.append("the slot is free")

    working = asyncio.create_task(first())
    await asyncio.sleep(0)
    waiting = asyncio.create_task(second())
    working.cancel()
    await asyncio.wait([waiting], timeout=0.05)
    go.set()
    await asyncio.gather(working, waiting, return_exceptions=True)
    assert working.cancelled()
    assert order == ["the thread has ended", "the slot is free"]
