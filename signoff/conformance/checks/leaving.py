"""Checks of how a worker leaves: because it was asked to, or because it was refused."""

from __future__ import annotations

from signoff.conformance.check import Section
from signoff.conformance.messages import ack
from signoff.conformance.outcome import NotMet
from signoff.conformance.worker_under_test import WorkerUnderTest
from signoff.errors import InvalidField, SessionReplaced

leaving = Section("leaving")
refused = Section("refusals")
SECTIONS = (leaving, refused)


@leaving.check("leave.idle", "Asked to end with nothing in hand, it says so and ends", needs_command=True)
async def leave_idle(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    worker.ask_to_end()
    await stream.expect("draining")
    await stream.until_over()
    await worker.require_end()


@leaving.check("leave.finishes", "Asked to end, it finishes what fits, and takes nothing new", needs_command=True)
async def leave_finishes(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease, refused = await worker.accepted_lease(stream, seconds=worker.beats(2)), worker.new_lease()
    worker.ask_to_end()
    await stream.expect("draining")
    await stream.say(worker.assign(refused, {}))
    await worker.result(stream, lease)
    await stream.say(ack(lease))
    await stream.until_over()
    if stream.said("accepted", refused):
        raise NotMet("expected it to take nothing new while it drains, but it accepted an assignment")
    await worker.require_end()


@leaving.check("leave.abandons", "What it cannot finish it gives back before it ends", needs_command=True)
async def leave_abandons(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease = await worker.accepted_lease(stream, seconds=600)
    worker.ask_to_end()
    await stream.expect("draining")
    await stream.expect("abandon", lease=lease, within=worker.timings.leave)
    await stream.until_over(worker.timings.leave)
    await worker.require_end()


@refused.check("refused.replaced", "SESSION_REPLACED ends it for good", needs_command=True)
async def refused_replaced(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    await worker.accepted_lease(stream, seconds=600)
    stream.refuse(SessionReplaced(f"a newer session of {stream.hello.name} took over"))
    await worker.require_end()


@refused.check("refused.invalid", "INVALID_FIELD, in answer to its Hello, ends it for good", needs_command=True)
async def refused_invalid(worker: WorkerUnderTest) -> None:
    (await worker.new_stream()).refuse(InvalidField("hello.name", "another name", "this one"))
    await worker.require_end()
