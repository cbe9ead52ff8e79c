"""A row of the table of events: the event's class, its message, and the way from one to the other and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypedDict, TypeVar

from google.protobuf.message import Message

from runner_svc.core.model.events import Event
from runner_svc.core.model.map import Map
from signoff.v1 import execution_pb2 as pb

E = TypeVar("E", bound=Event)
M = TypeVar("M", bound=Message)

_FIELDS: dict[object, str] = {
    field.message_type: field.name for field in pb.Event.DESCRIPTOR.oneofs_by_name["kind"].fields
}


class Head(TypedDict):
    """The fields that every event has."""

    at: float
    task: int


@dataclass(frozen=True, slots=True)
class Kind(Generic[E, M]):
    """A kind of event. `plan` is the execution's map, and None for an event of the runner itself."""

    event: type[E]
    message: type[M]
    to_proto: Callable[[E, Map | None], M]
    from_proto: Callable[[M, Map | None, Head], E]

    @property
    def field(self) -> str:
        """Returns the name of the field of signoff.v1.Event that carries the message."""
        return _FIELDS[self.message.DESCRIPTOR]


AnyKind = Kind[Any, Any]
