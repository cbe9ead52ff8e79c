"""Decisions of the runner about a task: retries, rollbacks, the end of a task, an artifact that is kept."""

from __future__ import annotations

from runner_svc.codec.journal.kind import AnyKind, Head, Kind
from runner_svc.codec.times import seconds_of, timestamp
from runner_svc.core.model import events
from runner_svc.core.model.map import Map
from signoff.v1 import execution_pb2 as pb


def _rolled_back_to_proto(event: events.TaskRolledBack, plan: Map | None) -> pb.TaskRolledBack:
    assert plan is not None
    return pb.TaskRolledBack(cause_task_id=plan.task_ids[event.cause], make_anew=event.make_anew)


def _rolled_back_from_proto(message: pb.TaskRolledBack, plan: Map | None, head: Head) -> events.TaskRolledBack:
    assert plan is not None
    return events.TaskRolledBack(cause=plan.numbers[message.cause_task_id], make_anew=message.make_anew, **head)


KINDS: tuple[AnyKind, ...] = (
    Kind(
        events.RetryScheduled,
        pb.RetryScheduled,
        lambda e, _: pb.RetryScheduled(retry_at=timestamp(e.retry_at)),
        lambda m, _, head: events.RetryScheduled(retry_at=seconds_of(m.retry_at), **head),
    ),
    Kind(events.TaskRolledBack, pb.TaskRolledBack, _rolled_back_to_proto, _rolled_back_from_proto),
    Kind(
        events.TaskFailed,
        pb.TaskFailed,
        lambda e, _: pb.TaskFailed(reason=e.reason),
        lambda m, _, head: events.TaskFailed(reason=m.reason, **head),
    ),
    Kind(
        events.TaskRetried,
        pb.TaskRetried,
        lambda e, _: pb.TaskRetried(request_id=e.request_id),
        lambda m, _, head: events.TaskRetried(request_id=m.request_id, **head),
    ),
    Kind(
        events.ArtifactKept,
        pb.ArtifactKept,
        lambda e, _: pb.ArtifactKept(attempt=e.attempt),
        lambda m, _, head: events.ArtifactKept(attempt=m.attempt, **head),
    ),
)
