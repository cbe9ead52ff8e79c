"""Rows of the journal as messages. A disk or a person may have changed their bytes: each is checked when it is read."""

from __future__ import annotations

from typing import Protocol

from google.protobuf.message import DecodeError

from signoff.v1 import execution_pb2 as pb


class RowDamaged(Exception):
    """The bytes of a row are not the event that belongs there."""


class JournalRow(Protocol):
    """A row as every store returns it."""

    @property
    def journal(self) -> str: ...

    @property
    def sequence(self) -> int: ...

    @property
    def body(self) -> bytes: ...


def event_of(row: JournalRow) -> pb.Event:
    """Returns the event of a row. Raises RowDamaged for bytes that are no event, or the one of another row."""
    where = f"event {row.sequence} of {row.journal or 'the runner'}"
    try:
        event = pb.Event.FromString(row.body)
    except DecodeError:
        raise RowDamaged(f"expected {where}, but the bytes of its row are no event") from None
    # guard: a row is the event of its place -> if False:
    if event.sequence != row.sequence:  # no bytes at all are an event, too, of sequence 0
        raise RowDamaged(f"expected {where}, but its row has an event with the sequence {event.sequence}")
    return event
