"""Workers that leave while the inbox is full: a stream that is cancelled then leaves no session behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
import pytest

from runner_svc import inbox
from runner_svc.core.model import signals
from runner_svc.core.model.values import SessionId
from runner_svc.engine import Engine
from runner_svc.publish.feed import Feed
from runner_svc.services.hub import Hub
from runner_svc.services.worker_service import WorkerService
from runner_svc.store.memory import MemoryStore
from signoff.v1 import worker_pb2
from tests.support.servers.raw_worker import EXECUTOR

HELLO = worker_pb2.WorkerMessage(hello=worker_pb2.Hello(role=EXECUTOR, name="w1", slots=1))


class Line:
    """A worker's stream as its handler sees it, by hand."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[Any] = asyncio.Queue()
        self.frames.put_nowait(worker_pb2.ConnectRequest(messages=[HELLO]))

    async def read(self) -> Any:
        return await self.frames.get()

    async def write(self, _: object) -> None:
        pass


class Served:
    """An engine whose loop runs only when the test says so, and its service of workers."""

    def __init__(self) -> None:
        feed = Feed()
        self.hub = Hub(feed)
        self.engine = Engine(MemoryStore(), performer=self.hub, feed=feed)
        self.service = WorkerService(self.engine, self.hub)

    def connect(self, line: Line) -> asyncio.Task[None]:
        return asyncio.create_task(self.service.Connect(_none(), line))  # type: ignore[arg-type]

    async def fill(self) -> None:
        """Fills the inbox to its bound."""
        while not self.engine._inbox._places.locked():
            await self.engine.report(signals.WorkerDraining(at=self.engine.now(), session=SessionId("another")))

    async def until(self, sessions: int) -> None:
        """Returns when the hub has so many sessions."""
        async with asyncio.timeout(10):
            while len(self.hub.sessions) != sessions:  # noqa: ASYNC110 - nothing says so
                await asyncio.sleep(0)

    async def in_roster(self) -> int:
        """Makes the turns that are due, and returns how many sessions the roster has then."""
        running = asyncio.create_task(self.engine.run())
        async with asyncio.timeout(10):
            found = await self.engine.ask(lambda state: len(state.roster.sessions))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return found


async def _none() -> AsyncIterator[worker_pb2.ConnectRequest]:
    return
    yield


@pytest.fixture
async def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    monkeypatch.setattr(inbox, "INBOX_LIMIT", 3)
    made = Served()
    await made.engine.open()
    return made


@pytest.mark.guard(name="an end is reported at once")
async def test_a_stream_that_is_cancelled_after_its_end_leaves_no_session_behind(served: Served) -> None:
    line = Line()
    handling = served.connect(line)
    await served.until(1)
    await served.fill()
    line.frames.put_nowait(grpc.aio.EOF)
    await served.until(0)
    handling.cancel()
    await asyncio.gather(handling, return_exceptions=True)
    assert await served.in_roster() == 0


async def test_a_stream_that_is_cancelled_before_it_has_joined_leaves_no_session_behind(served: Served) -> None:
    await served.fill()
    handling = served.connect(Line())
    await served.until(1)
    handling.cancel()
    await asyncio.gather(handling, return_exceptions=True)
    assert served.hub.sessions == {}
    assert await served.in_roster() == 0
