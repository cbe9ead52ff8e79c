"""The events of one task, read from the journal of its execution, also when that has ended long ago."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from runner_svc.codec.journal.rows import RowDamaged, event_of
from runner_svc.core.model.values import ExecutionId
from runner_svc.store.port import Row, Store
from signoff.errors import ExecutionNotFound, ExecutionQuarantined
from signoff.v1 import execution_pb2 as pb

ROWS_AT_ONCE = 1_000  # rows of a page: those of other tasks are passed over unparsed, in a millisecond


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalOfTask:
    """A task's part of a journal, up to a sequence."""

    execution: ExecutionId
    sequence: int
    task_id: str


async def events_of(store: Store, wanted: JournalOfTask) -> AsyncIterator[pb.Event]:
    """Yields the events of the task, in order. One page of the journal at a time is in memory."""
    async for row in _rows(store, wanted):
        event = readable(row)
        if event.task_id == wanted.task_id:
            yield event


def readable(row: Row) -> pb.Event:
    """Returns the event of a row. Raises ExecutionQuarantined for a damaged one, as a start would take it."""
    try:
        return event_of(row)
    except RowDamaged as damaged:
        raise ExecutionQuarantined(f"the journal of execution {row.journal} could not be read: {damaged}") from None


def check_is_there(rows: Sequence[Row], execution: ExecutionId) -> None:
    """Raises ExecutionNotFound when a journal has gone while it was read."""
    if not rows:
        raise ExecutionNotFound(f"expected the journal of {execution} to be there, but it was pruned while it was read")


async def _rows(store: Store, wanted: JournalOfTask) -> AsyncIterator[Row]:
    """Yields the rows that may be about the task: those that contain its id as a serialized field, or are damaged."""
    needle, read = pb.Event(task_id=wanted.task_id).SerializeToString(), 0
    while read < wanted.sequence:
        rows = await store.read(wanted.execution, read, min(ROWS_AT_ONCE, wanted.sequence - read))
        check_is_there(rows, wanted.execution)
        for row in rows:
            # guard: no damaged row is passed over -> if needle in row.body:
            if needle in row.body or not row.body.startswith(pb.Event(sequence=row.sequence).SerializeToString()):
                yield row
        read = rows[-1].sequence
