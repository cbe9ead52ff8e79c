"""Whoever looks over the shoulder of a world: keeps its history, and says when a promise is broken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runner_svc.codec.journal import entry_from_proto
from runner_svc.core import events as e
from runner_svc.core.plan import Map
from runner_svc.core.turn import State
from runner_svc.core.values import ExecutionId
from runner_svc.store.memory import MemoryStore
from signoff.v1 import execution_pb2, worker_pb2
from tests.support import invariants

HISTORY_EVERY = 25  # turns: looking at the whole of it takes long

_RESULTS = (e.CandidateStored, e.AttemptFailed, e.VerdictPassed, e.VerdictFailed, e.JudgeFailed)


class Witness:
    """Implements the engine's Observer, over the store that all runners of a world share."""

    def __init__(self, store: MemoryStore, plan: Map) -> None:
        self.history: list[e.Entry] = []  #: what was committed, as the runners told it
        self._store = store
        self._plan = plan
        self._turns = 0
        self._settled: set[str] = set()  # leases whose results are in the journal
        self._rows_seen = 0

    def rebuilt(self, state: State) -> None:
        """The engine has read the journal anew; so does the history."""
        self.history = self.journal()

    def committed(self, state: State, entries: Sequence[e.Entry]) -> None:
        self.history += entries

    def journal(self, after: int = 0) -> list[e.Entry]:
        """What is in the store, from a row on."""
        entries = []
        for row in self._store.rows[after:]:
            message = execution_pb2.Event.FromString(row.body)
            entries.append(entry_from_proto(ExecutionId(row.journal), message, self._plan if row.journal else None))
        return entries

    def look(self, state: State, at: float) -> None:
        """Every promise, after every turn; the whole history now and then."""
        invariants.check_state(state, at)
        self._turns += 1
        if self._turns % HISTORY_EVERY == 0:
            invariants.check_history(state, self.history)

    def look_back(self, state: State) -> None:
        """At the end: the history holds, and is what the store has."""
        invariants.check_history(state, self.history)
        assert self.journal() == self.history

    def heard(self, frame: Any) -> None:
        """What a worker is told is durable must be durable."""
        if not isinstance(frame, worker_pb2.ConnectResponse):
            return
        for message in frame.messages:
            if message.WhichOneof("kind") == "ack" and not self._is_settled(message.ack.lease_id):
                raise AssertionError(f"{message.ack.lease_id} was acknowledged, but nothing is in the journal")

    def _is_settled(self, lease: str) -> bool:
        self._settled.update(
            entry.event.lease for entry in self.journal(self._rows_seen) if isinstance(entry.event, _RESULTS)
        )
        self._rows_seen = len(self._store.rows)
        return lease in self._settled
