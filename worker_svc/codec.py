"""The border of a worker: assignments come in as values, results go out as messages."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration

from signoff.rpc import CHUNK_BYTES
from signoff.v1 import execution_pb2, worker_pb2
from worker_svc.work import Artifact, Assignment, CandidateMade, Feedback, Result, VerdictGiven, WorkFailed

MAX_TEXT = 8 * 1024  # characters of a reason: the runner keeps no more

Fetch = Callable[[worker_pb2.InputArtifact], Awaitable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What Welcome said may travel how; in bytes."""

    inline: int = 256 * 1024
    candidate: int = 64 * 1024 * 1024


async def assignment_from_proto(message: worker_pb2.Assign, fetch: Fetch) -> Assignment:
    """Reads an assignment; `fetch` gets the bytes of what came by reference."""

    async def artifact(given: worker_pb2.InputArtifact) -> Artifact:
        content = await fetch(given) if given.WhichOneof("content") == "by_reference" else given.inline
        return Artifact(
            name=given.name,
            task_id=given.task_id,
            media_type=given.media_type,
            digest=given.digest,
            content=content,
        )

    feedback = message.feedback
    previous = await artifact(feedback.previous_candidate) if feedback.HasField("previous_candidate") else None
    return Assignment(
        lease_id=message.lease_id,
        phase=message.phase,
        execution_id=message.execution_id,
        plan_id=message.plan_id,
        idea=message.idea,
        attempt=message.attempt,
        task=message.task,
        inputs=tuple([await artifact(given) for given in message.inputs]),
        omitted=tuple(message.omitted),
        candidate=await artifact(message.candidate) if message.HasField("candidate") else None,
        feedback=Feedback(summary=feedback.summary, results=tuple(feedback.results), previous_candidate=previous)
        if message.HasField("feedback")
        else None,
    )


def messages_of(lease_id: str, result: Result, limits: Limits) -> Iterator[worker_pb2.WorkerMessage]:
    """The messages that tell the runner a result, large candidates in chunks first."""
    if isinstance(result, CandidateMade) and len(result.content) > limits.candidate:
        size = len(result.content)
        problem = f"expected a candidate of at most {limits.candidate} bytes, but the executor made {size}"
        result = WorkFailed(kind=execution_pb2.FAILURE_KIND_PERMANENT, message=problem)
    if isinstance(result, CandidateMade):
        yield from _candidate(lease_id, result, limits)
    elif isinstance(result, WorkFailed):
        yield worker_pb2.WorkerMessage(failure=_failure(lease_id, result))
    else:
        yield worker_pb2.WorkerMessage(verdict=_verdict(lease_id, result))


def _candidate(lease_id: str, made: CandidateMade, limits: Limits) -> Iterator[worker_pb2.WorkerMessage]:
    fits = len(made.content) <= limits.inline
    if not fits:
        for offset in range(0, len(made.content), CHUNK_BYTES):
            data = made.content[offset : offset + CHUNK_BYTES]
            chunk = worker_pb2.CandidateChunk(lease_id=lease_id, offset=offset, data=data)
            yield worker_pb2.WorkerMessage(candidate_chunk=chunk)
    yield worker_pb2.WorkerMessage(
        candidate=worker_pb2.Candidate(
            lease_id=lease_id,
            inline=made.content if fits else b"",
            size_bytes=len(made.content),
            digest=hashlib.sha256(made.content).hexdigest(),
            media_type=made.media_type,
            maker=made.maker,
        )
    )


def _failure(lease_id: str, failed: WorkFailed) -> worker_pb2.Failure:
    return worker_pb2.Failure(
        lease_id=lease_id,
        kind=failed.kind,
        message=failed.message[:MAX_TEXT],
        retry_after=_duration(failed.retry_after),
    )


def _verdict(lease_id: str, given: VerdictGiven) -> worker_pb2.Verdict:
    return worker_pb2.Verdict(
        lease_id=lease_id,
        outcome=given.outcome,
        results=given.results,
        feedback=given.feedback[:MAX_TEXT],
        retry_worthwhile=given.retry_worthwhile,
        retry_after=_duration(given.retry_after),
        judge=given.judge,
    )


def _duration(value: timedelta | None) -> Duration | None:
    if value is None:
        return None
    message = Duration()
    message.FromTimedelta(value)
    return message
