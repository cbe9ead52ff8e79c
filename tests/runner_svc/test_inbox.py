"""The engine's inbox: a report waits while it is full, and nothing is dropped."""

from __future__ import annotations

import asyncio

import pytest

from runner_svc import inbox as inbox_module
from runner_svc.core.model import signals
from runner_svc.core.model.values import SessionId
from runner_svc.engine import Engine
from runner_svc.publish.feed import Feed
from runner_svc.services.hub import Hub
from runner_svc.store.memory import MemoryStore


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
