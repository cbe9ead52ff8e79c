"""The border of a worker: assignments come in as values, results go out as messages, and messages travel in frames.

Everything that a handler returns fits: a text that is too long is clipped, a candidate that is too large becomes a
failure that says so, and no frame is larger than the runner takes.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration

from signoff.bounds import seconds_in
from signoff.manifest.manifest import MAX_FILES, MAX_FILES_BYTES
from signoff.plan.limits import MAX_CHECKS, MAX_CRITERIA
from signoff.rpc.channel import CHUNK_BYTES, MAX_FRAME_BYTES
from signoff.rpc.frames import MAX_CANDIDATE_BYTES, MESSAGE_HEADER
from signoff.v1 import execution_pb2, worker_pb2
from worker_svc.assignment import (
    Artifact,
    Assignment,
    Bytes,
    CandidateResult,
    FailureResult,
    Feedback,
    Result,
    UnchangedResult,
    VerdictResult,
)
from worker_svc.files.collecting import FilesLimit

MAX_TEXT = 8 * 1024  # characters of a reason: the runner keeps no more
MAX_NAME = 256  # characters of a media type, a model's name, and the like
MAX_RESULTS = MAX_CRITERIA + MAX_CHECKS + 100  # of a verdict: of any task's checks and criteria, and the implicit ones
FRAME_TARGET = 1024 * 1024  # a frame is sent when it has this many bytes, or when nothing more is ready
SLACK = 4 * 1024  # bytes of a frame that are left for the fields around a content or a text
UTF8_MOST = 4  # bytes of a character
READ_AT_ONCE = 8  # artifacts of an assignment that come by reference

Fetch = Callable[[worker_pb2.InputArtifact], Awaitable[Bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The sizes that Welcome allows, in bytes, and the files of a candidate."""

    inline: int = 256 * 1024
    candidate: int = MAX_CANDIDATE_BYTES
    frame: int = MAX_FRAME_BYTES
    files: FilesLimit = FilesLimit()  # noqa: RUF009 - frozen

    @property
    def payload(self) -> int:
        """The bytes that a message may spend on its content or its texts."""
        return self.frame - SLACK


def limits_from_proto(welcome: worker_pb2.Welcome) -> Limits:
    """Returns the runner's limits, with defaults for those that it did not state. A frame never exceeds 4 MiB."""
    usual = Limits()
    return Limits(
        inline=welcome.inline_limit_bytes or usual.inline,
        candidate=welcome.max_candidate_bytes or usual.candidate,
        frame=min(welcome.max_frame_bytes or MAX_FRAME_BYTES, MAX_FRAME_BYTES),
        files=FilesLimit(
            files=min(welcome.max_files or MAX_FILES, MAX_FILES),
            size=min(welcome.max_files_bytes or MAX_FILES_BYTES, MAX_FILES_BYTES),
        ),
    )


def plain(text: str, most: int = MAX_TEXT) -> str:
    """Returns the first `most` characters, as UTF-8 can carry them.

    Streamed escapes leave halves of emoji: two that meet are joined, the others are replaced.
    """
    text = text[:most]
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def one_line(text: str, most: int = MAX_NAME) -> str:
    """Returns a name as the runner takes it: without the control characters that a function or a model may put in."""
    name = plain(text, most)
    return name if name.isprintable() else "".join(letter if letter.isprintable() else " " for letter in name)


async def assignment_from_proto(message: worker_pb2.Assign, fetch: Fetch) -> Assignment:
    """Reads an assignment; `fetch` gets the bytes of artifacts that came by reference."""

    feedback = message.feedback
    named = [*message.inputs]
    named += [message.candidate] if message.HasField("candidate") else []
    named += [feedback.previous_candidate] if feedback.HasField("previous_candidate") else []
    read = iter(await _read_all(named, fetch))
    inputs = tuple(itertools.islice(read, len(message.inputs)))
    candidate = next(read) if message.HasField("candidate") else None
    previous = next(read, None)
    return Assignment(
        lease_id=message.lease_id,
        phase=message.phase,
        execution_id=message.execution_id,
        plan_id=message.plan_id,
        idea=message.idea,
        attempt=message.attempt,
        task=message.task,
        inputs=inputs,
        omitted=tuple(message.omitted),
        candidate=candidate,
        feedback=_feedback(feedback, previous) if message.HasField("feedback") else None,
        model=message.model,
        checkpoint=message.checkpoint,
        unless_maker=message.unless_maker,
        idle_timeout=seconds_in(message, "idle_timeout"),
    )


def _feedback(message: worker_pb2.Feedback, previous: Artifact | None) -> Feedback:
    return Feedback(
        summary=message.summary,
        results=tuple(message.results),
        previous_candidate=previous,
        earlier=tuple(message.earlier),
    )


async def _read_all(named: Sequence[worker_pb2.InputArtifact], fetch: Fetch) -> list[Artifact]:
    """Reads the artifacts of an assignment, in order; some at a time are fetched. The first failure ends it."""
    fetched = {place: given for place, given in enumerate(named) if given.WhichOneof("content") == "by_reference"}
    if not fetched:
        return [_artifact(given, given.inline) for given in named]
    at_once = asyncio.Semaphore(READ_AT_ONCE)

    async def content(given: worker_pb2.InputArtifact) -> Bytes:
        async with at_once:
            return await fetch(given)

    tasks = {place: asyncio.ensure_future(content(given)) for place, given in fetched.items()}
    try:
        await asyncio.gather(*tasks.values())
    finally:
        for task in tasks.values():
            task.cancel()
    return [
        _artifact(given, tasks[place].result() if place in tasks else given.inline) for place, given in enumerate(named)
    ]


