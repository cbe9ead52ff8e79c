"""Checks of streams that end, by a fault or when they are asked to: the worker comes back with its leases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import grpc

from signoff.conformance.check import Section
from signoff.conformance.messages import ack, cancel, drain, ping, rotate
from signoff.conformance.outcome import CheckSkipped, NotMet
from signoff.conformance.stream import WorkerStream
from signoff.conformance.worker_under_test import WorkerUnderTest
from signoff.rpc.frames import MISSED_PINGS

SHORT_PING, LONG_PING = 0.25, 60.0  # seconds
LATE = 0.5  # seconds that a stream may take from the worker to the kit
PAUSES, LEAST_SPREAD = 6, 0.1  # how many pauses are compared; their spread, as a part of the longest first one
MOST_REFUSALS = 6
ROTATE, DRAIN = 8, 20  # beats: within which a worker is asked to move, or to stop

lost = Section("lost-streams")
backoff = Section("backoff")
asked = Section("drain-and-rotate")
SECTIONS = (lost, backoff, asked)

End = Callable[[WorkerStream], None]


async def _comes_back_with_its_lease(worker: WorkerUnderTest, end: End) -> None:
    stream = await worker.ready_stream()
    lease = await worker.accepted_lease(stream, seconds=600)
    end(stream)
    worker.require_held(await worker.next_stream(), lease)


@lost.check("stream.ended", "It comes back when the stream ends in order, and names the leases it holds")
async def stream_ended(worker: WorkerUnderTest) -> None:
    await _comes_back_with_its_lease(worker, lambda stream: stream.end())


@lost.check("stream.cancelled", "It comes back when the stream ends with CANCELLED")
async def stream_cancelled(worker: WorkerUnderTest) -> None:
    await _comes_back_with_its_lease(worker, lambda stream: stream.abort(grpc.StatusCode.CANCELLED))


@lost.check("stream.unavailable", "It comes back when the stream ends with UNAVAILABLE")
async def stream_unavailable(worker: WorkerUnderTest) -> None:
    await _comes_back_with_its_lease(worker, lambda stream: stream.abort(grpc.StatusCode.UNAVAILABLE))


@lost.check("stream.internal", "It comes back when the stream ends with INTERNAL")
async def stream_internal(worker: WorkerUnderTest) -> None:
    await _comes_back_with_its_lease(worker, lambda stream: stream.abort(grpc.StatusCode.INTERNAL))


@lost.check("stream.silent", "It leaves a stream on which no ping comes for three intervals, and not before")
async def stream_silent(worker: WorkerUnderTest) -> None:
    stream = await worker.new_stream()
    await worker.say_welcome(stream, ping_interval=SHORT_PING)
    lease = await worker.accepted_lease(stream, seconds=600)
    for _ in range(MISSED_PINGS + 1):
        await asyncio.sleep(SHORT_PING)
        await stream.say(ping(1))
    try:
        again = await worker.next_stream(MISSED_PINGS * SHORT_PING + worker.timings.back)
    finally:
        stream.end()
    worker.require_held(again, lease)


@lost.check("stream.patient", "It waits for three of the intervals that the last ping has named, no more and no less")
async def stream_patient(worker: WorkerUnderTest) -> None:
    stream = await worker.new_stream()
    await worker.say_welcome(stream, ping_interval=SHORT_PING)
    lease = await worker.accepted_lease(stream, seconds=600)
    await stream.say(ping(1, next_within=LONG_PING))
    await asyncio.sleep((MISSED_PINGS + 1) * SHORT_PING)
    await stream.say(ping(2, next_within=SHORT_PING))
    await stream.expect("pong", where=lambda pong: pong.nonce == 2)
    try:
        again = await worker.next_stream(MISSED_PINGS * SHORT_PING + worker.timings.back)
    finally:
        stream.end()
    worker.require_held(again, lease)


@lost.check("stream.kept", "Work that it may keep goes on, and its result comes once")
async def stream_kept(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease = await worker.accepted_lease(stream, seconds=worker.beats(4))
    stream.abort(grpc.StatusCode.UNAVAILABLE)
    stream = await worker.next_stream()
    worker.require_held(stream, lease)
    await worker.greet(stream, kept=[lease])
    await worker.result(stream, lease)
    await stream.nothing_about(lease, worker.beats(2))
    await stream.say(ack(lease))


@backoff.check("backoff.jitter", "It pauses for a random time before it comes back")
async def backoff_jitter(worker: WorkerUnderTest) -> None:
    while len(worker.pauses) < PAUSES:
        await worker.ready_stream()
        await worker.new_stream()
    spread = max(worker.pauses) - min(worker.pauses)
    if spread < LEAST_SPREAD * worker.timings.first_pause:
        told = ", ".join(f"{pause:.2f}" for pause in worker.pauses)
        raise NotMet(f"expected pauses of random lengths, but got {told} s")


@backoff.check("backoff.grows", "Refused again and again, it pauses for longer, and tries another connection")
async def backoff_grows(worker: WorkerUnderTest) -> None:
    """Refuses until one pause is longer than any first one may be: the pauses are random."""
    stream = await worker.new_stream()
    peer, pauses = stream.peer, list[float]()
    for _ in range(MOST_REFUSALS):
        stream.abort(grpc.StatusCode.UNAVAILABLE)
        refused = stream
        stream = await worker.next_stream(worker.timings.most_pause + worker.timings.answer)
        pauses.append(stream.began_at - refused.ended_at)
        if pauses[-1] > worker.timings.first_pause and len(pauses) > 1:
            break
    else:
        told = ", ".join(f"{pause:.2f}" for pause in pauses)
        raise NotMet(f"expected a pause of more than {worker.timings.first_pause:g} s by now, but got {told} s")
    if stream.peer == peer:
        raise NotMet(f"expected a new connection after {len(pauses)} refusals, but got the one from {peer}")


@asked.check("drain.stops", "Asked to drain, it takes its credit back and finishes what it holds")
async def drain_stops(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease = await worker.accepted_lease(stream, seconds=worker.beats(2))
    await stream.say(drain(worker.beats(DRAIN)))
    await stream.expect("credit", where=lambda credit: credit.window == 0)
    await worker.result(stream, lease)
    await stream.say(ack(lease))
    stream.end()
    await worker.greet(await worker.next_stream())


@asked.check("rotate.moves", "Asked for a new stream, it opens one in time and takes its leases along")
async def rotate_moves(worker: WorkerUnderTest) -> None:
    await _rotated(worker)


@asked.check("rotate.overlaps", "The new stream continues the session of the old one, which it leaves after Welcome")
async def rotate_overlaps(worker: WorkerUnderTest) -> None:
    old, new, lease = await _rotated(worker)
    if not (old.is_open or new.hello.continues_session_id):
        raise CheckSkipped("it ends the old stream first, which is allowed")
    if new.hello.continues_session_id != old.session_id:
        raise NotMet(f"expected it to continue {old.session_id!r}, but got {new.hello.continues_session_id!r}")
    await worker.greet(new, kept=[lease])
    await old.until_over()
    await new.say(cancel(lease))
    await worker.result(new, await worker.accepted_lease(new))


async def _rotated(worker: WorkerUnderTest) -> tuple[WorkerStream, WorkerStream, str]:
    """Returns the old stream, the new one before its Welcome, and the lease that went along."""
    old = await worker.ready_stream()
    lease = await worker.accepted_lease(old, seconds=600)
    await old.say(rotate(worker.beats(ROTATE)))
    new = await worker.next_stream(worker.beats(ROTATE) + LATE)
    worker.require_held(new, lease)
    return old, new, lease
