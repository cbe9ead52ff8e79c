"""Follows one execution for an event stream: every message of its watch, also across a restart of the runner.

A follower never ends by itself. After an execution has come to rest, it looks from time to time whether it has come to
life again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from signoff.client.values import by_execution
from signoff.client.watch import WatchPosition
from signoff.errors import ReaderTooSlow, SignoffError, TooManyStreams, Unavailable, WatcherTooSlow
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2
from signoff.web.upstream import Upstream

LOOK_AGAIN = 2.0  # seconds between looks at an execution that is at rest
MOST_BACKOFF = 2.0  # seconds between two tries while the runner is away
AT_ONCE = 100  # events in one message


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One message of a follower; exactly one of these is set besides the execution."""

    execution_id: str
    snapshot: Sequence[runner_pb2.SnapshotPart] = ()  #: whole
    events: Sequence[pb.Event] = ()
    thinking: Sequence[runner_pb2.Thinking] = ()
    has_ended: bool = False
    away: SignoffError | None = None
    is_back: bool = False
    problem: SignoffError | None = None  #: it cannot be followed any more


Tell = Callable[[Told], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Follower:
    """Follows one execution from a position on, or from a snapshot on."""

    upstream: Upstream
    execution_id: str
    after: int | None
    thinking: bool
    task_ids: tuple[str, ...]
    tell: Tell
    _position: WatchPosition = field(init=False)
    _is_away: bool = False

    def __post_init__(self) -> None:
        self._position = WatchPosition(
            execution_id=self.execution_id, after=self.after, thinking=self.thinking, task_ids=self.task_ids
        )

    async def run(self) -> None:
        """Tells everything that happens, until it is cancelled or the execution cannot be followed."""
        tries = 0
        while True:
            try:
                await self._there()
                async for told in self._watch():
                    tries = 0
                    await self.tell(told)
                await self.tell(Told(execution_id=self.execution_id, has_ended=True))
                await self._until_it_lives()
            except (WatcherTooSlow, ReaderTooSlow, TooManyStreams):
                await self._pause(tries)
                tries += 1
            except Unavailable as error:
                await self._lost(error)
                await self._pause(tries)
                tries += 1
            except SignoffError as error:
                await self.tell(Told(execution_id=self.execution_id, problem=error))
                return

    async def _there(self) -> None:
        """Asks whether the runner answers: a watch says nothing until something happens. Tells that it is back."""
        if self._is_away:
            await self.upstream.get(by_execution(self.execution_id))
            self._is_away = False
            await self.tell(Told(execution_id=self.execution_id, is_back=True))

    async def _lost(self, error: Unavailable) -> None:
        await self.upstream.look_again()
        if not self._is_away:
            self._is_away = True
            await self.tell(Told(execution_id=self.execution_id, away=error))

    async def _pause(self, tries: int) -> None:
        await asyncio.sleep(random.uniform(0.05, min(MOST_BACKOFF, 0.1 * 2**tries)))

    async def _watch(self) -> AsyncIterator[Told]:
        """Yields what one watch says, until the execution is at rest."""
        parts: list[runner_pb2.SnapshotPart] = []  # of a snapshot: told when it is whole, or never
        answers = self.upstream.stream(lambda runner: runner.WatchExecution, self._position.request())
        async with aclosing(answers):
            async for answer in answers:
                if answer.HasField("snapshot"):
                    parts.append(answer.snapshot)
                    if answer.snapshot.last:
                        self._position.after = answer.snapshot.execution.sequence
                        yield Told(execution_id=self.execution_id, snapshot=tuple(parts))
                        parts.clear()
                    continue
                # guard: every event once -> news = [*answer.events.events, *answer.thinking.thinking]
                news = list(self._position.take(answer))
                for told in self._told(news):
                    yield told

    def _told(self, news: Sequence[object]) -> list[Told]:
        events = [one for one in news if isinstance(one, pb.Event)]
        thoughts = [one for one in news if isinstance(one, runner_pb2.Thinking)]
        told = [Told(execution_id=self.execution_id, events=some) for some in _some(events)]
        return told + ([Told(execution_id=self.execution_id, thinking=thoughts)] if thoughts else [])

    async def _until_it_lives(self) -> None:
        """Returns when more has happened than was told: a retry or a resume brings an execution back to life."""
        ref = by_execution(self.execution_id)
        # Of some tasks alone, the last event that was told may be long before the execution's last one.
        known = (await self.upstream.get(ref)).sequence if self.task_ids else self._position.after or 0
        while (await self.upstream.get(ref)).sequence <= known:  # noqa: ASYNC110 - another process is waited for
            await asyncio.sleep(LOOK_AGAIN)


def _some(events: Sequence[pb.Event]) -> list[Sequence[pb.Event]]:
    return [events[start : start + AT_ONCE] for start in range(0, len(events), AT_ONCE)]
