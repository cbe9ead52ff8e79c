"""Entries of the journal as messages and back."""

from __future__ import annotations

import functools

from google.protobuf.timestamp_pb2 import Timestamp

from runner_svc.codec.journal import executions, leases, results, reused, tasks
from runner_svc.codec.journal.kind import Head
from runner_svc.codec.shown import bound_created
from runner_svc.codec.times import seconds_of, timestamp
from runner_svc.core.model import events
from runner_svc.core.model.map import Map
from runner_svc.core.model.values import NO_TASK, ExecutionId
from signoff.rpc.frames import RUN_BYTES
from signoff.v1 import execution_pb2 as pb

KINDS = (*executions.KINDS, *leases.KINDS, *results.KINDS, *reused.KINDS, *tasks.KINDS)

_TO_PROTO = {kind.event: (kind.field, kind.to_proto) for kind in KINDS}
_FROM_PROTO = {kind.field: kind.from_proto for kind in KINDS}


def event_to_proto(entry: events.Entry, plan: Map | None) -> pb.Event:
    """Returns an entry's message. `plan` is None in the runner's own journal, whose events are about no task."""
    event = entry.event
    task_id = plan.task_ids[event.task] if plan is not None and event.task != NO_TASK else ""
    field, to_proto = _TO_PROTO[type(event)]
    # Copied in: a message that is handed to the constructor takes longer.
    message = pb.Event(sequence=entry.sequence, task_id=task_id)
    message.at.CopyFrom(_at(event.at))
    getattr(message, field).CopyFrom(to_proto(event, plan))
    return message


@functools.lru_cache(maxsize=64)
def _at(seconds: float) -> Timestamp:
    """Returns the time of an event. Events of a turn share it: a message keeps a copy."""
    return timestamp(seconds)


def entry_from_proto(execution: ExecutionId, message: pb.Event, plan: Map | None) -> events.Entry:
    """Returns a message's entry.

    Raises KeyError for a task or a kind of event that this version does not know: the journal is from a newer one.
    """
    kind = message.WhichOneof("kind")
    if kind is None:
        raise KeyError(f"event {message.sequence} of {execution or 'the runner'} is of a kind this version lacks")
    task = plan.numbers[message.task_id] if plan is not None and message.task_id else NO_TASK
    head = Head(at=seconds_of(message.at), task=task)
    event: events.Event = _FROM_PROTO[kind](getattr(message, kind), plan, head)
    return events.Entry(execution, message.sequence, event)


def event_for_watchers(event: pb.Event) -> pb.Event:
    """Returns an event as its watchers receive it: as it is stored, with two exceptions.

    The number of a canary that is given out is left out, because a validator may watch too. It learns that it judged a
    canary with its verdict, in CanaryJudged. The creation of an execution that no message may hold is shown in part.
    """
    # guard: watchers are told of canaries with their verdict -> is_secret = False
    is_secret = event.task_assigned.canary != 0
    # guard: a large creation is shown in part -> is_large = False
    is_large = event.HasField("execution_created") and event.ByteSize() > RUN_BYTES
    if not is_secret and not is_large:
        return event
    shown = pb.Event()
    shown.CopyFrom(event)
    if is_large:
        bound_created(shown.execution_created)
    else:
        shown.task_assigned.ClearField("canary")
    return shown
