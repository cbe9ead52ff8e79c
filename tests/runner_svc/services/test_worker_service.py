"""WorkerService over a real socket."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from runner_svc.codec.assignments import INLINE_LIMIT
from runner_svc.core.fleet.timings import StreamTimings
from runner_svc.publish.last_thoughts import LastThoughts
from runner_svc.services import worker_service
from runner_svc.store.memory import MemoryStore
from signoff.v1 import execution_pb2, runner_pb2, worker_pb2
from tests.runner_svc.services.test_runner_service import read, refused
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, RawWorker, candidate, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running

PLANS = PlannerOfTexts(one="a", two="a; b <- a", ten="; ".join(f"t{n}" for n in range(10)))


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(PLANS, tmp_path) as up:
        yield up


async def task_of(runner: Running, ref: runner_pb2.ExecutionRef, task_id: str) -> execution_pb2.TaskState:
    request = runner_pb2.GetExecutionRequest(ref=ref, tasks=runner_pb2.TASK_SELECTION_NAMED, task_ids=[task_id])
    return (await runner.stub.GetExecution(request)).tasks[0]


async def test_a_welcome_names_the_clocks_and_limits(runner: Running) -> None:
    call = runner.workers.Connect()
    worker = RawWorker(call)
    await worker.say(hello=worker_pb2.Hello(role=EXECUTOR, name="w1", slots=1))
    welcome = await worker.hear("welcome")
    assert welcome.epoch == 1
    assert (welcome.ping_interval.seconds, welcome.resume_grace.seconds, welcome.accept_deadline.seconds) == (
        10,
        60,
        10,
    )
    assert welcome.inline_limit_bytes == INLINE_LIMIT
    call.cancel()


@pytest.mark.parametrize("checkpoint_every", [1, 5_000])
async def test_what_a_maker_wrote_around_its_candidate_reaches_the_judge_and_no_reader(
    tmp_path: Path, checkpoint_every: int
) -> None:
    """Also after a restart, from the journal or from a checkpoint."""
    store = MemoryStore()
    async with running(PLANS, tmp_path, store=store, checkpoint_every=checkpoint_every) as runner:
        await runner.start("two")
        async with raw_worker(runner, EXECUTOR, "w1") as executor:
            made = candidate((await executor.assigned()).lease_id, b"made")
            made.remark = "Here it is: " + "x" * 5_000
            await executor.say(candidate=made)
            await executor.hear("ack")
    async with (
        running(PLANS, tmp_path, store=store) as runner,
        raw_worker(runner, EXECUTOR, "w1") as executor,
        raw_worker(runner, VALIDATOR, "v1") as validator,
    ):
        judged = await validator.assigned()
        assert judged.candidate.remark == "Here it is: " + "x" * 1_987 + "…", "cut where the bound says"
        await validator.judge(judged)
        (given,) = (await executor.assigned()).inputs
        assert (given.task_id, given.remark) == ("a", "")


@pytest.mark.guard(name="what the author was not shown is kept")
@pytest.mark.parametrize("checkpoint_every", [1, 5_000])
async def test_what_a_maker_was_not_shown_reaches_the_judge_and_everyone_who_asks(
    tmp_path: Path, checkpoint_every: int
) -> None:
    """Also after a restart, from the journal or from a checkpoint."""
    store = MemoryStore()
    example = execution_pb2.UnreadInput(name="papers", task_id="a", size_bytes=9_000, shown_chars=2_000)
    unread = execution_pb2.Unread(inputs=70, cut=12, left_out=28, examples=[example])
    async with running(PLANS, tmp_path, store=store, checkpoint_every=checkpoint_every) as runner:
        ref = await runner.start("one")
        async with raw_worker(runner, EXECUTOR, "w1") as executor:
            made = candidate((await executor.assigned()).lease_id, b"made")
            made.unread.CopyFrom(unread)
            await executor.say(candidate=made)
            await executor.hear("ack")
    async with (
        running(PLANS, tmp_path, store=store) as runner,
        raw_worker(runner, VALIDATOR, "v1") as validator,
    ):
        judged = await validator.assigned()
        assert judged.candidate.unread == unread
        await validator.judge(judged)
        assert (await task_of(runner, ref, "a")).artifact.unread == unread
        answers = runner.stub.GetArtifact(runner_pb2.GetArtifactRequest(ref=ref, task_id="a"))
        (info, _) = [answer async for answer in answers]
        assert info.info.unread == unread
        await runner.outputs.drained()
        told = json.loads(runner.outputs.path("one", "a").read_bytes())["unread"]
    assert (told["inputs"], told["cut"], told["left_out"]) == (70, 12, 28)
    assert told["examples"] == [{"name": "papers", "task_id": "a", "shown_chars": 2_000, "size_bytes": 9_000}]


async def test_a_maker_that_was_shown_everything_says_nothing_of_it(runner: Running) -> None:
    ref = await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
        made = candidate((await executor.assigned()).lease_id, b"made")
        made.unread.inputs = 7
        await executor.say(candidate=made)
        judged = await validator.assigned()
        assert not judged.candidate.HasField("unread")
        await validator.judge(judged)
    assert not (await task_of(runner, ref, "a")).artifact.HasField("unread")


@pytest.mark.parametrize(
    "hello",
    [
        worker_pb2.Hello(name="w1", slots=1),
        worker_pb2.Hello(role=EXECUTOR, slots=1),
        worker_pb2.Hello(role=EXECUTOR, name="w" * 129, slots=1),
        worker_pb2.Hello(role=EXECUTOR, name="w1"),
        worker_pb2.Hello(role=EXECUTOR, name="w1", slots=1, labels={str(n): "" for n in range(65)}),
    ],
)
async def test_a_hello_that_makes_no_sense_is_refused(runner: Running, hello: worker_pb2.Hello) -> None:
    worker = RawWorker(runner.workers.Connect())
    await worker.say(hello=hello)
    with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT):
        await worker.hear("welcome")


async def test_a_stream_that_does_not_begin_with_hello_is_refused(runner: Running) -> None:
    worker = RawWorker(runner.workers.Connect())
    await worker.say(credit=worker_pb2.Credit(window=1))
    with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT):
        await worker.hear("welcome")


async def test_what_is_ready_at_once_travels_in_one_frame(runner: Running) -> None:
    await runner.start("ten")
    call = runner.workers.Connect()
    worker = RawWorker(call)
    await worker.say(hello=worker_pb2.Hello(role=EXECUTOR, name="w1", slots=10))
    await worker.hear("welcome")
    await worker.say(credit=worker_pb2.Credit(window=10))
    frame: Any = await call.read()
    assert [message.WhichOneof("kind") for message in frame.messages] == ["assign"] * 10
    call.cancel()


@pytest.mark.guard(name="one session a name")
async def test_a_newer_session_of_the_same_name_replaces_the_older_one(runner: Running) -> None:
    async with raw_worker(runner, EXECUTOR, "w1") as old, raw_worker(runner, EXECUTOR, "w1"):
        with refused("SESSION_REPLACED", grpc.StatusCode.FAILED_PRECONDITION):
            await old.hear("assign")


@pytest.mark.guard(name="keep")
async def test_a_worker_whose_stream_was_cut_keeps_its_lease_and_its_late_result_counts(runner: Running) -> None:
    ref = await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "w1") as first:
        assign = await first.assigned()
    async with raw_worker(runner, EXECUTOR, "w1", held=[assign.lease_id]) as second:
        assert (await second.hear("keep")).lease_id == assign.lease_id
        await second.make(assign)
    assert (await task_of(runner, ref, "a")).status == execution_pb2.TASK_STATUS_VALIDATING


@pytest.mark.guard(name="abandon")
async def test_a_worker_that_drains_gives_back_at_once_and_it_costs_nothing(runner: Running) -> None:
    ref = await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "w1") as worker, raw_worker(runner, EXECUTOR, "w2") as other:
        assign = await worker.assigned()
        await worker.say(draining=worker_pb2.Draining())
        await worker.say(abandon=worker_pb2.Abandon(lease_id=assign.lease_id, reason="draining"))
        again = await other.assigned()
    assert again.attempt == 1
    task = await task_of(runner, ref, "a")
    assert (task.failures, task.losses) == (0, 0)


async def test_a_large_candidate_comes_in_chunks_and_is_judged_by_reference(runner: Running) -> None:
    ref = await runner.start("two")
    body = bytes(range(256)) * 4096
    async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
        assign = await executor.assigned()
        for offset in range(0, len(body), 100_000):
            chunk = worker_pb2.CandidateChunk(
                lease_id=assign.lease_id, offset=offset, data=body[offset : offset + 100_000]
            )
            await executor.say(candidate_chunk=chunk)
        whole = candidate(assign.lease_id, body)
        whole.inline = b""
        await executor.say(candidate=whole)
        await executor.hear("ack")
        verdict = await validator.assigned()
        assert verdict.candidate.WhichOneof("content") == "by_reference"
        request = runner_pb2.GetArtifactRequest(
            ref=ref, task_id="a", lease_id=verdict.lease_id, digest=verdict.candidate.digest
        )
        assert await read(runner, request) == body


async def test_a_chunk_out_of_its_order_ends_the_stream(runner: Running) -> None:
    await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "w1") as worker:
        assign = await worker.assigned()
        await worker.say(candidate_chunk=worker_pb2.CandidateChunk(lease_id=assign.lease_id, offset=5, data=b"x"))
        with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT):
            await worker.hear("ack")


async def test_a_candidate_whose_bytes_are_not_what_it_says_is_a_failed_attempt(runner: Running) -> None:
    ref = await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "w1") as worker:
        assign = await worker.assigned()
        wrong = candidate(assign.lease_id, b"text")
        wrong.digest = hashlib.sha256(b"another text").hexdigest()
        await worker.say(candidate=wrong)
        await worker.hear("ack")
        task = await task_of(runner, ref, "a")
    assert task.failures == 1
    assert "expected a candidate of 4 bytes with SHA-256" in task.last_failure


async def test_a_rejected_candidate_comes_back_with_its_reasons(runner: Running) -> None:
    ref = await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
        await executor.make(await executor.assigned(), "first try")
        await validator.judge(await validator.assigned(), execution_pb2.OUTCOME_FAIL)
        again = await executor.assigned()
    assert again.attempt == 2
    assert again.feedback.summary == "too short"
    assert again.feedback.previous_candidate.inline == b"first try"
    assert again.feedback.results[0].reason == "because"
    assert (await task_of(runner, ref, "a")).failures == 1


async def test_a_pass_that_its_own_criteria_contradict_passes_nothing(runner: Running) -> None:
    ref = await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
        await executor.make(await executor.assigned())
        assign = await validator.assigned()
        failed = execution_pb2.CriterionResult(criterion="is good", outcome=execution_pb2.OUTCOME_FAIL)
        await validator.say(
            verdict=worker_pb2.Verdict(lease_id=assign.lease_id, outcome=execution_pb2.OUTCOME_PASS, results=[failed])
        )
        await validator.hear("ack")
        task = await task_of(runner, ref, "a")
    assert (task.status, task.judge_errors) == (execution_pb2.TASK_STATUS_VALIDATING, 1)


@pytest.mark.parametrize(
    ("results", "told"),
    [
        ((), "the verdict was pass, without a passed result for criterion 1"),
        ((("is good", 0),), "the verdict was pass, without a passed result for criterion 1"),
        ((("A person approves", 0), ("is good", 1)), "only a person does, by JudgeTask"),
    ],
)
async def test_a_pass_that_leaves_something_out_or_speaks_for_a_person_passes_nothing(
    runner: Running, results: Sequence[tuple[str, int]], told: str
) -> None:
    ref = await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
        await executor.make(await executor.assigned())
        assign = await validator.assigned()
        passes = execution_pb2.OUTCOME_PASS
        said = [
            execution_pb2.CriterionResult(criterion=criterion, outcome=passes, criterion_number=number)
            for criterion, number in results
        ]
        await validator.say(verdict=worker_pb2.Verdict(lease_id=assign.lease_id, outcome=passes, results=said))
        await validator.hear("ack")
        task = await task_of(runner, ref, "a")
    assert (task.status, task.judge_errors) == (execution_pb2.TASK_STATUS_VALIDATING, 1)
    assert told in task.last_failure


@pytest.mark.guard(name="three missed pings")
async def test_a_worker_that_does_not_answer_pings_loses_its_session(tmp_path: Path) -> None:
    pinging = running(PLANS, tmp_path, timings=StreamTimings(ping_interval=0.05))
    async with pinging as runner, raw_worker(runner, EXECUTOR, "w1") as worker:
        for nonce in (1, 2, 3):
            assert (await worker.hear("ping")).nonce == nonce
        with refused("OK", grpc.StatusCode.OK):
            await worker.hear("assign")


@pytest.mark.guard(name="idle workers are pinged rarely")
async def test_a_worker_that_holds_nothing_is_pinged_rarely_until_it_is_given_work(tmp_path: Path) -> None:
    interval = 0.05
    pinging = running(PLANS, tmp_path, timings=StreamTimings(ping_interval=interval))
    async with pinging as runner, raw_worker(runner, EXECUTOR, "w1") as worker:
        for nonce in (1, 2):
            ping = await worker.hear("ping")
            assert ping.nonce == nonce
            assert 4.9 * interval < ping.next_within.ToTimedelta().total_seconds() <= 5 * interval
            await worker.say(pong=worker_pb2.Pong(nonce=nonce))
        await runner.start("one")
        await worker.assigned()
        for nonce in (3, 4):
            ping = await worker.hear("ping")
            assert (ping.nonce, ping.next_within.ToTimedelta()) == (nonce, timedelta(seconds=interval))
            await worker.say(pong=worker_pb2.Pong(nonce=nonce))


@pytest.mark.guard(name="work brings a ping along")
async def test_an_idle_worker_that_is_given_work_is_pinged_at_once(tmp_path: Path) -> None:
    rarely = StreamTimings(ping_interval=1.0)  # so the second ping, by the clock alone, would come after five seconds
    async with running(PLANS, tmp_path, timings=rarely) as runner, raw_worker(runner, EXECUTOR, "w1") as worker:
        await worker.hear("ping")
        await worker.say(pong=worker_pb2.Pong(nonce=1))
        asked_at = asyncio.get_running_loop().time()
        await runner.start("one")
        await worker.assigned()
        assert (await worker.hear("ping")).next_within.ToTimedelta() == timedelta(seconds=1)
        assert asyncio.get_running_loop().time() - asked_at < 2.5


@pytest.mark.guard(name="a stop cancels")
async def test_stopping_cancels_the_work_at_the_worker(runner: Running) -> None:
    ref = await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "w1") as worker:
        assign = await worker.assigned()
        await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=ref))
        assert (await worker.hear("cancel")).lease_id == assign.lease_id


@pytest.mark.guard(name="a pong is a sign of life")
async def test_a_worker_that_answers_pings_keeps_its_session(tmp_path: Path) -> None:
    pinging = running(PLANS, tmp_path, timings=StreamTimings(ping_interval=0.05))
    async with pinging as runner, raw_worker(runner, EXECUTOR, "w1") as worker:
        for nonce in range(1, 8):
            assert (await worker.hear("ping")).nonce == nonce
            await worker.say(pong=worker_pb2.Pong(nonce=nonce))
        await runner.start("one")
        await worker.hear("assign")


@pytest.mark.guard(name="hello is awaited only so long")
async def test_a_stream_that_says_nothing_is_ended(runner: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_service, "HELLO_WITHIN", 0.05)
    worker = RawWorker(runner.workers.Connect())
    with refused("UNAVAILABLE", grpc.StatusCode.UNAVAILABLE):
        await worker.hear("welcome")


@pytest.mark.guard(name="attention after keep")
async def test_a_worker_that_comes_back_is_told_whether_anybody_watches(tmp_path: Path) -> None:
    async with running(PlannerOfTexts(one="a"), tmp_path, thoughts=LastThoughts(0)) as runner:
        ref = await runner.start("one")
        async with raw_worker(runner, EXECUTOR, "w1") as first:
            lease = (await first.assigned()).lease_id
        call = runner.stub.WatchExecution(runner_pb2.WatchExecutionRequest(ref=ref, follow=True, thinking=True))
        await call.read()
        async with raw_worker(runner, EXECUTOR, "w1", held=[lease]) as second:
            attention = await second.hear("attention")
            assert (attention.lease_id, attention.thinking_wanted) == (lease, True)
        call.cancel()


@pytest.mark.guard(name="uploads are bounded")
async def test_a_worker_uploads_no_more_candidates_at_once_than_it_has_slots(runner: Running) -> None:
    async with raw_worker(runner, EXECUTOR, "w1", slots=2) as worker:
        for lease in ("L1", "L2", "L3"):
            await worker.say(candidate_chunk=worker_pb2.CandidateChunk(lease_id=lease, offset=0, data=b"x"))
        for lease in ("L3", "L2"):
            await worker.say(candidate_chunk=worker_pb2.CandidateChunk(lease_id=lease, offset=1, data=b"x"))
        await worker.say(candidate_chunk=worker_pb2.CandidateChunk(lease_id="L1", offset=1, data=b"x"))
        with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT):
            await worker.hear("ack")
