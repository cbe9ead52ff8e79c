"""Checks of a runner's journal after any fault, read from the database itself.

The journal is read row by row and compared with the plans, with the events that watchers received, with the
acknowledgements that workers received, and with the invariants of the machine.
"""

from __future__ import annotations

import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from runner_svc.codec.journal.entries import entry_from_proto
from runner_svc.codec.maps import map_from_parts
from runner_svc.core.decide.turn import State
from runner_svc.core.model import events
from runner_svc.core.model.map import Map, map_key
from runner_svc.core.model.states import ExecutionState
from runner_svc.core.model.values import ExecutionId, LeaseId, Phase
from runner_svc.store.port import Row
from signoff.v1 import execution_pb2, plan_pb2
from tests.support import invariants
from tests.support.values.plans import Plan

_RESULTS = (
    events.CandidateStored
    | events.AttemptFailed
    | events.VerdictPassed
    | events.VerdictFailed
    | events.JudgeFailed
    | events.OutageMet
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The rows that a runner has committed, in the order of the commits."""

    rows: Sequence[Row]
    entries: Sequence[events.Entry]
    maps: Mapping[str, Map]

    def of(self, execution: str) -> list[events.Entry]:
        return [entry for entry in self.entries if entry.execution == execution]


def sqlite_journal(path: Path) -> Journal:
    """Reads the journal of a copy of a runner's file; SQLite's other files must lie beside it."""
    with closing(sqlite3.connect(path)) as database:
        recorded = database.execute("SELECT journal, sequence, body FROM event ORDER BY position").fetchall()
        parts = database.execute("SELECT key, body FROM map_part ORDER BY key, part").fetchall()
    return _journal(recorded, parts)


async def postgres_journal(dsn: str) -> Journal:
    connection = await asyncpg.connect(dsn)
    try:
        recorded = await connection.fetch("SELECT journal, sequence, body FROM signoff.event ORDER BY position")
        parts = await connection.fetch("SELECT key, body FROM signoff.map_part ORDER BY key, part")
    finally:
        await connection.close()
    return _journal([tuple(row) for row in recorded], [tuple(row) for row in parts])


def _journal(recorded: Iterable[tuple[str, int, bytes]], parts: Iterable[tuple[str, bytes]]) -> Journal:
    bodies: defaultdict[str, list[plan_pb2.MapPart]] = defaultdict(list)
    for key, body in parts:
        bodies[key].append(plan_pb2.MapPart.FromString(body))
    maps = {key: map_from_parts(pieces) for key, pieces in bodies.items()}
    rows = [Row(*event) for event in recorded]
    return Journal(rows=rows, entries=_entries(rows, maps), maps=maps)


def _entries(rows: Sequence[Row], maps: Mapping[str, Map]) -> list[events.Entry]:
    plans: dict[str, Map] = {}
    entries = []
    for row in rows:
        message = execution_pb2.Event.FromString(row.body)
        if message.WhichOneof("kind") == "execution_created":
            created = message.execution_created
            plans[row.journal] = maps[map_key(created.plan_id, created.map_digest)]
        entries.append(entry_from_proto(ExecutionId(row.journal), message, plans.get(row.journal)))
    return entries


# ---------------------------------------------------------------- checks


def check(
    journal: Journal,
    plans: Mapping[str, Plan],
    *,
    received: Mapping[str, Sequence[execution_pb2.Event]],
    acknowledged: Iterable[str],
) -> State:
    """Raises AssertionError for the first broken promise; returns the state that the journal gives.

    `plans`: the plans of the executions, by plan id. `received`: the events that a watcher of each execution received.
    `acknowledged`: the leases whose results the runner acknowledged.
    """
    _check_gaps(journal.rows)
    state = invariants.replayed(journal.entries, dict(journal.maps))
    invariants.check_history(state, journal.entries)
    invariants.check_state(state, time.time())
    for execution in state.executions.values():
        assert execution.state in (ExecutionState.SUCCEEDED, ExecutionState.FAILED), f"{execution.id} has not ended"
        _check_order(journal.of(execution.id), execution.map, plans[execution.map.plan_id])
    _check_results_under_leases(journal.entries)
    _check_received(journal.rows, received)
    _check_acknowledged(journal.entries, acknowledged)
    return state


def _check_gaps(rows: Sequence[Row]) -> None:
    sequences: defaultdict[str, list[int]] = defaultdict(list)
    for row in rows:
        sequences[row.journal].append(row.sequence)
    for journal, found in sequences.items():
        assert found == list(range(1, len(found) + 1)), f"the journal of {journal or 'the runner'} has gaps"


def _check_order(entries: Sequence[events.Entry], compiled: Map, plan: Plan) -> None:
    """Checks that no task started early, by the plan as it was written, not as it was compiled."""
    done: set[str] = set()
    for event in (entry.event for entry in entries if entry.event.task >= 0):
        task = compiled.task_ids[event.task]
        if isinstance(event, events.TaskAssigned) and event.phase is Phase.EXECUTE:
            missing = plan.before[task] - done
            assert not missing, f"{task} was assigned before {sorted(missing)} was done"
        elif isinstance(event, events.VerdictPassed | events.ArtifactKept | events.ArtifactReused):
            done.add(task)
        elif isinstance(event, events.TaskRolledBack | events.TaskRetried):
            done.discard(task)


def _check_results_under_leases(entries: Sequence[events.Entry]) -> None:
    """Checks that each result came under the last lease of its task, once, and before that lease ended."""
    held: dict[tuple[str, int], LeaseId | None] = {}
    for entry in entries:
        event, key = entry.event, (entry.execution, entry.event.task)
        if isinstance(event, events.TaskAssigned):
            assert held.get(key) is None, f"{event.lease} was given while {held[key]} was out"
            held[key] = event.lease
        elif isinstance(event, _RESULTS | events.LeaseLost | events.LeaseReturned):
            assert held.get(key) == event.lease, f"{event} came while {held.get(key)} was out"
            held[key] = None
    assert not [lease for lease in held.values() if lease is not None], "nothing is out in the end"


def _check_received(rows: Sequence[Row], received: Mapping[str, Sequence[execution_pb2.Event]]) -> None:
    """Checks that watchers received every event as it is in the journal, and no other.

    A watch ends with its execution; late results and their usage are in the journal afterwards.
    """
    for execution, recorded in received.items():
        bodies = [row.body for row in rows if row.journal == execution]
        late = [execution_pb2.Event.FromString(body).WhichOneof("kind") for body in bodies[len(recorded) :]]
        assert set(late) <= {"orphan_stored", "usage_recorded"}, f"the watcher of {execution} did not receive {late}"
        serialized = [event.SerializeToString() for event in recorded]
        assert serialized == bodies[: len(recorded)], f"the watcher of {execution} received other events"


def _check_acknowledged(entries: Sequence[events.Entry], acknowledged: Iterable[str]) -> None:
    settled = {str(entry.event.lease) for entry in entries if isinstance(entry.event, _RESULTS)}
    lost = set(acknowledged) - settled
    assert not lost, f"acknowledged, but not in the journal: {sorted(lost)}"
