"""Checks of leases that end before their time, and of leases that a worker does not hold."""

from __future__ import annotations

import asyncio

import grpc

from signoff.conformance.check import Section
from signoff.conformance.messages import ack, attention, cancel, keep, stop, superseded
from signoff.conformance.outcome import CheckSkipped
from signoff.conformance.worker_under_test import WorkerUnderTest

WORK, AFTER = 2, 5  # beats: work that is dropped, and until when its result would have come
MANY = 100  # leases

ends = Section("how-a-lease-ends")
SECTIONS = (ends,)


@ends.check("cancel.drops", "Cancelled work is dropped at once, and not spoken of again")
async def cancel_drops(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease = await worker.accepted_lease(stream, seconds=worker.beats(WORK))
    await stream.say(cancel(lease))
    await stream.nothing_about(lease, worker.beats(AFTER))


@ends.check("superseded.drops", "Work whose lease has ended is dropped, and not spoken of again")
async def superseded_drops(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease = await worker.accepted_lease(stream, seconds=worker.beats(WORK))
    await stream.say(superseded(lease))
    await stream.nothing_about(lease, worker.beats(AFTER))


@ends.check("superseded.forgets", "A result that came too late is forgotten, not repeated")
async def superseded_forgets(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease = await worker.accepted_lease(stream)
    await worker.result(stream, lease)
    await stream.say(superseded(lease))
    stream = await worker.new_stream()
    worker.require_let_go(stream, lease)


@ends.check("stop.drops", "After a lost stream, work that was given to another worker is dropped")
async def stop_drops(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    clock, seconds = asyncio.get_running_loop().time, worker.timings.first_pause + worker.beats(WORK)
    begun = clock()
    lease = await worker.accepted_lease(stream, seconds=seconds)
    stream.abort(grpc.StatusCode.UNAVAILABLE)
    stream = await worker.next_stream()
    worker.require_held(stream, lease)
    left = begun + seconds - clock()
    if left <= 0:
        raise CheckSkipped(f"it came back after {clock() - begun:.1f} s, when its work was done: that may be said")
    await worker.greet(stream)
    await stream.nothing_about(lease, left + worker.beats(AFTER - WORK))


@ends.check("lease.room", "A lease that has ended makes room for another")
async def lease_room(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    if stream.window > MANY:
        raise CheckSkipped(f"it grants {stream.window} leases, too many to try")
    for _ in range(stream.window):
        await stream.say(cancel(await worker.accepted_lease(stream, seconds=600)))
    lease = await worker.accepted_lease(stream)
    await worker.result(stream, lease)


@ends.check("lease.unknown", "What it is told about leases it does not hold is passed over")
async def lease_unknown(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    strange = worker.new_lease()
    orders = (cancel, superseded, ack, keep, stop)
    await stream.say(*(order(strange) for order in orders), attention(strange, thinking_wanted=True))
    await worker.result(stream, await worker.accepted_lease(stream))
