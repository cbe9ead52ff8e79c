"""Crash points: named places between decide, append, publish and act at which a runner may die, and traps for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from runner_svc.committer import Performer
from runner_svc.core.decide.turn import State
from runner_svc.core.model import commands, events
from runner_svc.core.model.values import ExecutionId, SessionId
from runner_svc.publish.feed import Feed
from signoff.errors import SignoffError
from signoff.v1 import execution_pb2

#: In the order a turn passes them; the last two are of a start.
POINTS = (
    "before append",
    "append lost",
    "append durable",
    "before publish",
    "after publish",
    "between observers",
    "before acting",
    "amid acting",
    "before answering",
    "after answering",
    "checkpoint lost",
    "checkpoint durable",
    "while replaying",
    "after rebuilding",
)


#: Those of a candidate's files, before it comes.
FILE_POINTS = ("before staging", "staging durable", "object durable")


class Killed(BaseException):
    """SIGKILL in the middle of a callback; no code may catch it."""


class Trap:
    """A trap that kills the runner at the next point that it is set for."""

    def __init__(self, kill: Callable[[float], None]) -> None:
        self._kill = kill
        self._set: dict[str, float] = {}
        self.sprung: Counter[str] = Counter()

    def set(self, point: str, down: float) -> None:
        """Sets the trap: the runner dies at the point, and is started again `down` seconds later."""
        assert point in (*POINTS, *FILE_POINTS), point
        self._set[point] = down

    def clear(self) -> None:
        self._set.clear()

    def springs(self, point: str) -> bool:
        """Passes a point; tells whether the runner is dead now."""
        down = self._set.pop(point, None)
        if down is None:
            return False
        self.sprung[point] += 1
        self._kill(down)
        return True

    def pass_by(self, point: str) -> None:
        """Passes a point in a callback, which cannot wait for ever: raises Killed when the runner is dead."""
        if self.springs(point):
            raise Killed(point)


class TrappedFeed(Feed):
    """The feed, with crash points around each publication."""

    def __init__(self, trap: Trap, queue_limit: int) -> None:
        super().__init__(queue_limit)
        self._trap = trap

    def publish(self, recorded: Mapping[ExecutionId, Sequence[execution_pb2.Event]]) -> None:
        self._trap.pass_by("before publish")
        super().publish(recorded)
        self._trap.pass_by("after publish")


class TrappedPerformer:
    """A performer, with crash points around each command."""

    def __init__(self, trap: Trap, performer: Performer) -> None:
        self._trap = trap
        self._performer = performer

    def perform(self, orders: Sequence[commands.Command]) -> None:
        self._trap.pass_by("before acting")
        half = len(orders) // 2
        self._performer.perform(orders[:half])
        if orders:
            self._trap.pass_by("amid acting")
        self._performer.perform(orders[half:])
        self._trap.pass_by("before answering")

    def end_session(self, session: SessionId, error: SignoffError) -> None:
        self._performer.end_session(session, error)

    def disconnect_all(self, reason: str) -> None:
        self._performer.disconnect_all(reason)


class TrappedObserver:
    """An observer that is a crash point between two others."""

    def __init__(self, trap: Trap) -> None:
        self._trap = trap

    def rebuilt(self, state: State) -> None:
        self._trap.pass_by("after rebuilding")

    def committed(self, state: State, entries: Sequence[events.Entry]) -> None:
        self._trap.pass_by("between observers")

    def is_settled(self, plan_id: str) -> bool:
        return True
