"""One event stream: several followers, one order, one cursor.

The stream pulls: while the client does not read, nothing is asked of the followers, and they ask nothing of the runner.
A client that reads nothing for long is cut off (`signoff.web.listening`); it goes on from its last id.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from signoff.errors import SignoffError
from signoff.web.events.cursor import cursor_of
from signoff.web.events.follower import Follower, Told
from signoff.web.events.frames import COMMENT, RETRY, frame
from signoff.web.upstream import Upstream
from signoff.web.wire.messages import record
from signoff.web.wire.problems import problem_of

COMMENT_EVERY = 15.0  # seconds of silence
WAITING = 8  # messages of all followers together that wait for the client


@dataclass(slots=True, kw_only=True)
class EventStream:
    """The messages of one client's stream."""

    upstream: Upstream
    executions: Sequence[str]
    positions: dict[str, int]  #: from the client's cursor, of these executions: the last sequence that was sent
    thinking: bool = False
    task_ids: tuple[str, ...] = ()
    closing: asyncio.Event = field(default_factory=asyncio.Event)  #: the door ends
    _away: set[str] = field(default_factory=set)
    _as_of: datetime = field(default_factory=lambda: datetime.now(UTC))

    async def frames(self) -> AsyncGenerator[bytes, None]:
        """Yields the stream's bytes until it is closed. Each is whole messages."""
        news: asyncio.Queue[Told] = asyncio.Queue(WAITING)
        followers = [asyncio.create_task(self._follower(name, news).run()) for name in self.executions]
        try:
            yield RETRY + self._greeting()
            while not self.closing.is_set():
                told = await self._next(news)
                if told is None:
                    yield COMMENT
                    continue
                for piece in self._frames_of(told):
                    yield piece
                    await asyncio.sleep(0)  # others get a turn between large pieces
        finally:
            for task in followers:
                task.cancel()
            await asyncio.gather(*followers, return_exceptions=True)

    def _follower(self, name: str, news: asyncio.Queue[Told]) -> Follower:
        return Follower(
            upstream=self.upstream,
            execution_id=name,
            after=self.positions.get(name),
            thinking=self.thinking,
            task_ids=self.task_ids,
            tell=news.put,
        )

    def _greeting(self) -> bytes:
        if not self.positions:
            return b""
        resumed = {name: str(sequence) for name, sequence in self.positions.items()}
        return frame("resumed", {"executions": resumed}, cursor_of(self.positions))

    async def _next(self, news: asyncio.Queue[Told]) -> Told | None:
        """Returns what comes next; None after a silence, or when the door ends."""
        getting = asyncio.ensure_future(news.get())
        closing = asyncio.ensure_future(self.closing.wait())
        try:
            await asyncio.wait((getting, closing), timeout=COMMENT_EVERY, return_when=asyncio.FIRST_COMPLETED)
            return getting.result() if getting.done() else None
        finally:
            getting.cancel()
            closing.cancel()

    # ------------------------------------------------------------ messages

    def _frames_of(self, told: Told) -> Iterator[bytes]:
        name = told.execution_id
        if told.away is not None:
            yield from self._lost(name, told.away)
            return
        if told.problem is None:
            yield from self._found(name)
        if told.snapshot:
            yield from self._snapshot(told)
        elif told.events:
            self.positions[name] = told.events[-1].sequence
            data = {"executionId": name, "events": [record(event) for event in told.events]}
            yield frame("events", data, cursor_of(self.positions))
        elif told.thinking:
            yield frame("thinking", {"executionId": name, "thinking": [record(piece) for piece in told.thinking]})
        elif told.has_ended:
            yield frame("ended", {"executionId": name})
        elif told.problem is not None:
            self._away.discard(name)
            yield frame("problem", {"executionId": name, **problem_of(told.problem)})

    def _snapshot(self, told: Told) -> Iterator[bytes]:
        """Yields the parts. The last one alone has an id: a client that was cut off before begins anew."""
        for part in told.snapshot:
            if part.last:
                self.positions[told.execution_id] = part.execution.sequence
            yield frame("snapshot", record(part), cursor_of(self.positions) if part.last else "")

    def _lost(self, name: str, error: SignoffError) -> Iterator[bytes]:
        """Tells once, for all executions, that the runner is away."""
        if not self._away:
            as_of = self._as_of.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            yield frame("away", problem_of(error, asOf=as_of))
        self._away.add(name)

    def _found(self, name: str) -> Iterator[bytes]:
        self._as_of = datetime.now(UTC)
        if self._away:
            self._away.discard(name)
            if not self._away:
                yield frame("back", {})
