"""The conversation on one stream: the messages of both sides, and their order."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from google.protobuf.duration_pb2 import Duration

from signoff.v1 import execution_pb2, runner_pb2
from tests.support.servers.scripted_runner import (
    ScriptedRunner,
    Stream,
    ToWorker,
    ack,
    assign,
    attention,
    cancel,
    digest_of,
    drain,
    from_a_newer_runner,
    keep,
    ping,
    rotate,
    stop,
    superseded,
    welcome,
)
from tests.support.work.givens import spent
from tests.support.work.scripted_handler import working
from worker_svc.link import session

KIB = 1024
JUDGE = execution_pb2.PHASE_VALIDATE


@pytest.fixture
async def runner() -> AsyncIterator[ScriptedRunner]:
    async with ScriptedRunner() as listening:
        yield listening


def kinds(stream: Stream, frame: int) -> list[str | None]:
    return [message.WhichOneof("kind") for message in stream.frames[frame].messages]


async def test_hello_says_who_the_worker_is(runner: ScriptedRunner) -> None:
    async with working(runner.address, slots=3):
        hello = (await runner.stream()).hello
        assert (hello.role, hello.name, hello.slots) == (runner_pb2.WORKER_ROLE_EXECUTOR, "w1", 3)
        assert (list(hello.models), hello.maker, hello.version) == (["writer"], "maker-1", "0.1")
        assert dict(hello.labels) == {"zone": "a"}
        assert hello.max_frame_bytes == 4 * KIB * KIB
        assert not hello.held_lease_ids


async def test_credit_is_granted_once_the_runner_has_said_welcome(runner: ScriptedRunner) -> None:
    async with working(runner.address, slots=3):
        stream = await runner.stream()
        assert len(stream.frames) == 1
        await stream.send(welcome())
        assert (await stream.expect("credit")).window == 3


async def test_an_assignment_is_accepted_worked_on_and_forgotten_once_acknowledged(runner: ScriptedRunner) -> None:
    async with working(runner.address) as worker:
        stream = await runner.welcomed(assign("L1"))
        assert (await stream.expect("accepted")).lease_id == "L1"
        (await worker.handler.call()).make(b"Mars")
        candidate = await stream.expect("candidate")
        assert (candidate.lease_id, candidate.inline, candidate.size_bytes) == ("L1", b"Mars", 4)
        assert (candidate.digest, candidate.maker) == (digest_of(b"Mars"), "maker-1")
        await stream.send(ack("L1"))
        await stream.nothing_more()
        stream.end()
        assert not (await runner.stream()).hello.held_lease_ids


async def test_what_is_ready_together_travels_in_one_frame(runner: ScriptedRunner) -> None:
    async with working(runner.address):
        stream = await runner.stream()
        await stream.send(welcome(), assign("L1"), assign("L2"), ping(1))
        await stream.expect("credit")
        assert kinds(stream, 1) == ["credit", "pong", "accepted", "accepted"]


@pytest.mark.guard(name="an assignment that comes twice runs once")
async def test_an_assignment_that_comes_again_is_accepted_again_and_run_once(runner: ScriptedRunner) -> None:
    async with working(runner.address) as worker:
        stream = await runner.welcomed(assign("L1"), assign("L1"))
        await stream.expect("accepted")
        await stream.send(assign("L1"))
        await stream.expect("accepted")
        (await worker.handler.call()).make()
        await stream.expect("candidate")
        await stream.send(assign("L1"))
        await stream.expect("accepted")
        await stream.nothing_more()
        assert worker.handler.untaken == 0


@pytest.mark.parametrize("size", [256 * KIB + 1, 512 * KIB, 512 * KIB + 1, 1024 * KIB + 7])
async def test_a_candidate_above_the_inline_limit_travels_in_chunks(runner: ScriptedRunner, size: int) -> None:
    content = hashlib.shake_128(b"seed").digest(size)
    async with working(runner.address) as worker:
        stream = await runner.welcomed(assign())
        await stream.expect("accepted")
        (await worker.handler.call()).make(content)
        body = b""
        while len(body) < size:
            chunk = await stream.expect("candidate_chunk")
            assert (chunk.lease_id, chunk.offset) == ("L1", len(body))
            body += chunk.data
        candidate = await stream.expect("candidate")
    assert body == content
    assert (candidate.inline, candidate.size_bytes, candidate.digest) == (b"", size, digest_of(content))


@pytest.mark.parametrize("size", [0, 1, 256 * KIB])
async def test_a_candidate_up_to_the_inline_limit_travels_in_one_message(runner: ScriptedRunner, size: int) -> None:
    async with working(runner.address) as worker:
        stream = await runner.welcomed(assign())
        await stream.expect("accepted")
        (await worker.handler.call()).make(bytes(size))
        assert (await stream.expect("candidate")).inline == bytes(size)


@pytest.mark.guard(name="a candidate too large is a failure")
async def test_a_candidate_that_is_too_large_is_a_permanent_failure(runner: ScriptedRunner) -> None:
    async with working(runner.address) as worker:
        stream = await runner.stream()
        await stream.send(welcome(max_candidate_bytes=1000), assign())
        await stream.expect("credit")
        await stream.expect("accepted")
        (await worker.handler.call()).make(bytes(1001))
        failure = await stream.expect("failure")
    assert failure.kind == execution_pb2.FAILURE_KIND_PERMANENT
    assert failure.message == "expected a candidate of at most 1000 bytes, but the executor made 1001"


@pytest.mark.guard(name="frames of a worker fit")
async def test_frames_are_no_larger_than_the_runner_takes(runner: ScriptedRunner) -> None:
    most = 64 * KIB
    async with working(runner.address) as worker:
        stream = await runner.stream()
        leases = [f"L{number}" for number in range(20)]
        await stream.send(welcome(max_frame_bytes=most), *map(assign, leases))
        for lease in leases:
            (await worker.handler.call()).make(lease.encode() * 40_000)
        sizes = Counter[str]()
        while any(sizes[lease] < 40_000 * len(lease) for lease in leases):
            chunk = (await stream.next()).candidate_chunk
            sizes[chunk.lease_id] += len(chunk.data)
    assert max(frame.ByteSize() for frame in stream.frames) <= most


@pytest.mark.guard(name="cancel drops the work")
@pytest.mark.parametrize("order", [cancel, superseded, stop])
async def test_work_that_is_called_off_is_cancelled_at_once_and_forgotten(
    runner: ScriptedRunner, order: Callable[[str], ToWorker]
) -> None:
    async with working(runner.address) as worker:
        stream = await runner.welcomed(assign("L1"))
        await stream.expect("accepted")
        call = await worker.handler.call()
        await stream.send(order("L1"))
        await call.until_cancelled()
        await stream.nothing_more()
        stream.end()
        assert not (await runner.stream()).hello.held_lease_ids


async def test_orders_about_unknown_leases_are_passed_over(runner: ScriptedRunner) -> None:
    async with working(runner.address):
        stream = await runner.welcomed()
        unknown = "L9"
        await stream.send(ack(unknown), cancel(unknown), superseded(unknown), stop(unknown), keep(unknown))
        await stream.send(attention(unknown, thinking_wanted=True))
        await stream.nothing_more()


@pytest.mark.guard(name="pings are answered")
async def test_pings_are_answered_while_work_goes_on_for_ever(runner: ScriptedRunner) -> None:
    async with working(runner.address) as worker:
        stream = await runner.welcomed(assign())
        await stream.expect("accepted")
        await worker.handler.call()
        for nonce in range(5):
            await stream.send(ping(nonce))
            assert (await stream.expect("pong")).nonce == nonce
        assert worker.handler.running == 1


async def test_durations_without_measure_end_neither_the_stream_nor_the_work(runner: ScriptedRunner) -> None:
    endless = Duration(seconds=2**62)
    async with working(runner.address) as worker:
        stream = await runner.stream()
        messages = [welcome(), ping(1), rotate(timedelta(0)), assign()]
        messages[0].welcome.ping_interval.CopyFrom(endless)
        messages[1].ping.next_within.CopyFrom(endless)
        messages[2].rotate.within.CopyFrom(endless)
        messages[3].assign.idle_timeout.CopyFrom(endless)
        await stream.send(*messages)
        await stream.expect("credit")
        assert (await stream.expect("pong")).nonce == 1
        assert (await worker.handler.call()).assignment.idle_timeout == 30 * 86_400


async def test_a_message_of_a_kind_it_does_not_know_is_passed_over(runner: ScriptedRunner) -> None:
    async with working(runner.address):
        stream = await runner.welcomed()
        await stream.send(from_a_newer_runner(), ping(1), from_a_newer_runner())
        assert (await stream.expect("pong")).nonce == 1
        await stream.nothing_more()


async def test_thinking_that_comes_together_travels_together_and_before_the_result(runner: ScriptedRunner) -> None:
    async with working(runner.address) as worker:
        stream = await runner.welcomed(assign(thinking_wanted=True))
        await stream.expect("accepted")
        call = await worker.handler.call()
        for number, piece in enumerate(("Which ", "planet ", "is red?"), 1):
            call.report.thinking(piece)
            call.report.tokens(number)
        call.report.usage("writer", spent(5, 3))
        call.make()
        progress, usage = await stream.expect("progress"), await stream.expect("usage")
        assert (progress.lease_id, progress.thinking, progress.tokens) == ("L1", "Which planet is red?", 3)
        assert (usage.model, usage.input_tokens, usage.output_tokens, usage.requests) == ("writer", 5, 3, 1)
        await stream.expect("candidate")


async def test_thinking_that_follows_a_frame_of_thinking_waits_for_more(
    runner: ScriptedRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "PROGRESS_PAUSE", 0.3)
    async with working(runner.address) as worker:
        stream = await runner.welcomed(assign(thinking_wanted=True))
        await stream.expect("accepted")
        call = await worker.handler.call()
        call.report.thinking("Which")
        assert (await stream.expect("progress")).thinking == "Which"
        for piece in (" planet", " is", " red?"):
            call.report.thinking(piece)
            for _ in range(10):
                await asyncio.sleep(0)
        assert (await stream.expect("progress")).thinking == " planet is red?"


async def test_attention_switches_thinking_on_and_off(runner: ScriptedRunner) -> None:
    async with working(runner.address) as worker:
        stream = await runner.welcomed(assign(thinking_wanted=False))
        await stream.expect("accepted")
        call = await worker.handler.call()
        for wanted in (False, True, False):
            await stream.send(attention(thinking_wanted=wanted))
            await stream.nothing_more()
            assert call.report.thinking_wanted is wanted
            call.report.thinking("Mars?")
            call.report.tokens(7)
            progress = await stream.expect("progress")
            assert (progress.thinking, progress.tokens) == ("Mars?" if wanted else "", 7)


async def test_half_an_emoji_does_not_end_the_stream(runner: ScriptedRunner) -> None:
    async with working(runner.address) as worker:
        stream = await runner.welcomed(assign(thinking_wanted=True))
        await stream.expect("accepted")
        call = await worker.handler.call()
        call.report.thinking("\ud83e")
        call.report.thinking("\ude90 and \ud83e")
        assert (await stream.expect("progress")).thinking == "🪐 and \ufffd"
        call.result.set_exception(ValueError("bad \ud83e"))
        assert (await stream.expect("failure")).message == "a bug in the worker: ValueError: bad \ufffd"


@pytest.mark.guard(name="a draining runner gets no credit")
async def test_a_runner_that_drains_gets_no_credit_until_it_is_back(runner: ScriptedRunner) -> None:
    async with working(runner.address, slots=3) as worker:
        stream = await runner.welcomed(assign())
        await stream.expect("accepted")
        await stream.send(drain())
        assert (await stream.expect("credit")).window == 0
        (await worker.handler.call()).make()
        await stream.expect("candidate")
        await stream.send(ack())
        stream.end()
        stream = await runner.stream()
        await stream.send(welcome())
        assert (await stream.expect("credit")).window == 3
