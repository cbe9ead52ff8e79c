"""The table of events: one row for each kind, whole on both sides."""

from __future__ import annotations

import pytest

from runner_svc.codec.journal.entries import KINDS, entry_from_proto, event_to_proto
from runner_svc.core.model import events
from runner_svc.core.model.values import ExecutionId
from signoff.v1 import execution_pb2 as pb

RUN = ExecutionId("run")

_BASES = {"Event", "LeaseEnded", "LeaseResult", "LeaseFault"}
EVENTS = {name for name, kind in vars(events).items() if isinstance(kind, type) and issubclass(kind, events.Event)}


def test_each_event_of_the_core_and_each_event_of_the_contract_has_one_row() -> None:
    fields = [field.name for field in pb.Event.DESCRIPTOR.oneofs_by_name["kind"].fields]
    assert sorted(kind.field for kind in KINDS) == sorted(fields)
    assert {kind.event.__name__ for kind in KINDS} == EVENTS - _BASES
    assert len({kind.event for kind in KINDS}) == len(KINDS)


def test_an_event_and_its_message_have_the_same_name() -> None:
    assert [kind.event.__name__ for kind in KINDS] == [kind.message.DESCRIPTOR.name for kind in KINDS]


def test_an_event_without_fields_is_read_back() -> None:
    entry = events.Entry(RUN, 7, events.ExecutionSucceeded(at=1.5))
    assert entry_from_proto(RUN, event_to_proto(entry, None), None) == entry


def test_an_event_that_this_version_lacks_is_refused_with_its_place() -> None:
    with pytest.raises(KeyError, match="event 7 of run is of a kind this version lacks"):
        entry_from_proto(RUN, pb.Event(sequence=7), None)
