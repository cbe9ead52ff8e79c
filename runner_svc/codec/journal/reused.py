"""Results of earlier executions: kept as artifacts with their evidence, or as candidates to be judged again."""

from __future__ import annotations

from dataclasses import replace

from runner_svc.codec.criterion_results import results_from_proto, results_to_proto
from runner_svc.codec.journal.kind import AnyKind, Head, Kind
from runner_svc.codec.journal.results import candidate_from_proto, candidate_to_proto
from runner_svc.codec.makers import kept_from_from_proto, kept_from_to_proto, makers_from_proto, makers_to_proto
from runner_svc.codec.verdicts import by_from_proto, by_to_proto
from runner_svc.core.model import events
from runner_svc.core.model.map import Map
from signoff.v1 import execution_pb2 as pb


def _artifact_to_proto(event: events.ArtifactReused, _: Map | None) -> pb.ArtifactReused:
    content = event.content
    verdict = pb.VerdictPassed(
        attempt=content.attempt,
        results=results_to_proto(event.results),
        by=by_to_proto(content.signed_off_by),
        judged_by=makers_to_proto(event.judged_by),
    )
    origin = kept_from_to_proto(content.kept_from)
    return pb.ArtifactReused(candidate=candidate_to_proto(content), verdict=verdict, kept_from=origin)


def _artifact_from_proto(message: pb.ArtifactReused, _: Map | None, head: Head) -> events.ArtifactReused:
    origin = kept_from_from_proto(message.kept_from)
    content = replace(
        candidate_from_proto(message.candidate),
        signed_off_by=by_from_proto(message.verdict.by),
        signed_off_at=origin.signed_off_at if origin is not None else 0.0,
        kept_from=origin,
    )
    return events.ArtifactReused(
        content=content,
        results=results_from_proto(message.verdict.results),
        judged_by=makers_from_proto(message.verdict.judged_by),
        **head,
    )


def _candidate_to_proto(event: events.CandidateReused, _: Map | None) -> pb.CandidateReused:
    origin = kept_from_to_proto(event.content.kept_from)
    return pb.CandidateReused(candidate=candidate_to_proto(event.content), kept_from=origin)


def _candidate_from_proto(message: pb.CandidateReused, _: Map | None, head: Head) -> events.CandidateReused:
    content = replace(candidate_from_proto(message.candidate), kept_from=kept_from_from_proto(message.kept_from))
    return events.CandidateReused(content=content, **head)


KINDS: tuple[AnyKind, ...] = (
    Kind(events.ArtifactReused, pb.ArtifactReused, _artifact_to_proto, _artifact_from_proto),
    Kind(events.CandidateReused, pb.CandidateReused, _candidate_to_proto, _candidate_from_proto),
)
