"""What comes of an executor's work, and until when a result is repeated."""

from __future__ import annotations

from typing import Any

import grpc

from signoff.conformance.check import EXECUTOR, NotMet, Section
from signoff.conformance.conversation import WorkerStream
from signoff.conformance.speech import ack, digest_of
from signoff.conformance.trial import INLINE_LIMIT, MOST_BYTES, Trial
from signoff.display.wire_names import enum_word
from signoff.v1 import execution_pb2

KINDS = {
    "transient": execution_pb2.FAILURE_KIND_TRANSIENT,
    "permanent": execution_pb2.FAILURE_KIND_PERMANENT,
    "rate_limited": execution_pb2.FAILURE_KIND_RATE_LIMITED,
    "budget": execution_pb2.FAILURE_KIND_BUDGET,
}
RETRY_AFTER = 7  # seconds

candidates = Section("candidates")
failures = Section("failures")
acknowledgement = Section("until-it-is-acknowledged")
SECTIONS = (candidates, failures, acknowledgement)


@candidates.check("candidate.inline", "A small candidate comes whole, with its size and digest", role=EXECUTOR)
async def candidate_inline(trial: Trial) -> None:
    talk = await trial.conversation()
    lease = await trial.assigned(talk, bytes=1000)
    said = await talk.expect("candidate", lease=lease)
    require_whole(said, said.inline, 1000)
    if talk.said("candidate_chunk", lease):
        raise NotMet(f"expected 1000 bytes, which are below {INLINE_LIMIT}, in the candidate, but got chunks")


@candidates.check("candidate.maker", "A candidate names the maker that Hello has named", role=EXECUTOR)
async def candidate_maker(trial: Trial) -> None:
    talk = await trial.conversation()
    said = await talk.expect("candidate", lease=await trial.assigned(talk))
    if said.maker != talk.hello.maker:
        raise NotMet(f"expected the maker that Hello names, {talk.hello.maker!r}, but got {said.maker!r}")


@candidates.check("candidate.chunks", "A large one comes as chunks in order, and then without content", role=EXECUTOR)
async def candidate_chunks(trial: Trial) -> None:
    talk = await trial.conversation()
    size = 10 * INLINE_LIMIT
    lease = await trial.assigned(talk, bytes=size)
    body, said = await collected(talk, lease)
    if said.inline:
        raise NotMet(f"expected a candidate without content after its chunks, but got {len(said.inline)} bytes")
    require_whole(said, body, size)


async def collected(talk: WorkerStream, lease: str) -> tuple[bytes, Any]:
    """The chunks of a candidate put together, and the candidate after them."""
    body = b""
    while True:
        message = await talk.expect_any("candidate_chunk", "candidate", lease=lease)
        if message.HasField("candidate"):
            return body, message.candidate
        chunk = message.candidate_chunk
        if chunk.offset != len(body):
            raise NotMet(f"expected the chunk at {len(body)}, but got the one at {chunk.offset}")
        body += chunk.data


def require_whole(said: Any, body: bytes, size: int) -> None:
    """The candidate has the size that was asked for, and says of itself what it is."""
    if len(body) != size:
        raise NotMet(f"expected a candidate of {size} bytes, as the task wants, but got {len(body)}")
    if (said.size_bytes, said.digest) != (size, digest_of(body)):
        expected = f"size_bytes={size} and digest={digest_of(body)}"
        raise NotMet(f"expected {expected}, but got size_bytes={said.size_bytes} and digest={said.digest!r}")


@candidates.check("candidate.too_large", "One that the runner would not store is a permanent failure", role=EXECUTOR)
async def candidate_too_large(trial: Trial) -> None:
    talk = await trial.conversation()
    lease = await trial.assigned(talk, bytes=MOST_BYTES + 1)
    failure = await talk.expect("failure", lease=lease)
    if failure.kind != execution_pb2.FAILURE_KIND_PERMANENT:
        raise NotMet(f"expected a permanent failure, but got a {_word(failure.kind)} one")


def _word(kind: int) -> str:
    return enum_word(execution_pb2.FailureKind.DESCRIPTOR, kind)


@failures.check("failure.kind", "A failure says of which kind it is, and why", role=EXECUTOR)
async def failure_kind(trial: Trial) -> None:
    talk = await trial.conversation()
    for word, kind in KINDS.items():
        lease = await trial.assigned(talk, fail=word)
        failure = await talk.expect("failure", lease=lease)
        if failure.kind != kind:
            raise NotMet(f"expected a {_word(kind)} failure, but got a {_word(failure.kind)} one")
        if not failure.message:
            raise NotMet("expected a failure with a message, but it is empty")
        await talk.say(ack(lease))


@failures.check("failure.retry_after", "It hands on when the provider wants to be asked again", role=EXECUTOR)
async def failure_retry_after(trial: Trial) -> None:
    talk = await trial.conversation()
    lease = await trial.assigned(talk, fail="rate_limited", retry_after=RETRY_AFTER)
    failure = await talk.expect("failure", lease=lease)
    if failure.retry_after.seconds != RETRY_AFTER:
        raise NotMet(f"expected retry_after of {RETRY_AFTER} s, but got {failure.retry_after.seconds} s")


@acknowledgement.check("result.repeated", "After a lost stream it repeats a result that was not acknowledged")
async def result_repeated(trial: Trial) -> None:
    talk = await trial.conversation()
    lease = await trial.assigned(talk)
    first = await trial.result(talk, lease)
    talk.abort(grpc.StatusCode.UNAVAILABLE)
    talk = await trial.comes_back()
    trial.require_held(talk, lease)
    await trial.welcomed(talk, kept=[lease])
    again = await trial.result(talk, lease)
    if again != first:
        raise NotMet(f"expected the {trial.result_kind} again as it was, but got another one")


@acknowledgement.check("result.chunks", "Chunks that are repeated begin at the first byte again", role=EXECUTOR)
async def result_chunks(trial: Trial) -> None:
    talk = await trial.conversation()
    lease = await trial.assigned(talk, bytes=3 * INLINE_LIMIT)
    first, _ = await collected(talk, lease)
    talk.abort(grpc.StatusCode.UNAVAILABLE)
    talk = await trial.welcomed(await trial.comes_back(), kept=[lease])
    again, said = await collected(talk, lease)
    require_whole(said, again, len(first))


@acknowledgement.check("result.committed", "A result that the runner has got by then is not repeated")
async def result_committed(trial: Trial) -> None:
    talk = await trial.conversation()
    lease = await trial.assigned(talk)
    await trial.result(talk, lease)
    talk.abort(grpc.StatusCode.UNAVAILABLE)
    talk = await trial.welcomed(await trial.comes_back(), committed=[lease])
    await talk.nothing_about(lease, trial.beats(2))


@acknowledgement.check("result.once", "Once it is acknowledged, it never speaks of it again")
async def result_once(trial: Trial) -> None:
    talk = await trial.conversation()
    lease = await trial.assigned(talk)
    await trial.result(talk, lease)
    await talk.say(ack(lease))
    await talk.nothing_about(lease, trial.beats(2))
    talk = await trial.fresh()
    trial.require_let_go(talk, lease)
    await trial.welcomed(talk)
    await talk.nothing_about(lease, trial.beats(2))
