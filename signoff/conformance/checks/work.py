"""Checks of work as it begins and goes on: assignments, pings, progress."""

from __future__ import annotations

from collections.abc import Sequence

from signoff.conformance.check import Section
from signoff.conformance.messages import ack, feedback, ping
from signoff.conformance.outcome import CheckSkipped, NotMet
from signoff.conformance.worker_under_test import WorkerUnderTest
from signoff.v1 import worker_pb2

BUSY = 1.2  # seconds of work that never pauses
PROMPT = 0.8  # seconds within which a ping is answered even then
BEYOND_DOUBLES = 2**53 + 1  # a number that does not survive a floating-point variable

assignments = Section("assignments")
pings = Section("pings")
progress = Section("progress-and-usage")
SECTIONS = (assignments, pings, progress)
MOST_PROMPTS = 16  # that a runner keeps of a lease


@assignments.check("assign.accepted", "It accepts an assignment in time, also one whose input has yet to be fetched")
async def assign_accepted(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease, body = worker.new_lease(), b"Venus"
    with worker.withheld(body):
        await stream.say(worker.assign(lease, {}, given=body, by_reference=True))
        await stream.accepted(lease, within=worker.timings.answer)
    await worker.result(stream, lease)


@assignments.check("assign.repeated", "Given the same lease again, it accepts again and works once")
async def assign_repeated(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease = worker.new_lease()
    assign = worker.assign(lease, {"seconds": worker.beats(2)})
    for _ in range(2):
        await stream.say(assign)
        await stream.accepted(lease)
    await worker.result(stream, lease)
    await stream.say(ack(lease))
    await stream.nothing_about(lease, worker.beats(4))


@assignments.check("assign.feedback", "It takes a second attempt, with the feedback on the first")
async def assign_feedback(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease = worker.new_lease()
    await stream.say(worker.assign(lease, {}, feedback=feedback()))
    await stream.accepted(lease)
    await worker.result(stream, lease)


@pings.check("ping.answered", "It answers each ping with the same nonce, in order")
async def ping_answered(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    nonces = [7, 0, BEYOND_DOUBLES]
    await stream.say(*map(ping, nonces))
    answers = [(await stream.expect("pong")).nonce for _ in nonces]
    if answers != nonces:
        raise NotMet(f"expected pongs with the nonces {nonces}, but got {answers}")


@pings.check("ping.busy", "It answers pings while its work keeps the processor busy")
async def ping_busy(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease = await worker.accepted_lease(stream, seconds=BUSY, busy=True)
    await stream.ask_for_pong(within=PROMPT)
    if stream.said(worker.result_kind, lease):
        raise NotMet(f"expected a pong while the work of {BUSY:g} s goes on, but it was over by then")
    await worker.result(stream, lease)


@progress.check("progress.made", "It reports progress while it works")
async def progress_made(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease = await worker.accepted_lease(stream, seconds=worker.beats(4))
    await worker.result(stream, lease)
    if not stream.said("progress", lease):
        raise CheckSkipped("it reports none; work without progress is taken back after its idle_timeout")


@progress.check("progress.thinking", "It sends thinking only when a client watches")
async def progress_thinking(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease = await worker.accepted_lease(stream, seconds=worker.beats(2))
    await worker.result(stream, lease)
    if aloud := [said.thinking for said in stream.said("progress", lease) if said.thinking]:
        raise NotMet(f"expected no thinking, because thinking_wanted was false, but got {aloud[0][:80]!r}")


@progress.check("progress.prompts", "It sends no prompts when they are not wanted, and whole ones when they are")
async def progress_prompts(worker: WorkerUnderTest) -> None:
    stream = await worker.ready_stream()
    lease = worker.new_lease()
    await stream.say(worker.assign(lease, {}))
    await worker.result(stream, lease)
    if sent := stream.said("prompt_chunk", lease):
        raise NotMet(f"expected no prompts, because prompts_wanted was false, but got {len(sent)} chunks")
    lease = worker.new_lease()
    assign = worker.assign(lease, {})
    assign.assign.prompts_wanted = True
    await stream.say(assign)
    await worker.result(stream, lease)
    sent = stream.said("prompt_chunk", lease)
    if not sent:
        raise CheckSkipped("it sends none: it asks no model, or keeps its prompts to itself")
    _check_chunks(sent)


def _check_chunks(sent: Sequence[worker_pb2.PromptChunk]) -> None:
    """Raises NotMet for chunks that are out of order, or for a prompt without its end."""
    size, count = 0, 0
    for chunk in sent:
        if chunk.offset != size:
            raise NotMet(f"expected the chunk of a prompt at offset {size}, but got one at {chunk.offset}")
        size, count = size + len(chunk.data), count + (chunk.offset == 0)
        if size > chunk.size_bytes:
            raise NotMet(f"expected a prompt of {chunk.size_bytes} bytes, but got {size}")
        size = 0 if size == chunk.size_bytes else size
    if size:
        raise NotMet(f"expected the end of a prompt before the result, but only {size} bytes came")
    if count > MOST_PROMPTS:
        raise NotMet(f"expected at most {MOST_PROMPTS} prompts, but got {count}")
