"""An execution of a real runner that a test watches from its first event on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from signoff.client.client import Client
from signoff.client.values import by_execution
from signoff.v1 import execution_pb2

WITHIN = 60.0  # seconds for an execution to make progress

Events = Sequence[execution_pb2.Event]


@dataclass(slots=True)
class WatchedExecution:
    """An execution, and the events that its watcher has received."""

    execution_id: str
    events: list[execution_pb2.Event] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    watching: asyncio.Task[None] | None = None

    async def until(self, holds: Callable[[Events], bool], what: str, within: float = WITHIN) -> None:
        try:
            async with asyncio.timeout(within), self.changed:
                await self.changed.wait_for(lambda: holds(self.events))
        except TimeoutError:
            raise AssertionError(f"expected within {within:g} s: {what}; the last: {self.events[-3:]}") from None

    async def reaches(self, kind: str, times: int = 1, within: float = WITHIN) -> None:
        """Returns when `times` events of a kind have come."""
        await self.until(lambda _: len(self.of(kind)) >= times, f"{times} {kind} in {self.execution_id}", within)

    def of(self, kind: str) -> list[execution_pb2.Event]:
        return [event for event in self.events if event.WhichOneof("kind") == kind]

    def leases_of(self, kind: str) -> set[str]:
        """Returns the leases that events of a kind are about."""
        return {getattr(event, kind).lease_id for event in self.of(kind)}

    async def watch(self, client: Client) -> None:
        """Receives every event, from the first to the last."""
        async for message in client.watch(by_execution(self.execution_id), after=0):
            assert isinstance(message, execution_pb2.Event)
            async with self.changed:
                self.events.append(message)
                self.changed.notify_all()


def reasons_of(kind: str, followed: Iterable[WatchedExecution]) -> dict[str, str]:
    """Returns the reasons why leases ended, by lease: `kind` is lease_lost or lease_returned."""
    ended = [getattr(event, kind) for one in followed for event in one.of(kind)]
    return {lease.lease_id: lease.reason for lease in ended}


def leases_of(kind: str, followed: Iterable[WatchedExecution]) -> set[str]:
    """Returns the leases that events of a kind are about, in all of these executions."""
    return {lease for one in followed for lease in one.leases_of(kind)}
