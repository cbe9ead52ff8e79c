"""The witness of a world: follows its journal, and raises when a promise is broken.

It checks after every turn of the engine:

- The fold of the rows in the store, read back one by one, equals the live state. It is kept beside the live one, so
  that a turn costs what its own rows cost; at the end the whole journal is folded anew.
- The invariants of tests/support/invariants.py, for the executions that have new rows; for all of them every
  `EVERYTHING_EVERY` turns, at a rebuild and at the end.
- Each row by itself, by an oracle (ledger.Ledger) that knows only the rows before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from runner_svc.codec.journal.entries import entry_from_proto
from runner_svc.core.decide.turn import State
from runner_svc.core.fleet.timings import ModelTables, StreamTimings
from runner_svc.core.model import events
from runner_svc.core.model.map import Map
from runner_svc.core.model.values import RUNNER, Content, ExecutionId, LeaseId
from runner_svc.store.port import Row
from signoff.manifest.manifest import is_manifest, manifest_from_json
from signoff.v1 import execution_pb2, worker_pb2
from tests.simulation.judge.ledger import Ledger
from tests.simulation.nature.disk import SharedStore
from tests.support import invariants

EVERYTHING_EVERY = 50  # turns
_NAMES_CONTENTS = (events.CandidateStored, events.CandidateReused, events.ArtifactReused, events.OrphanAdopted)


class Witness:
    """An observer of the engine, over the store that all runners of a world share."""

    def __init__(self, store: SharedStore, plans: Sequence[Map], *, lossy: bool = False) -> None:
        """`plans`: the editions of the plan. `lossy`: single messages may be lost, which no transport does."""
        self.folded = State(StreamTimings(), ModelTables())  #: what the rows in the store say
        self.history: list[events.Entry] = []  #: the same as entries
        self.leases: dict[str, str] = {}  #: the worker of every lease that a worker received
        self.bugs: list[Exception] = []  #: errors that clients would see as INTERNAL
        self._store = store
        self._plan = plans[0]  # by which events are read: all editions have the same tasks
        self.broke: Callable[[AssertionError], None] = lambda _broken: None  #: hears of the first broken promise
        self._broken: AssertionError | None = None
        self._ledger = Ledger(plans, lossy=lossy)
        self._known: set[str] = set()  # digests of contents whose bytes were looked at
        self._turns = 0
        self._checked: dict[ExecutionId, int] = {}  # the sequence at the last look
        self.folded.maps.update((plan.key, plan) for plan in plans)

    # ------------------------------------------------------------ the engine's observer

    def rebuilt(self, state: State) -> None:
        """Hears that the engine has read the journal anew."""
        with self._telling():
            self._fold()
            self._compare(state, state.executions)

    def committed(self, state: State, entries: Sequence[events.Entry]) -> None:
        """Checks that the engine's entries are those in the store."""
        with self._telling():
            assert self._fold() == list(entries)

    def is_settled(self, plan_id: str) -> bool:
        return True

    def blame(self, bug: Exception) -> None:
        """Keeps an error that no handler may raise."""
        self.bugs.append(bug)

    # ------------------------------------------------------------ looking

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Tells the world of a broken promise: the engine survives it as it survives every bug, and would go on."""
        try:
            yield
        except AssertionError as broken:
            self._broken = self._broken or broken
            self.broke(broken)
            raise

    def look(self, state: State, at: float) -> None:
        """Checks every promise after a turn."""
        with self._telling():
            self._look(state, at)

    def _look(self, state: State, at: float) -> None:
        if self.bugs:
            raise self.bugs[0]
        self._fold()
        self._turns += 1
        if self._turns % EVERYTHING_EVERY == 0:
            self._checked.clear()
        changed = [name for name, found in state.executions.items() if self._checked.get(name) != found.sequence]
        invariants.check_state(state, at, changed)
        for session in state.roster.sessions.values():
            most = 2 * session.slots  # what eager workers grant; the window may have been lowered since
            assert len(session.leases) <= most, f"{session.worker} was given more than it ever granted"
        self._compare(state, changed)
        self._checked.update((name, state.executions[name].sequence) for name in changed)

    def look_back(self, state: State, at: float) -> None:
        """Checks everything at the end, with the whole journal folded anew."""
        self._checked.clear()
        self.look(state, at)
        for entry in self.history:
            if isinstance(entry.event, _NAMES_CONTENTS):
                self._check_content(entry.event.content)
        self._ledger.end()
        invariants.check_history(state, self.history, self.folded.maps)

    def _fold(self) -> list[events.Entry]:
        """Folds the new rows of the store. A row that breaks a promise is told again: what follows from it is not."""
        if self._broken is not None:
            raise self._broken
        with self._telling():
            new = [self._entry(row) for row in self._store.rows[len(self.history) :]]
            for entry in new:
                self._ledger.enter(entry)
                self.folded.apply(entry)
        self.history += new
        return new

    def _entry(self, row: Row) -> events.Entry:
        message = execution_pb2.Event.FromString(row.body)
        entry = entry_from_proto(ExecutionId(row.journal), message, None if row.journal == RUNNER else self._plan)
        self._ledger.read(row.body, entry.event)
        if isinstance(entry.event, _NAMES_CONTENTS):
            self._check_content(entry.event.content)
        return entry

    def _check_content(self, content: Content) -> None:
        """Checks that a content, with all of its files, is there for good."""
        body = self._check_bytes(content.digest)
        if is_manifest(content.media_type):
            for file in manifest_from_json(body).files:
                assert len(self._check_bytes(file.digest)) == file.size

    def _check_bytes(self, digest: str) -> bytes:
        body = self._store.bytes_of(digest)
        assert body is not None, f"the journal speaks of {digest}, and it is not there for good"
        if digest not in self._known:
            assert hashlib.sha256(body).hexdigest() == digest
            self._known.add(digest)
        return body

    def _compare(self, state: State, changed: Sequence[ExecutionId] | dict[ExecutionId, Any]) -> None:
        folded = self.folded
        assert len(state.requests) == len(folded.requests)
        assert state.layouts == folded.layouts
        assert len(state.executions) + len(state.archived) + len(state.quarantined) == len(folded.executions)
        for name in changed:
            live, again = invariants.durable(state.executions[name]), invariants.durable(folded.executions[name])
            differing = {part: (value, live[part]) for part, value in again.items() if value != live[part]}
            assert not differing, f"replayed and live differ: {differing}"
        for name, overview in state.archived.items():
            assert overview == folded.executions[name].overview()

    # ------------------------------------------------------------ what others were told

    def said(self, lease: str, tokens: int) -> None:
        """Takes a worker's report of usage so far; the worker may die before it is sent."""
        self._ledger.said[LeaseId(lease)].append(tokens)

    def heard(self, worker: str, frame: worker_pb2.ConnectResponse) -> None:
        """Checks that a lease belongs to one worker, and that an acknowledged result is durable."""
        for message in frame.messages:
            kind = message.WhichOneof("kind")
            if kind == "assign":
                assert self.leases.setdefault(message.assign.lease_id, worker) == worker
                self._fold()
                self._ledger.tries.heard(message.assign)
            elif kind == "ack" and not self._is_settled(LeaseId(message.ack.lease_id)):
                raise AssertionError(f"{message.ack.lease_id} was acknowledged, but nothing is in the journal")

    def _is_settled(self, lease: LeaseId) -> bool:
        self._fold()
        return lease in self._ledger.settled

    def accepted(self, request_id: str) -> None:
        """Checks that an answered command is durable."""
        self._fold()
        assert not request_id or request_id in self.folded.requests, f"{request_id} was answered, and is nowhere"

    def snapshot(self, part: Any) -> None:
        """Checks that a snapshot is what the journal said at its sequence."""
        self._fold()
        shown = part.execution
        state = State(StreamTimings(), ModelTables())
        state.maps.update(self.folded.maps)
        for entry in self.history:
            if entry.execution == shown.execution_id and entry.sequence <= shown.sequence:
                state.apply(entry)
        execution = state.executions[ExecutionId(shown.execution_id)]
        state_shown = execution.state if shown.state == execution_pb2.EXECUTION_STATE_QUARANTINED else shown.state
        assert (execution.sequence, execution.state) == (shown.sequence, state_shown)
        for task in part.tasks:
            number = execution.map.numbers[task.task_id]
            record = execution.record(number)
            assert (task.status, task.attempt) == (execution.status[number], record.attempt)
            assert task.artifact.digest == (record.artifact.digest if record.artifact else "")

    def rows_of(self, execution: str) -> list[bytes]:
        """Returns the events of an execution as watchers must have received them, without canaries that are out."""
        rows = [execution_pb2.Event.FromString(row.body) for row in self._store.rows if row.journal == execution]
        for event in rows:
            if event.task_assigned.canary:
                event.task_assigned.ClearField("canary")
        return [event.SerializeToString() for event in rows]
