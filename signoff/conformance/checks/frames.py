"""Checks of every frame. They come late, because they also judge all frames that came before."""

from __future__ import annotations

from signoff.conformance.check import Section
from signoff.conformance.checks.results import collected
from signoff.conformance.limits import FRAME_LIMIT
from signoff.conformance.messages import EXECUTOR, cancel, unknown
from signoff.conformance.outcome import NotMet
from signoff.conformance.worker_under_test import WorkerUnderTest

# A verdict that repeats them all is larger than a frame.
LONG_CRITERIA = [f"Criterion {number} {'is long ' * 125}" for number in range(2 * FRAME_LIMIT // 1000)]

frames = Section("frames")
fencing = Section("leases-and-fencing")
SECTIONS = (frames, fencing)


@frames.check("frames.order", "It handles every message of a frame, in order")
async def frames_order(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    dropped, lease = worker.new_lease(), worker.new_lease()
    await stream.say(worker.assign(dropped, {"seconds": worker.beats(2)}), cancel(dropped), worker.assign(lease, {}))
    await stream.accepted(lease)
    await worker.result(stream, lease)
    await stream.nothing_about(dropped, worker.beats(4))


@frames.check("frames.unknown", "Messages and fields that it does not know are passed over")
async def frames_unknown(worker: WorkerUnderTest) -> None:
    stream = await worker.greet(await worker.new_stream(), from_newer=True)
    lease = worker.new_lease()
    await stream.say(unknown(), worker.assign(lease, {}), unknown())
    await stream.accepted(lease)
    await worker.result(stream, lease)


@frames.check("frames.limit", "No frame is empty, or larger than Welcome allows")
async def frames_limit(worker: WorkerUnderTest) -> None:
    stream, lease = await worker.ready_stream(), worker.new_lease()
    await stream.say(worker.assign(lease, {"bytes": 3 * FRAME_LIMIT}, criteria=LONG_CRITERIA))
    if worker.role == EXECUTOR:
        await collected(stream, lease)
    else:
        await worker.result(stream, lease)
    if worker.notes.frames:
        raise NotMet(
            f"expected frames of at least one message and at most {FRAME_LIMIT} bytes, but got {worker.notes.frames[0]}"
        )


@fencing.check("lease.named", "Every message about work carries the id of a lease that was given")
async def lease_named(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    await worker.result(stream, await worker.accepted_lease(stream, seconds=worker.beats(1)))
    if worker.notes.strangers:
        raise NotMet(f"expected only leases that were given, but got {worker.notes.strangers[0]}")
