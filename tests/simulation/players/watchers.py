"""Watchers that follow an execution across broken streams and dead runners, and check that they miss nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio

from signoff.errors import SequenceAhead, Unavailable, WatcherTooSlow
from signoff.v1 import runner_pb2
from tests.simulation.judge.witness import Witness
from tests.simulation.nature.network import Way, broken
from tests.simulation.nature.weather import Weather
from tests.simulation.players.runner import Runner
from tests.simulation.scenario import Watch

PAUSE = 3.0  # seconds until a watcher whose stream has ended watches again


class Follower:
    """A watcher that resumes after the last sequence it saw."""

    def __init__(
        self, seed: str, watch: Watch, execution: str, weather: Weather, witness: Witness, runner: Callable[[], Runner]
    ) -> None:
        self.execution = execution
        self.events: list[Any] = []
        self.first: int | None = None  #: the sequence of its snapshot; 0: it saw everything
        self.patient = True  #: False: it reads as fast as it can
        self._watch = watch
        self._chance = random.Random(seed)
        self._weather = weather
        self._witness = witness
        self._runner = runner
        self._tail: Way | None = None
        self._whole = runner_pb2.SnapshotPart()  #: the parts of a snapshot that have come
        if not watch.snapshot:
            self.first = 0

    @property
    def seen(self) -> int:
        """Returns the last sequence it has seen."""
        return self.events[-1].sequence if self.events else self.first or 0

    def break_off(self) -> None:
        if self._tail is not None:
            self._tail.cut(broken("the line broke"))

    async def follow(self) -> None:
        """Watches for ever. Raises AssertionError for an event that is missing, or comes twice."""
        while True:
            try:
                await self._listen()
            except (grpc.aio.AioRpcError, Unavailable, WatcherTooSlow):
                pass
            except SequenceAhead as ahead:
                raise AssertionError(f"it has seen what is not in the journal: {ahead}") from None
            await asyncio.sleep(PAUSE)

    async def _listen(self) -> None:
        runner = self._runner()
        if not runner.serves:
            return
        self._tail = tail = Way(self._chance, self._weather)
        self._whole = runner_pb2.SnapshotPart()
        serving = runner.watch(self._request(), tail)
        try:
            while (answer := await tail.read()) is not grpc.aio.EOF:
                self._take(answer)
                if self.patient and self._watch.pace:
                    await asyncio.sleep(self._chance.uniform(0, self._watch.pace))
        finally:
            serving.cancel()

    def _request(self) -> runner_pb2.WatchExecutionRequest:
        ref = runner_pb2.ExecutionRef(execution_id=self.execution)
        request = runner_pb2.WatchExecutionRequest(ref=ref, follow=True, thinking=self._chance.random() < 0.5)
        if self.first is not None:
            request.after_sequence = self.seen
        return request

    def _take(self, answer: runner_pb2.WatchExecutionResponse) -> None:
        if answer.HasField("snapshot"):
            assert self.first is None, "it asked for what comes after a sequence, and got a snapshot"
            self._part(answer.snapshot)
        for event in answer.events.events:
            assert event.sequence == self.seen + 1, f"after event {self.seen} came {event.sequence}"
            self.events.append(event)

    def _part(self, part: runner_pb2.SnapshotPart) -> None:
        """Adds a part to the snapshot, which counts when it is whole."""
        self._whole.MergeFrom(part)
        if part.last:
            self._witness.snapshot(self._whole)
            self.first = part.execution.sequence

    def check(self) -> None:
        """Checks that it has seen exactly the journal's events after its snapshot, as they are in the store."""
        expected = self._witness.rows_of(self.execution)[self.first or 0 :]
        assert [event.SerializeToString() for event in self.events] == expected

    def has_seen_all(self) -> bool:
        return self.first is not None and self.seen == len(self._witness.rows_of(self.execution))
