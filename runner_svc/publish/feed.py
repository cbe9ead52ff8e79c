"""The feed: every committed event goes to every watcher of its execution, once and in order.

The watchers of an execution read one log. It is cut into spans, and each span is serialized once for all of them. After
a quiet moment an event is published at once. While events come fast, a span holds those of one beat, so that many
watchers take few frames.

A watcher that is too far behind is cut off, and watches again after the last sequence it saw. All watchers are cut off
when the runner has built its state anew, since the store may hold events of a failed write that were never published.
Thinking is lossy: when too many pieces wait, the next is dropped, and the one after it says that there is a gap.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from runner_svc.core.model.values import ExecutionId
from signoff.errors import SignoffError, Unavailable, WatcherTooSlow
from signoff.rpc.frames import runs
from signoff.v1 import execution_pb2, runner_pb2

BEAT = 0.05  # seconds, at least, from one span to the next
BEAT_OF_EACH = 0.002  # seconds of a beat for each watcher: 25 or 250, they take 500 frames a second, of 60 us each
LONGEST_BEAT = 0.5  # seconds: a watcher should not be a second behind
RESTING = ("execution_succeeded", "execution_failed", "execution_stopped")


class Span:
    """Events that are published together."""

    def __init__(self, events: Sequence[execution_pb2.Event], end: int) -> None:
        self.events = events
        self.end = end  #: its last event's place in the log

    @cached_property
    def answers(self) -> Sequence[bytes]:
        """The serialized answers, shared by all watchers of all tasks: it saves 100 us for a frame of 1,000 events."""
        return answers_of(self.events)

    @property
    def is_rest(self) -> bool:
        """Tells whether the execution has come to rest with the span's last event."""
        return _is_rest(self.events[-1])


def answers_of(events: Iterable[execution_pb2.Event]) -> Sequence[bytes]:
    """Returns events as serialized answers of WatchExecution that fit a frame each."""
    # guard: batches are bounded ->
    #     answers = (runner_pb2.WatchExecutionResponse(events=runner_pb2.EventBatch(events=run)) for run in [[*events]])
    answers = (runner_pb2.WatchExecutionResponse(events=runner_pb2.EventBatch(events=run)) for run in runs(events))
    return [answer.SerializeToString() for answer in answers]


Thinking = Sequence[runner_pb2.Thinking]


class Watcher:
    """A subscriber: its place in the log, and the thinking that waits for it."""

    def __init__(self, log: Log, *, thinking: bool, limit: int) -> None:
        self.wants_thinking = thinking
        self.log = log
        self.place = log.end  #: up to where it has read the log, or need not read it
        self.ended: SignoffError | None = None
        self._limit = limit
        self._allowed: float = limit  # events that it may be behind now
        self._thinking: deque[runner_pb2.Thinking] = deque()
        self._gaps: set[str] = set()
        self._wake = asyncio.Event()

    def wake(self) -> None:
        self._wake.set()

    def end(self, error: SignoffError) -> None:
        """Cuts the watcher off. The first reason counts."""
        self.ended = self.ended or error
        self.wake()

    def end_if_behind(self, end: int) -> None:
        """Cuts the watcher off when too much of a log up to `end` waits for it."""
        behind = end - self.place
        if behind <= self._limit and self._allowed != math.inf:
            self._allowed = self._limit  # it has caught up
        # guard (2 lines): world: a slow watcher is cut off ->
        #     elif behind > self._allowed:
        #         self.place = end
        #     if False:
        #         self.end(
        # guard: a slow watcher is cut off -> elif False:
        elif behind > self._allowed:
            self.end(
                WatcherTooSlow(
                    f"expected the watcher to keep up, but more than {self._limit} events waited for it: "
                    "watch again after the last sequence it saw"
                )
            )

    @contextlib.contextmanager
    def excused(self) -> Iterator[None]:
        """Lets the watcher fall behind while the runner prepares what comes first; it may catch up afterwards."""
        self._allowed = math.inf
        try:
            yield
        finally:
            self._allowed = self.log.end - self.place + self._limit

    def offer_thinking(self, piece: runner_pb2.Thinking) -> None:
        """Keeps a piece of thinking until the next span, if there is room: half as much as for events."""
        # guard: thinking gives way to events -> if False:
        if len(self._thinking) > self._limit // 2:
            self._gaps.add(piece.task_id)
            return
        if piece.task_id in self._gaps:
            self._gaps.discard(piece.task_id)
            marked = runner_pb2.Thinking()
            marked.CopyFrom(piece)
            marked.gap = True
            piece = marked
        self._thinking.append(piece)

    async def news(self) -> AsyncGenerator[Span | Thinking, None]:
        """Yields everything that is published from now on.

        Raises the watcher's error once it is cut off, without what still waits.
        """
        while True:
            if self.ended is not None:
                raise self.ended
            if span := self.log.after(self.place):
                self.place = span.end
                yield span
            elif self._thinking:
                pieces = list(self._thinking)
                self._thinking.clear()
                yield pieces
            else:
                self._wake.clear()
                await self._wake.wait()


