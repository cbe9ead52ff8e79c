"""Watchers against writes in any order: a snapshot and the events after it form one sequence without gaps."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner_svc.clock import SteadyClock
from runner_svc.codec.maps import map_from_parts
from runner_svc.core.model import signals
from runner_svc.core.model.values import ExecutionId
from runner_svc.engine import Engine
from runner_svc.publish.feed import Feed
from runner_svc.services.hub import Hub
from runner_svc.services.watching import watch
from runner_svc.store.memory import MemoryStore
from runner_svc.store.port import Listed, Row
from signoff.errors import SignoffError, StorageFailed
from signoff.rpc.concurrency import ConcurrencyLimit
from signoff.v1 import execution_pb2, runner_pb2
from tests.simulation.nature.clock import run
from tests.support.draws import so_many
from tests.support.servers.runner import parts_of
from tests.support.values.maps import map_of

E1 = ExecutionId("e1")
MOST_ANSWERS = 1000  # that a reader of these stories could get
STATES = {
    "execution_started": execution_pb2.EXECUTION_STATE_RUNNING,
    "execution_resumed": execution_pb2.EXECUTION_STATE_RUNNING,
    "execution_paused": execution_pb2.EXECUTION_STATE_PAUSED,
}


class SlowStore(MemoryStore):
    """A store that gives way to other tasks as a real one does, and may refuse writes that it has kept."""

    def __init__(self) -> None:
        super().__init__()
        self.refuses_next = False

    async def append(
        self,
        rows: Sequence[Row],
        contents: Mapping[str, bytes],
        listed: Sequence[Listed] = (),
        named: Sequence[str] = (),
    ) -> None:
        await asyncio.sleep(0.003)
        await super().append(rows, contents, listed, named)
        await asyncio.sleep(0.003)
        if self.refuses_next:
            self.refuses_next = False
            raise StorageFailed("the disk refused what it has kept")

    async def read(self, journal: str, after: int, limit: int) -> Sequence[Row]:
        await asyncio.sleep(0.003)
        return await super().read(journal, after, min(limit, 2))


@dataclass
class Reader:
    """A watcher that reads as it gets permits, and watches again after the last sequence it saw when it is cut off."""

    watched: Callable[[runner_pb2.WatchExecutionRequest], Any]
    snapshot: bool
    permits: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    first: int | None = None  #: the sequence of its snapshot
    state: int = 0  #: that the snapshot shows
    events: list[execution_pb2.Event] = field(default_factory=list)

    @property
    def seen(self) -> int:
        return self.events[-1].sequence if self.events else self.first or 0

    async def read(self) -> None:
        while True:
            request = runner_pb2.WatchExecutionRequest(follow=True)
            if not self.snapshot or self.first is not None:
                request.after_sequence = self.seen
            try:
                async for answer in self.watched(request):
                    self._take(runner_pb2.WatchExecutionResponse.FromString(answer))
                    await self.permits.acquire()
            except SignoffError:
                await asyncio.sleep(0.001)  # cut off

    def _take(self, answer: runner_pb2.WatchExecutionResponse) -> None:
        if answer.HasField("snapshot"):
            assert self.first is None
            self.first, self.state = answer.snapshot.execution.sequence, answer.snapshot.execution.state
        self.events += answer.events.events


class Story:
    """An execution that is written to and watched in a drawn order."""

    def __init__(self, queue_limit: int) -> None:
        self.store = SlowStore()
        feed = Feed(queue_limit)
        self.hub = Hub(feed)
        ticks = itertools.count(1_700_000_000)
        self.engine = Engine(
            self.store, performer=self.hub, feed=feed, clock=SteadyClock(ticks.__next__, itertools.count().__next__)
        )
        self.readers: list[Reader] = []
        self.tasks: list[asyncio.Task[Any]] = []

    async def begin(self) -> None:
        plan = map_from_parts(parts_of(map_of("a; b <- a")))
        await self.store.put_map(plan.key, [part.SerializeToString() for part in parts_of(map_of("a; b <- a"))])
        await self.engine.open()
        self.tasks.append(asyncio.create_task(self.engine.run()))
        await self.engine.submit(signals.SetLayout(at=1.0, request_id="", map=plan), lambda _: None)
        await self.engine.submit(
            signals.StartExecution(at=1.0, request_id="", execution=E1, plan_id=""), lambda _: None
        )

    def write(self, kind: type[signals.ExecutionCommand]) -> None:
        """Gives a command without waiting for the answer."""
        self.tasks.append(asyncio.create_task(self._order(kind)))

    async def _order(self, kind: type[signals.ExecutionCommand]) -> None:
        more = {"task_id": "a"} if kind is signals.RetryTask else {}
        signal = cast(Any, kind)(at=self.engine.now(), request_id="", execution=E1, **more)
        try:
            await self.engine.submit(signal, lambda _: None)
        except StorageFailed:
            return  # it is not known whether the command counts

    def watch(self, snapshot: bool) -> None:
        turns = ConcurrencyLimit(1, "snapshots")
        reader = Reader(lambda request: watch(self.engine, self.store, self.hub, E1, request, turns), snapshot)
        self.readers.append(reader)
        self.tasks.append(asyncio.create_task(reader.read()))

    async def end(self) -> None:
        """Has every reader read all there is; the loop of the test raises when one waits for ever."""
        for reader in self.readers:
            for _ in range(MOST_ANSWERS):
                reader.permits.release()
        await asyncio.sleep(60.0)
        for task in self.tasks:
            if task.done():
                task.result()

    def check(self) -> None:
        journal = [row.body for row in self.store.rows if row.journal == E1]
        for reader in self.readers:
            assert [event.SerializeToString() for event in reader.events] == journal[reader.first or 0 :]
            if reader.first is not None:
                kinds = [execution_pb2.Event.FromString(body).WhichOneof("kind") for body in journal[: reader.first]]
                assert reader.state == next(STATES[kind] for kind in reversed(kinds) if kind in STATES)


WRITES = st.sampled_from([signals.PauseExecution, signals.ResumeExecution, signals.RetryTask])
STEPS = st.one_of(
    st.tuples(st.just("write"), WRITES),
    st.tuples(st.just("write"), WRITES),
    st.tuples(st.just("watch"), st.booleans()),
    st.tuples(st.just("read"), st.integers(0, 5)),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 0.002, 0.004, 0.02])),
    st.tuples(st.just("refuse"), st.none()),
)


async def _told(steps: Sequence[tuple[str, Any]], queue_limit: int) -> None:
    story = Story(queue_limit)
    await story.begin()
    for step, what in steps:
        if step == "write":
            story.write(what)
        elif step == "watch":
            story.watch(what)
        elif step == "read" and what < len(story.readers):
            story.readers[what].permits.release()
        elif step == "refuse":
            story.store.refuses_next = True
        elif step == "wait":
            await asyncio.sleep(what)
    await story.end()
    story.check()


@pytest.mark.guard(name="a watcher passes over what it was told")
@pytest.mark.guard(name="a watcher subscribes before it asks")
@pytest.mark.guard(name="watchers are cut off when the state is built anew")
@settings(max_examples=so_many(100, long=300), deadline=None, derandomize=True)
@given(steps=st.lists(STEPS, max_size=30), queue_limit=st.sampled_from([2, 20_000]))
def test_whatever_is_written_and_read_when_a_watcher_sees_every_event_once(
    steps: list[tuple[str, Any]], queue_limit: int
) -> None:
    run(_told(steps, queue_limit))
