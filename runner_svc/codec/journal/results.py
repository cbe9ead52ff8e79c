"""Results and reports of workers: candidates, verdicts, checkpoints, prompts and usage; and a person's verdict."""

from __future__ import annotations

from runner_svc.codec.criterion_results import results_from_proto, results_to_proto
from runner_svc.codec.files import files_from_proto, files_to_proto
from runner_svc.codec.journal.kind import AnyKind, Head, Kind
from runner_svc.codec.makers import maker_from_proto, maker_to_proto, makers_from_proto, makers_to_proto
from runner_svc.codec.unread import unread_from_proto, unread_to_proto
from runner_svc.codec.usage import change_from_proto, change_to_proto
from runner_svc.codec.verdicts import by_of_verdict, by_to_proto
from runner_svc.core.model import events
from runner_svc.core.model.map import Map
from runner_svc.core.model.values import Content, LeaseId, Outcome, Phase, WorkerName
from signoff.v1 import execution_pb2 as pb


def candidate_to_proto(content: Content, lease: str = "") -> pb.CandidateStored:
    """Returns a candidate as the journal has it; one that is reused came under no lease here."""
    return pb.CandidateStored(
        lease_id=lease,
        attempt=content.attempt,
        digest=content.digest,
        size_bytes=content.size,
        media_type=content.media_type,
        maker=content.maker,
        input_digest=content.input_digest,
        remark=content.remark,
        unread=unread_to_proto(content.unread),
        made_by=maker_to_proto(content.made_by),
        **files_to_proto(content.files),
    )


def candidate_from_proto(message: pb.CandidateStored) -> Content:
    return Content(
        digest=message.digest,
        size=message.size_bytes,
        media_type=message.media_type,
        attempt=message.attempt,
        maker=message.maker,
        input_digest=message.input_digest,
        remark=message.remark,
        unread=unread_from_proto(message.unread),
        made_by=maker_from_proto(message.made_by),
        files=files_from_proto(message),
    )


def _checkpoint_stored_to_proto(event: events.CheckpointStored, _: Map | None) -> pb.CheckpointStored:
    content = event.content
    return pb.CheckpointStored(
        lease_id=event.lease,
        attempt=content.attempt,
        digest=content.digest,
        size_bytes=content.size,
        input_digest=content.input_digest,
    )


def _checkpoint_stored_from_proto(message: pb.CheckpointStored, _: Map | None, head: Head) -> events.CheckpointStored:
    content = Content(
        digest=message.digest,
        size=message.size_bytes,
        media_type="",
        attempt=message.attempt,
        input_digest=message.input_digest,
    )
    return events.CheckpointStored(lease=LeaseId(message.lease_id), content=content, **head)


def _usage_recorded_to_proto(event: events.UsageRecorded, _: Map | None) -> pb.UsageRecorded:
    message = pb.UsageRecorded(
        lease_id=event.lease,
        attempt=event.attempt,
        phase=pb.Phase.ValueType(event.phase),
        worker=event.worker,
        model=event.model,
    )
    change_to_proto(event.usage, message)
    return message