def _artifact(given: worker_pb2.InputArtifact, content: Bytes) -> Artifact:
    return Artifact(
        name=given.name,
        task_id=given.task_id,
        media_type=given.media_type,
        digest=given.digest,
        content=content,
        remark=given.remark,
        unread=given.unread if given.HasField("unread") else None,
    )


# ---------------------------------------------------------------- results


def messages_of(lease_id: str, result: Result, limits: Limits) -> Iterator[worker_pb2.WorkerMessage]:
    """Yields the messages that carry a result to the runner; a large candidate comes in chunks first."""
    # guard: a candidate too large is a failure -> if False:
    if isinstance(result, CandidateResult) and len(result.content) > limits.candidate:
        size = len(result.content)
        problem = f"expected a candidate of at most {limits.candidate} bytes, but the executor made {size}"
        result = FailureResult(kind=execution_pb2.FAILURE_KIND_PERMANENT, message=problem)
    if isinstance(result, CandidateResult):
        yield from _candidate(lease_id, result, limits)
    elif isinstance(result, UnchangedResult):
        yield worker_pb2.WorkerMessage(unchanged=worker_pb2.Unchanged(lease_id=lease_id, maker=result.maker))
    elif isinstance(result, FailureResult):
        yield worker_pb2.WorkerMessage(failure=_failure(lease_id, result))
    else:
        yield worker_pb2.WorkerMessage(verdict=_verdict(lease_id, result, limits))


def _candidate(lease_id: str, made: CandidateResult, limits: Limits) -> Iterator[worker_pb2.WorkerMessage]:
    fits = len(made.content) <= min(limits.inline, limits.payload)
    if not fits:
        step = min(CHUNK_BYTES, limits.payload)
        for offset in range(0, len(made.content), step):
            data = made.content[offset : offset + step]
            chunk = worker_pb2.CandidateChunk(lease_id=lease_id, offset=offset, data=data)
            yield worker_pb2.WorkerMessage(candidate_chunk=chunk)
    yield worker_pb2.WorkerMessage(
        candidate=worker_pb2.Candidate(
            lease_id=lease_id,
            inline=made.content if fits else b"",
            size_bytes=len(made.content),
            digest=made.digest or hashlib.sha256(made.content).hexdigest(),
            media_type=one_line(made.media_type),
            maker=one_line(made.maker),
            remark=plain(made.remark),
            unread=made.unread,
        )
    )


def _failure(lease_id: str, failed: FailureResult) -> worker_pb2.Failure:
    return worker_pb2.Failure(
        lease_id=lease_id,
        kind=failed.kind,
        # guard: a failure fits -> message=failed.message,
        message=plain(failed.message),
        retry_after=_duration(failed.retry_after),
        # guard: a gist leaves as a digest -> gist=failed.gist,
        gist=_compared(failed.gist),
    )


def _compared(gist: str) -> str:
    """Returns the digest of a gist: runners only compare gists, and the words may hold a secret. Empty stays empty."""
    return hashlib.sha256(gist.encode(errors="surrogatepass")).hexdigest() if gist else ""


def _verdict(lease_id: str, given: VerdictResult, limits: Limits) -> worker_pb2.Verdict:
    """Returns a verdict that fits a frame: its texts share the bytes evenly when they need more than there are."""
    results = _most_telling(given.results)
    verdict = _clipped_verdict(lease_id, given, results, MAX_TEXT)
    # guard: a verdict fits -> if True:
    if verdict.ByteSize() <= limits.payload:
        return verdict
    texts = 2 * len(results) + 1
    return _clipped_verdict(lease_id, given, results, limits.payload // (UTF8_MOST * (texts + 1)))


def _clipped_verdict(
    lease_id: str, given: VerdictResult, results: Sequence[execution_pb2.CriterionResult], most: int
) -> worker_pb2.Verdict:
    return worker_pb2.Verdict(
        lease_id=lease_id,
        outcome=given.outcome,
        results=[
            execution_pb2.CriterionResult(
                criterion=result.criterion[:most],
                outcome=result.outcome,
                reason=result.reason[:most],
                deterministic=result.deterministic,
                criterion_number=result.criterion_number,
                check_number=result.check_number,
            )
            for result in results
        ],
        feedback=plain(given.feedback, most),
        retry_worthwhile=given.retry_worthwhile,
        retry_after=_duration(given.retry_after),
        failure_kind=given.failure_kind,
        judge=one_line(given.judge),
    )


def _most_telling(results: Sequence[execution_pb2.CriterionResult]) -> Sequence[execution_pb2.CriterionResult]:
    """Returns all of them; when they are too many, the first MAX_RESULTS, with failures before passes."""
    if len(results) <= MAX_RESULTS:
        return results
    return sorted(results, key=lambda result: result.outcome == execution_pb2.OUTCOME_PASS)[:MAX_RESULTS]


def _duration(value: timedelta | None) -> Duration | None:
    if value is None:
        return None
    message = Duration()
    message.FromTimedelta(value)
    return message


# ---------------------------------------------------------------- frames


def frames_of(messages: Iterable[worker_pb2.WorkerMessage], most: int) -> Iterator[worker_pb2.ConnectRequest]:
    """Packs messages into frames of at most `most` bytes, in order; asks for more only as frames are taken."""
    frame, size = worker_pb2.ConnectRequest(), 0
    for message in messages:
        length = message.ByteSize() + MESSAGE_HEADER
        # guard: frames of a worker fit -> if False:
        if size and size + length > min(FRAME_TARGET, most):
            yield frame
            frame, size = worker_pb2.ConnectRequest(), 0
        frame.messages.append(message)
        size += length
    if size:
        yield frame
