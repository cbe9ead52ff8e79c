"""Errands: work on the state and the store while nothing is being decided or committed, one at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from runner_svc.core.decide.turn import State
from signoff.errors import ShuttingDown

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Errand:
    work: Callable[[State], Awaitable[Any]]
    done: asyncio.Future[Any]
    changes_state: bool


class Errands:
    """The errands that wait for a moment between two turns."""

    def __init__(self) -> None:
        self._waiting: deque[_Errand] = deque()
        self._have_ended = False

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, work: Callable[[State], Awaitable[T]], *, changes_state: bool) -> asyncio.Future[T]:
        """Returns a future of what the work returns or raises."""
        if self._have_ended:
            raise ShuttingDown("the runner is about to end")
        errand = _Errand(work, asyncio.get_running_loop().create_future(), changes_state)
        self._waiting.append(errand)
        return errand.done

    async def do_next(self, state: State) -> bool:
        """Does the errand that has waited longest. Returns False when the state is to be built anew: it failed."""
        errand = self._waiting.popleft()
        if errand.done.done():
            return True  # the caller has gone
        try:
            value = await errand.work(state)
        except Exception as error:  # noqa: BLE001 - the caller is told, and the loop goes on
            if not errand.done.done():
                errand.done.set_exception(error)
            return not errand.changes_state
        if not errand.done.done():
            errand.done.set_result(value)
        return True

    def refuse_more(self) -> None:
        """Fails the errands that wait, and all that come later."""
        self._have_ended = True
        while self._waiting:
            errand = self._waiting.popleft()
            if not errand.done.done():
                errand.done.set_exception(ShuttingDown("the runner is about to end"))
