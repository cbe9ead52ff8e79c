"""Bugs of the runner itself: places at which it throws in bad weather, at a rate."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from runner_svc import engine
from runner_svc.core import machine
from runner_svc.core.decide.turn import State, Turn
from runner_svc.core.model import events
from runner_svc.recovery.recovery import Recovery
from tests.simulation.nature.weather import Weather

#: What the weather may do to the code of the runner.
THROWS = (
    "throws before an event",  # in the middle of a turn, whose first events are applied
    "throws after an event",  # which is applied, and is in no journal
    "throws giving out work",
    "throws writing down",  # when an event becomes a message
    "throws replaying",  # when a row is taken in again
    "throws telling",  # after the commit
)


class Thrown(RuntimeError):
    """An invented bug, which may come up anywhere."""


class Bugs:
    """The invented bugs of a world. They come by the seed, when the weather lets them."""

    def __init__(self, seed: int, weather: Weather) -> None:
        self._chance = random.Random(f"{seed} bugs")
        self._weather = weather
        self.thrown: Counter[str] = Counter()  #: of each kind

    def may_throw(self, kind: str) -> None:
        rate = self._weather.rate(kind)
        if rate and self._chance.random() < rate:
            self.thrown[kind] += 1
            raise Thrown(kind)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Makes the runners of this process throw until the block ends."""
        places: Sequence[tuple[object, str, Callable[..., Any]]] = (
            (Turn, "record", self._around_record),
            (machine, "lend_all", lambda work: self._after(work, THROWS[2])),
            (engine, "event_to_proto", lambda work: self._after(work, THROWS[3])),
            (Recovery, "_apply", self._before_replay),
        )
        with ExitStack() as patches:
            for owner, name, around in places:
                patches.enter_context(mock.patch.object(owner, name, around(getattr(owner, name))))
            yield

    def _around_record(self, record: Callable[..., None]) -> Callable[..., None]:
        def thrown(turn: Turn, entry: events.Entry) -> None:
            self.may_throw(THROWS[0])
            record(turn, entry)
            self.may_throw(THROWS[1])

        return thrown

    def _after(self, work: Callable[..., Any], kind: str) -> Callable[..., Any]:
        def thrown(*arguments: Any) -> Any:
            result = work(*arguments)
            self.may_throw(kind)
            return result

        return thrown

    def _before_replay(self, apply: Callable[..., Any]) -> Callable[..., Any]:
        async def thrown(recovery: Recovery, state: State, execution: Any, message: Any) -> None:
            if execution in state.executions:  # without its first event hardly anything is known of one
                self.may_throw(THROWS[4])
            await apply(recovery, state, execution, message)

        return thrown


class BuggyObserver:
    """An observer of the engine that throws."""

    def __init__(self, bugs: Bugs) -> None:
        self._bugs = bugs

    def rebuilt(self, state: State) -> None:
        self._bugs.may_throw(THROWS[5])

    def committed(self, state: State, entries: Sequence[events.Entry]) -> None:
        self._bugs.may_throw(THROWS[5])

    def is_settled(self, plan_id: str) -> bool:
        return True
