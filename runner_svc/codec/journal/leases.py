"""Work that is given out to a worker, and work that ends without a result."""

from __future__ import annotations

from runner_svc.codec.journal.kind import AnyKind, Kind
from runner_svc.codec.outages import outage_from_proto, outage_to_proto
from runner_svc.codec.times import duration, optional_seconds, seconds_of, timestamp
from runner_svc.core.model import events
from runner_svc.core.model.values import FailureKind, LeaseId, Phase, WorkerName
from signoff.v1 import execution_pb2 as pb

KINDS: tuple[AnyKind, ...] = (
    Kind(
        events.TaskAssigned,
        pb.TaskAssigned,
        lambda e, _: pb.TaskAssigned(
            lease_id=e.lease,
            attempt=e.attempt,
            phase=pb.Phase.ValueType(e.phase),
            worker=e.worker,
            canary=e.canary,
            model=e.model,
        ),
        lambda m, _, head: events.TaskAssigned(
            lease=LeaseId(m.lease_id),
            attempt=m.attempt,
            phase=Phase(m.phase),
            worker=WorkerName(m.worker),
            canary=m.canary,
            model=m.model if m.HasField("model") else None,
            **head,
        ),
    ),
    Kind(
        events.LeaseLost,
        pb.LeaseLost,
        lambda e, _: pb.LeaseLost(
            lease_id=e.lease,
            attempt=e.attempt,
            phase=pb.Phase.ValueType(e.phase),
            reason=e.reason,
            input_digest=e.input_digest,
        ),
        lambda m, _, head: events.LeaseLost(
            lease=LeaseId(m.lease_id),
            attempt=m.attempt,
            phase=Phase(m.phase),
            reason=m.reason,
            input_digest=m.input_digest,
            **head,
        ),
    ),
    Kind(
        events.LeaseReturned,
        pb.LeaseReturned,
        lambda e, _: pb.LeaseReturned(
            lease_id=e.lease,
            attempt=e.attempt,
            phase=pb.Phase.ValueType(e.phase),
            reason=e.reason,
            input_digest=e.input_digest,
        ),
        lambda m, _, head: events.LeaseReturned(
            lease=LeaseId(m.lease_id),
            attempt=m.attempt,
            phase=Phase(m.phase),
            reason=m.reason,
            input_digest=m.input_digest,
            **head,
        ),
    ),
    Kind(
        events.AttemptFailed,
        pb.AttemptFailed,
        lambda e, _: pb.AttemptFailed(
            lease_id=e.lease,
            attempt=e.attempt,
            kind=pb.FailureKind.ValueType(e.kind),
            message=e.message,
            retry_after=duration(e.retry_after) if e.retry_after is not None else None,
            fingerprint=e.fingerprint,
            model=e.model,
            input_digest=e.input_digest,
        ),
        lambda m, _, head: events.AttemptFailed(
            lease=LeaseId(m.lease_id),
            attempt=m.attempt,
            kind=FailureKind(m.kind),
            message=m.message,
            retry_after=optional_seconds(m, "retry_after"),
            fingerprint=m.fingerprint,
            model=m.model,
            input_digest=m.input_digest,
            **head,
        ),
    ),
    Kind(
        events.JudgeFailed,
        pb.JudgeFailed,
        lambda e, _: pb.JudgeFailed(
            lease_id=e.lease, attempt=e.attempt, message=e.message, retry_at=timestamp(e.retry_at)
        ),
        lambda m, _, head: events.JudgeFailed(
            lease=LeaseId(m.lease_id), attempt=m.attempt, message=m.message, retry_at=seconds_of(m.retry_at), **head
        ),
    ),
    Kind(
        events.OutageMet,
        pb.OutageMet,
        lambda e, _: pb.OutageMet(
            lease_id=e.lease,
            attempt=e.attempt,
            phase=pb.Phase.ValueType(e.phase),
            kind=pb.FailureKind.ValueType(e.kind),
            outage=outage_to_proto(e.away),
        ),
        lambda m, _, head: events.OutageMet(
            lease=LeaseId(m.lease_id),
            attempt=m.attempt,
            phase=Phase(m.phase),
            kind=FailureKind(m.kind),
            away=outage_from_proto(m.outage),
            **head,
        ),
    ),
)
