"""Who watches: every committed event goes to every watcher of its execution, once and in order.

A watcher has a bounded queue. When it is full, the watcher is cut off: it watches again after the last sequence it saw.
So it does when the runner has built its state anew: what the store kept of a write that failed was never published.
Thinking is lossy: when the queue has no room for it, it is dropped and the next piece says that there is a gap.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from runner_svc.core.values import ExecutionId
from signoff.errors import SignoffError, Unavailable, WatcherTooSlow
from signoff.v1 import execution_pb2, runner_pb2

Item = execution_pb2.Event | runner_pb2.Thinking


class Watcher:
    """One subscriber's queue. Iterate it for batches of what came since the last one."""

    def __init__(self, *, thinking: bool, limit: int) -> None:
        self.wants_thinking = thinking
        self._limit = limit
        self._items: deque[Item] = deque()
        self._wake = asyncio.Event()
        self._ended: SignoffError | None = None
        self._gaps: set[str] = set()

    def offer(self, events: Iterable[execution_pb2.Event]) -> None:
        """Queues events; a watcher without room for them is cut off."""
        self._items.extend(events)
        if len(self._items) > self._limit:
            self.end(
                WatcherTooSlow(
                    f"expected the watcher to keep up, but {self._limit} events waited for it: "
                    "watch again after the last sequence it saw"
                )
            )
        self._wake.set()

    def end(self, error: SignoffError) -> None:
        """Cuts the watcher off. The first reason counts."""
        self._ended = self._ended or error
        self._wake.set()

    def offer_thinking(self, piece: runner_pb2.Thinking) -> None:
        """Queues a piece of thinking if there is room: events keep half of the queue for themselves."""
        if len(self._items) > self._limit // 2:
            self._gaps.add(piece.task_id)
            return
        if piece.task_id in self._gaps:
            self._gaps.discard(piece.task_id)
            marked = runner_pb2.Thinking()
            marked.CopyFrom(piece)
            marked.gap = True
            piece = marked
        self._items.append(piece)
        self._wake.set()

    async def batches(self) -> AsyncIterator[Sequence[Item]]:
        """Raises what the watcher was cut off with; what was queued is then not delivered."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._ended is not None:
                raise self._ended
            batch = list(self._items)
            self._items.clear()
            yield batch


class Feed:
    """The watchers of all executions."""

    def __init__(self, queue_limit: int = 20_000) -> None:
        self._limit = queue_limit
        self._watchers: defaultdict[ExecutionId, set[Watcher]] = defaultdict(set)

    def subscribe(self, execution: ExecutionId, *, thinking: bool) -> Watcher:
        """From now on, every event of the execution that is published reaches the watcher."""
        watcher = Watcher(thinking=thinking, limit=self._limit)
        self._watchers[execution].add(watcher)
        return watcher

    def unsubscribe(self, execution: ExecutionId, watcher: Watcher) -> None:
        self._watchers[execution].discard(watcher)
        if not self._watchers[execution]:
            del self._watchers[execution]

    def is_watched(self, execution: ExecutionId) -> bool:
        return execution in self._watchers

    def wants_thinking(self, execution: ExecutionId) -> bool:
        """Whether any watcher of the execution asked for thinking."""
        return any(watcher.wants_thinking for watcher in self._watchers.get(execution, ()))

    def publish(self, events: Mapping[ExecutionId, Sequence[execution_pb2.Event]]) -> None:
        """Hands committed events to the watchers of their executions."""
        for execution, batch in events.items():
            for watcher in self._watchers.get(execution, ()):
                watcher.offer(batch)

    def disconnect_all(self, reason: str) -> None:
        """Cuts every watcher off: there may be events that were never published."""
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.end(Unavailable(f"{reason}: watch again after the last sequence seen"))

    def think(self, execution: ExecutionId, piece: runner_pb2.Thinking) -> None:
        for watcher in self._watchers.get(execution, ()):
            if watcher.wants_thinking:
                watcher.offer_thinking(piece)
