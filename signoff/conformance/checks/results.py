"""Checks of candidates and failures, and of results that are repeated until they are acknowledged."""

from __future__ import annotations

from typing import Any

import grpc

from signoff.conformance.check import Section
from signoff.conformance.limits import INLINE_LIMIT, MOST_BYTES
from signoff.conformance.messages import EXECUTOR, ack, digest_of
from signoff.conformance.outcome import NotMet
from signoff.conformance.stream import WorkerStream
from signoff.conformance.worker_under_test import WorkerUnderTest
from signoff.display.wire_names import enum_name
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
async def candidate_inline(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease = await worker.accepted_lease(stream, bytes=1000)
    said = await stream.expect("candidate", lease=lease)
    require_whole(said, said.inline, 1000)
    if stream.said("candidate_chunk", lease):
        raise NotMet(f"expected 1000 bytes, which are below {INLINE_LIMIT}, in the candidate, but got chunks")


@candidates.check("candidate.maker", "A candidate names the maker that Hello has named", role=EXECUTOR)
async def candidate_maker(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    said = await stream.expect("candidate", lease=await worker.accepted_lease(stream))
    if said.maker != stream.hello.maker:
        raise NotMet(f"expected the maker that Hello names, {stream.hello.maker!r}, but got {said.maker!r}")


@candidates.check("candidate.chunks", "A large one comes as chunks in order, and then without content", role=EXECUTOR)
async def candidate_chunks(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    size = 10 * INLINE_LIMIT
    lease = await worker.accepted_lease(stream, bytes=size)
    body, said = await collected(stream, lease)
    if said.inline:
        raise NotMet(f"expected a candidate without content after its chunks, but got {len(said.inline)} bytes")
    require_whole(said, body, size)


async def collected(stream: WorkerStream, lease: str) -> tuple[bytes, Any]:
    """Returns the chunks of a candidate put together, and the candidate message after them."""
    body = b""
    while True:
        message = await stream.expect_any("candidate_chunk", "candidate", lease=lease)
        if message.HasField("candidate"):
            return body, message.candidate
        chunk = message.candidate_chunk
        if chunk.offset != len(body):
            raise NotMet(f"expected the chunk at {len(body)}, but got the one at {chunk.offset}")
        body += chunk.data


def require_whole(said: Any, body: bytes, size: int) -> None:
    """Raises NotMet unless a candidate has the size that was asked for, and states its own size and digest."""
    if len(body) != size:
        raise NotMet(f"expected a candidate of {size} bytes, as the task wants, but got {len(body)}")
    if (said.size_bytes, said.digest) != (size, digest_of(body)):
        expected = f"size_bytes={size} and digest={digest_of(body)}"
        raise NotMet(f"expected {expected}, but got size_bytes={said.size_bytes} and digest={said.digest!r}")


@candidates.check("candidate.too_large", "One that the runner would not store is a permanent failure", role=EXECUTOR)
async def candidate_too_large(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease = await worker.accepted_lease(stream, bytes=MOST_BYTES + 1)
    failure = await stream.expect("failure", lease=lease)
    if failure.kind != execution_pb2.FAILURE_KIND_PERMANENT:
        raise NotMet(f"expected a permanent failure, but got a {_word(failure.kind)} one")


def _word(kind: int) -> str:
    return enum_name(execution_pb2.FailureKind.DESCRIPTOR, kind)


@failures.check("failure.kind", "A failure says of which kind it is, and why", role=EXECUTOR)
async def failure_kind(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    for word, kind in KINDS.items():
        lease = await worker.accepted_lease(stream, fail=word)
        failure = await stream.expect("failure", lease=lease)
        if failure.kind != kind:
            raise NotMet(f"expected a {_word(kind)} failure, but got a {_word(failure.kind)} one")
        if not failure.message:
            raise NotMet("expected a failure with a message, but it is empty")
        await stream.say(ack(lease))


@failures.check("failure.retry_after", "It hands on when the provider wants to be asked again", role=EXECUTOR)
async def failure_retry_after(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease = await worker.accepted_lease(stream, fail="rate_limited", retry_after=RETRY_AFTER)
    failure = await stream.expect("failure", lease=lease)
    if failure.retry_after.seconds != RETRY_AFTER:
        raise NotMet(f"expected retry_after of {RETRY_AFTER} s, but got {failure.retry_after.seconds} s")


@acknowledgement.check("result.repeated", "After a lost stream it repeats a result that was not acknowledged")
async def result_repeated(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease = await worker.accepted_lease(stream)
    first = await worker.result(stream, lease)
    stream.abort(grpc.StatusCode.UNAVAILABLE)
    stream = await worker.next_stream()
    worker.require_held(stream, lease)
    await worker.greet(stream, kept=[lease])
    again = await worker.result(stream, lease)
    if again != first:
        raise NotMet(f"expected the {worker.result_kind} again as it was, but got another one")


@acknowledgement.check("result.chunks", "Chunks that are repeated begin at the first byte again", role=EXECUTOR)
async def result_chunks(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease = await worker.accepted_lease(stream, bytes=3 * INLINE_LIMIT)
    first, _ = await collected(stream, lease)
    stream.abort(grpc.StatusCode.UNAVAILABLE)
    stream = await worker.greet(await worker.next_stream(), kept=[lease])
    again, said = await collected(stream, lease)
    require_whole(said, again, len(first))


@acknowledgement.check("result.committed", "A result that the runner has got by then is not repeated")
async def result_committed(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease = await worker.accepted_lease(stream)
    await worker.result(stream, lease)
    stream.abort(grpc.StatusCode.UNAVAILABLE)
    stream = await worker.greet(await worker.next_stream(), committed=[lease])
    await stream.nothing_about(lease, worker.beats(2))


@acknowledgement.check("result.once", "Once it is acknowledged, it never speaks of it again")
async def result_once(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease = await worker.accepted_lease(stream)
    await worker.result(stream, lease)
    await stream.say(ack(lease))
    await stream.nothing_about(lease, worker.beats(2))
    stream = await worker.new_stream()
    worker.require_let_go(stream, lease)
    await worker.greet(stream)
    await stream.nothing_about(lease, worker.beats(2))