KINDS: tuple[AnyKind, ...] = (
    Kind(
        events.CandidateStored,
        pb.CandidateStored,
        lambda e, _: candidate_to_proto(e.content, e.lease),
        lambda m, _, head: events.CandidateStored(lease=LeaseId(m.lease_id), content=candidate_from_proto(m), **head),
    ),
    Kind(events.CheckpointStored, pb.CheckpointStored, _checkpoint_stored_to_proto, _checkpoint_stored_from_proto),
    Kind(
        events.PromptKept,
        pb.PromptKept,
        lambda e, _: pb.PromptKept(
            lease_id=e.lease,
            attempt=e.attempt,
            phase=pb.Phase.ValueType(e.phase),
            digest=e.digest,
            size_bytes=e.size,
        ),
        lambda m, _, head: events.PromptKept(
            lease=LeaseId(m.lease_id),
            attempt=m.attempt,
            phase=Phase(m.phase),
            digest=m.digest,
            size=m.size_bytes,
            **head,
        ),
    ),
    Kind(
        events.VerdictPassed,
        pb.VerdictPassed,
        lambda e, _: pb.VerdictPassed(
            lease_id=e.lease,
            attempt=e.attempt,
            results=results_to_proto(e.results),
            request_id=e.request_id,
            by=by_to_proto(e.by),
            judged_by=makers_to_proto(e.judged_by),
        ),
        lambda m, _, head: events.VerdictPassed(
            lease=LeaseId(m.lease_id),
            attempt=m.attempt,
            results=results_from_proto(m.results),
            request_id=m.request_id,
            by=by_of_verdict(m),
            judged_by=makers_from_proto(m.judged_by),
            **head,
        ),
    ),
    Kind(
        events.VerdictFailed,
        pb.VerdictFailed,
        lambda e, _: pb.VerdictFailed(
            lease_id=e.lease,
            attempt=e.attempt,
            results=results_to_proto(e.results),
            feedback=e.feedback,
            retry_worthwhile=e.retry_worthwhile,
            request_id=e.request_id,
            by=by_to_proto(e.by),
        ),
        lambda m, _, head: events.VerdictFailed(
            lease=LeaseId(m.lease_id),
            attempt=m.attempt,
            results=results_from_proto(m.results),
            feedback=m.feedback,
            retry_worthwhile=m.retry_worthwhile,
            request_id=m.request_id,
            by=by_of_verdict(m),
            **head,
        ),
    ),
    Kind(
        events.PersonAsked,
        pb.PersonAsked,
        lambda e, _: pb.PersonAsked(
            lease_id=e.lease,
            attempt=e.attempt,
            results=results_to_proto(e.results),
            judged_by=makers_to_proto(e.judged_by),
        ),
        lambda m, _, head: events.PersonAsked(
            lease=LeaseId(m.lease_id),
            attempt=m.attempt,
            results=results_from_proto(m.results),
            judged_by=makers_from_proto(m.judged_by),
            **head,
        ),
    ),
    Kind(
        events.CanaryJudged,
        pb.CanaryJudged,
        lambda e, _: pb.CanaryJudged(
            lease_id=e.lease,
            canary=e.canary,
            good=e.good,
            outcome=pb.Outcome.ValueType(e.outcome),
            reason=e.reason,
            worker=e.worker,
            model=e.model,
            labels=dict(e.labels),
        ),
        lambda m, _, head: events.CanaryJudged(
            lease=LeaseId(m.lease_id),
            canary=m.canary,
            good=m.good,
            outcome=Outcome(m.outcome),
            reason=m.reason,
            worker=WorkerName(m.worker),
            model=m.model,
            labels=frozenset(m.labels.items()),
            **head,
        ),
    ),
    Kind(
        events.OrphanStored,
        pb.OrphanStored,
        lambda e, _: pb.OrphanStored(
            lease_id=e.lease, worker=e.worker, what=e.what, digest=e.digest, size_bytes=e.size
        ),
        lambda m, _, head: events.OrphanStored(
            lease=LeaseId(m.lease_id),
            worker=WorkerName(m.worker),
            what=m.what,
            digest=m.digest,
            size=m.size_bytes,
            **head,
        ),
    ),
    Kind(
        events.OrphanAdopted,
        pb.OrphanAdopted,
        lambda e, _: pb.OrphanAdopted(candidate=candidate_to_proto(e.content, e.lease), worker=e.worker),
        lambda m, _, head: events.OrphanAdopted(
            lease=LeaseId(m.candidate.lease_id),
            worker=WorkerName(m.worker),
            content=candidate_from_proto(m.candidate),
            **head,
        ),
    ),
    Kind(
        events.UsageRecorded,
        pb.UsageRecorded,
        _usage_recorded_to_proto,
        lambda m, _, head: events.UsageRecorded(
            lease=LeaseId(m.lease_id),
            attempt=m.attempt,
            phase=Phase(m.phase),
            worker=WorkerName(m.worker),
            model=m.model,
            usage=change_from_proto(m),
            **head,
        ),
    ),
)
