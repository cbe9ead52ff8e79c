"""The inbox of the engine: signals and questions in the order in which they came, in bounded memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from runner_svc.clock import SteadyClock
from runner_svc.core.decide.turn import State
from runner_svc.core.model import signals
from signoff.errors import ShuttingDown

T = TypeVar("T")

INBOX_LIMIT = 10_000  # signals; beyond that, a report waits, and with it the worker's stream
TURN_LIMIT = 200  # signals of one turn: they take 20 ms, after which the loop serves others
LONGEST_WAIT = 86_400.0  # seconds; then the deadline is looked at again, because timers have bounds


@dataclass(slots=True)
class Item:
    """A signal, a question, or both. The question is asked right after the signal was handled."""

    signal: signals.Signal | None
    ask: Callable[[State], Any] | None
    answer: asyncio.Future[Any] | None
    has_place: bool = True  #: it counts against the bound of the inbox

    def fail(self, error: Exception) -> None:
        """Answers the caller with an error, if it still waits."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(error)


class Inbox:
    """Takes items in from any number of adapters, and gives them out to the one loop of the engine."""

    def __init__(self, clock: SteadyClock) -> None:
        self._clock = clock
        self._items: asyncio.Queue[Item] = asyncio.Queue()
        # guard: the inbox is bounded -> self._places = asyncio.Semaphore(INBOX_LIMIT * 1_000)
        self._places = asyncio.Semaphore(INBOX_LIMIT)
        self._has_ended = False
        #: of the last jump of the clock: what came before it counts as if it came then, with the time that it has left
        self._jumped_at = 0.0

    @property
    def is_empty(self) -> bool:
        return self._items.empty()

    # ------------------------------------------------------------ for adapters

    async def submit(self, signal: signals.Signal, then: Callable[[State], T]) -> T:
        """Submits a command; Engine.submit says what comes of it."""
        return cast(T, await self._put(Item(signal, then, asyncio.get_running_loop().create_future())))

    async def ask(self, question: Callable[[State], T]) -> T:
        """Submits a question; Engine.ask says what comes of it."""
        return cast(T, await self._put(Item(None, question, asyncio.get_running_loop().create_future())))

    async def report(self, *incoming: signals.Signal) -> None:
        """Takes in reports. Waits while the inbox is full."""
        for signal in incoming:
            if not await self._take(Item(signal, None, None)):
                return

    def report_lost(self, lost: signals.WorkerLost) -> None:
        """Takes in the end of a session at once, behind all that it has reported.

        It goes past the bound, and each session has one. Its stream may be cancelled at any moment, and a report that
        waits would be lost then: the session would stay, and be given work without end.
        """
        if not self._has_ended:
            self._items.put_nowait(Item(lost, None, None, has_place=False))

    async def _put(self, item: Item) -> Any:
        if not await self._take(item):
            raise ShuttingDown("the runner is about to end")
        assert item.answer is not None
        return await item.answer

    async def _take(self, item: Item) -> bool:
        """Takes an item in, once there is a place for it. False: the runner is about to end."""
        if not self._has_ended:
            await self._places.acquire()
        if self._has_ended:
            self._places.release()  # for the next one that waits, which is told the same
            return False
        self._items.put_nowait(item)
        return True

    # ------------------------------------------------------------ for the engine

    async def gather(self, deadline: float | None) -> list[Item]:
        """Returns all items that wait, with a TimePassed before them when the deadline has come, or a ClockJumped."""
        if self.is_empty:
            wait = None if deadline is None else min(max(0.0, deadline - self._clock.now()), LONGEST_WAIT)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    return self._drain([await self._items.get()], deadline)
        return self._drain([], deadline)

    def _drain(self, items: list[Item], deadline: float | None) -> list[Item]:
        while len(items) < TURN_LIMIT and not self._items.empty():
            items.append(self._items.get_nowait())
        self._give_back(items)
        now = self._clock.now()
        jumped = self._clock.take_jump()
        if jumped:
            self._jumped_at = now
        for item in items if self._jumped_at else ():
            # guard: no signal is from before a jump -> if False:
            if item.signal is not None and item.signal.at < self._jumped_at:
                item.signal = replace(item.signal, at=self._jumped_at)
        if jumped:
            items.insert(0, Item(signals.ClockJumped(at=now, by=jumped), None, None))
        elif deadline is not None and deadline <= now:
            items.insert(0, Item(signals.TimePassed(at=now), None, None))
        return items

    def _give_back(self, items: Sequence[Item]) -> None:
        """Gives the places of items back that have left the inbox."""
        for item in items:
            if item.has_place:
                self._places.release()

    def wake(self) -> None:
        """Makes a turn begin, if none would by itself."""
        if self.is_empty:
            self._items.put_nowait(Item(None, None, None, has_place=False))

    def refuse_more(self) -> None:
        """Takes nothing in from now on."""
        self._has_ended = True

    def fail_all(self, error: Exception) -> None:
        """Answers all callers that wait with an error."""
        while not self._items.empty():
            item = self._items.get_nowait()
            item.fail(error)
            self._give_back([item])