class Log:
    """Published events of one execution that some watcher has not read yet.

    A place is a number of events, counted from the first that was published to this log. The log reaches back to the
    slowest watcher that is not cut off. Such a watcher is at most `limit` events behind, besides those that were
    published while it was excused.
    """

    def __init__(self, limit: int) -> None:
        self.watchers: dict[Watcher, None] = {}
        self.end = 0  #: the place of the last event
        self._limit = limit
        self._spans: list[Span] = []
        self._fresh: list[execution_pb2.Event] = []  # in no span yet
        self._last_beat = -math.inf
        self._next: asyncio.TimerHandle | None = None

    def subscribe(self, *, thinking: bool) -> Watcher:
        watcher = Watcher(self, thinking=thinking, limit=self._limit)
        self.watchers[watcher] = None
        return watcher

    def unsubscribe(self, watcher: Watcher) -> None:
        del self.watchers[watcher]
        if self._next is not None and not self.watchers:
            self._next.cancel()

    def after(self, place: int) -> Span | None:
        """Returns the first span that reaches beyond a place."""
        number = bisect_right(self._spans, place, key=lambda span: span.end)
        return self._spans[number] if number < len(self._spans) else None

    def publish(self, events: Sequence[execution_pb2.Event]) -> None:
        """Publishes events with the next beat; at once when the execution is at rest or too many wait."""
        self._fresh += events
        self.end += len(events)
        for watcher in self.watchers:
            watcher.end_if_behind(self.end)
        if _is_rest(events[-1]) or len(self._fresh) > self._limit // 2:
            self._beat()
        else:
            self._beat_soon()

    def think(self, piece: runner_pb2.Thinking) -> None:
        for watcher in self.watchers:
            if watcher.wants_thinking:
                watcher.offer_thinking(piece)
        self._beat_soon()

    def _beat_soon(self) -> None:
        if self._next is None:
            beat = min(max(BEAT, BEAT_OF_EACH * len(self.watchers)), LONGEST_BEAT)
            self._next = asyncio.get_running_loop().call_at(self._last_beat + beat, self._beat)

    def _beat(self) -> None:
        """Makes a span of the fresh events, and wakes the watchers."""
        if self._next is not None:
            self._next.cancel()
        self._next = None
        self._last_beat = asyncio.get_running_loop().time()
        self._forget()
        if self._fresh:
            self._spans.append(Span(self._fresh, self.end))
            self._fresh = []
        for watcher in self.watchers:
            watcher.wake()

    def _forget(self) -> None:
        """Drops the spans that every watcher has read."""
        slowest = min((watcher.place for watcher in self.watchers if watcher.ended is None), default=self.end)
        del self._spans[: bisect_right(self._spans, slowest, key=lambda span: span.end)]


class Feed:
    """The watchers of all executions."""

    def __init__(self, queue_limit: int = 20_000) -> None:
        self._limit = queue_limit
        self._logs: dict[ExecutionId, Log] = {}

    def subscribe(self, execution: ExecutionId, *, thinking: bool) -> Watcher:
        """Returns a watcher that receives every event of the execution from now on."""
        if execution not in self._logs:
            self._logs[execution] = Log(self._limit)
        return self._logs[execution].subscribe(thinking=thinking)

    def unsubscribe(self, execution: ExecutionId, watcher: Watcher) -> None:
        watcher.log.unsubscribe(watcher)
        if not watcher.log.watchers:
            del self._logs[execution]

    def wants_thinking(self, execution: ExecutionId) -> bool:
        """Tells whether any watcher of the execution asked for thinking."""
        log = self._logs.get(execution)
        return log is not None and any(watcher.wants_thinking for watcher in log.watchers)

    def publish(self, events: Mapping[ExecutionId, Sequence[execution_pb2.Event]]) -> None:
        """Hands committed events to the watchers of their executions."""
        for execution, batch in events.items():
            if execution in self._logs:
                self._logs[execution].publish(batch)

    def disconnect_all(self, reason: str) -> None:
        """Cuts off every watcher: some events may never have been published."""
        for log in self._logs.values():
            for watcher in log.watchers:
                watcher.end(Unavailable(f"{reason}: watch again after the last sequence seen"))

    def think(self, execution: ExecutionId, piece: runner_pb2.Thinking) -> None:
        if execution in self._logs:
            self._logs[execution].think(piece)


def _is_rest(event: execution_pb2.Event) -> bool:
    return event.WhichOneof("kind") in RESTING
