"""Checks of the beginning of a stream: Hello, Welcome, Credit."""

from __future__ import annotations

from signoff.conformance.check import Section
from signoff.conformance.messages import EXECUTOR, VALIDATOR
from signoff.conformance.outcome import CheckSkipped, NotMet
from signoff.conformance.worker_under_test import WorkerUnderTest
from signoff.rpc.frames import LEAST_FRAME_BYTES

MOST_NAME, MOST_SLOTS, MOST_LABELS = 128, 10_000, 64

hello = Section("hello-and-welcome")
credit = Section("credit")
SECTIONS = (hello, credit)


@hello.check("hello.form", "A stream begins with Hello, and each field of it is what it must be")
async def hello_form(worker: WorkerUnderTest) -> None:
    said = (await worker.new_stream()).hello
    rules = (
        (said.role in (EXECUTOR, VALIDATOR), f"role {EXECUTOR} (executor) or {VALIDATOR} (validator)", said.role),
        (0 < len(said.name) <= MOST_NAME, f"a name of 1 to {MOST_NAME} characters", repr(said.name)),
        (1 <= said.slots <= MOST_SLOTS, f"slots from 1 to {MOST_SLOTS}", said.slots),
        (
            said.max_frame_bytes == 0 or said.max_frame_bytes >= LEAST_FRAME_BYTES,
            f"max_frame_bytes of 0 or at least {LEAST_FRAME_BYTES}",
            said.max_frame_bytes,
        ),
        (len(said.labels) <= MOST_LABELS, f"at most {MOST_LABELS} labels", len(said.labels)),
    )
    for is_so, expected, got in rules:
        if not is_so:
            raise NotMet(f"expected {expected}, but got {got}")


@hello.check("hello.waits", "Until Welcome it says nothing else")
async def hello_waits(worker: WorkerUnderTest) -> None:
    await (await worker.new_stream()).nothing(worker.beats(2))


@hello.check("hello.name", "It comes back under the same name and in the same role")
async def hello_name(worker: WorkerUnderTest) -> None:
    before = (await worker.ready_stream()).hello
    after = (await worker.new_stream()).hello
    if (before.name, before.role) != (after.name, after.role):
        raise NotMet(
            f"expected {before.name!r} of role {before.role} to come back, but got {after.name!r} of role {after.role}"
        )


@credit.check("credit.granted", "After Welcome it grants credit, for no more than its slots")
async def credit_granted(worker: WorkerUnderTest) -> None:
    stream = await worker.new_stream()
    await worker.say_welcome(stream)
    window = (await stream.expect("credit")).window
    if not 1 <= window <= stream.hello.slots:
        raise NotMet(f"expected credit for 1 to {stream.hello.slots} leases, as Hello says, but got {window}")


@credit.check("credit.kept", "It works on as many assignments at once as it has granted")
async def credit_kept(worker: WorkerUnderTest) -> None:
    stream = await worker.greet(await worker.new_stream())
    window = min(stream.window, 4)
    if window < 2:
        raise CheckSkipped("it grants one lease at a time")
    slow, *quick = (worker.new_lease() for _ in range(window))
    await stream.say(worker.assign(slow, {"seconds": 600}), *(worker.assign(lease, {}) for lease in quick))
    for lease in (slow, *quick):
        await stream.accepted(lease)
    for lease in quick:  # while the slow one goes on
        await worker.result(stream, lease)
