"""The engine's inbox: a report waits while it is full, and nothing is dropped."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from runner_svc import inbox as inbox_module
from runner_svc.clock import SteadyClock
from runner_svc.core.model import signals
from runner_svc.core.model.values import SessionId
from runner_svc.engine import Engine
from runner_svc.inbox import Inbox
from runner_svc.publish.feed import Feed
from runner_svc.services.hub import Hub
from runner_svc.store.memory import MemoryStore
from signoff.errors import ShuttingDown


@pytest.mark.guard(name="the inbox is bounded")
async def test_whoever_reports_to_a_full_inbox_waits_until_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "INBOX_LIMIT", 2)
    feed = Feed()
    engine = Engine(MemoryStore(), performer=Hub(feed), feed=feed)
    await engine.open()
    gone = signals.WorkerDraining(at=engine.now(), session=SessionId("gone"))
    reporting = [asyncio.create_task(engine.report(gone)) for _ in range(3)]
    done, waiting = await asyncio.wait(reporting, timeout=0.05)
    assert (len(done), len(waiting)) == (2, 1)
    running = asyncio.create_task(engine.run())
    await asyncio.wait_for(asyncio.gather(*reporting), 10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.guard(name="no signal is from before a jump")
async def test_what_came_before_a_jump_of_the_clock_counts_as_if_it_came_then() -> None:
    wall = 1_000.0
    clock = SteadyClock(lambda: wall, lambda: 0.0)
    inbox = Inbox(clock)
    early = signals.WorkerDraining(at=clock.now(), session=SessionId("s"))
    wall += 28_800.0
    await inbox.report(early, replace(early, at=clock.now()))
    found = [item.signal for item in await inbox.gather(deadline=wall - 1)]
    assert found == [signals.ClockJumped(at=wall, by=28_800.0), *2 * [replace(early, at=wall)]]
    await inbox.report(early)  # it took its time for the way
    assert [item.signal for item in await inbox.gather(deadline=None)] == [replace(early, at=wall)]


async def test_the_end_of_a_session_comes_in_past_the_bound_behind_what_the_session_has_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inbox_module, "INBOX_LIMIT", 2)
    inbox = Inbox(SteadyClock())
    said = [signals.CreditGranted(at=1.0, session=SessionId("s"), window=window) for window in (1, 2)]
    lost = signals.WorkerLost(at=1.0, session=SessionId("s"), reason="gone", orderly=False)
    await inbox.report(*said)
    inbox.report_lost(lost)
    waiting = asyncio.create_task(inbox.report(said[0]))
    assert [item.signal for item in await inbox.gather(deadline=None)] == [*said, lost]
    await asyncio.wait_for(waiting, 10)
    assert [item.signal for item in await inbox.gather(deadline=None)] == said[:1]
    await inbox.report(*said)  # there is room for two again, and for no more
    more = asyncio.create_task(inbox.report(said[0]))
    done, _ = await asyncio.wait([more], timeout=0.05)
    assert not done
    more.cancel()


async def test_callers_that_wait_for_room_are_told_when_the_runner_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "INBOX_LIMIT", 1)
    inbox = Inbox(SteadyClock())
    asking = [asyncio.create_task(inbox.ask(lambda _: None)) for _ in range(4)]
    await asyncio.sleep(0)
    inbox.refuse_more()
    inbox.fail_all(ShuttingDown("the runner is about to end"))
    async with asyncio.timeout(10):
        answers = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(answer) for answer in answers] == 4 * [ShuttingDown]
