"""Workers that send wrong frames: at most their own stream ends, and all others go on."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from structlog.testing import capture_logs

from runner_svc.codec.assignments import INLINE_LIMIT
from runner_svc.core.model import signals
from runner_svc.core.model.values import SessionId
from runner_svc.engine import Engine
from runner_svc.inbox import INBOX_LIMIT
from runner_svc.publish.feed import Feed
from runner_svc.services import hub as hub_module
from runner_svc.services import worker_stream
from runner_svc.services.hub import Hub, SessionWriter
from runner_svc.services.uploads import CandidateUploads
from runner_svc.store.memory import MemoryStore
from signoff.errors import WorkerTooSlow
from signoff.v1 import execution_pb2, runner_pb2, worker_pb2
from tests.runner_svc.services.test_runner_service import refused
from tests.runner_svc.services.test_watching import next_thinking, watch
from tests.runner_svc.services.test_worker_service import task_of
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, RawWorker, candidate, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running
from tests.support.servers.service import until

PLANS = PlannerOfTexts(one="a", two="a; b")
FORGED = "X." + "9" * 5_000
LARGE = b"x" * (INLINE_LIMIT + 1)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def runner(tmp_path: Path, store: MemoryStore) -> AsyncIterator[Running]:
    async with running(PLANS, tmp_path, store=store) as up:
        yield up


async def contents(runner: Running) -> set[str]:
    """Returns the digests of everything that the store keeps, once all messages have been decided and committed."""
    await runner.engine.ask(lambda _: None)
    return set(runner.engine._store._contents)  # type: ignore[attr-defined]  # the memory store's


async def settled(worker: RawWorker, runner: Running) -> None:
    """Waits until the runner has handled all frames of the worker: a result under no lease is answered in its turn."""
    await worker.say(failure=worker_pb2.Failure(lease_id="last"))
    while (await worker.hear("superseded")).lease_id != "last":
        pass
    await runner.engine.ask(lambda _: None)


def forged_everywhere() -> list[worker_pb2.WorkerMessage]:
    """Returns every kind of message about a lease, under an id that no runner gives."""
    message: Any = worker_pb2.WorkerMessage
    kinds = [field for field in message.DESCRIPTOR.fields if "lease_id" in field.message_type.fields_by_name]
    return [message(**{field.name: {"lease_id": FORGED}}) for field in kinds]


@pytest.mark.guard(name="messages are within their bounds")
@pytest.mark.parametrize("message", forged_everywhere(), ids=lambda message: str(message.WhichOneof("kind")))
async def test_a_lease_id_of_thousands_of_digits_ends_the_stream_and_nothing_else(
    runner: Running, message: worker_pb2.WorkerMessage
) -> None:
    ref = await runner.start("one")
    async with raw_worker(runner, VALIDATOR, "liar") as liar:
        await liar.call.write(worker_pb2.ConnectRequest(messages=[message]))
        with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT) as seen:
            await liar.hear("ack")
    assert seen.error is not None
    assert f"messages[0].{message.WhichOneof('kind')}.lease_id: expected" in (seen.error.details() or "")
    async with raw_worker(runner, EXECUTOR, "w1") as executor:
        await executor.make(await executor.assigned())
    assert (await task_of(runner, ref, "a")).status == execution_pb2.TASK_STATUS_VALIDATING


async def test_what_came_before_the_message_that_is_refused_counts(runner: Running) -> None:
    ref = await runner.start("two")
    async with raw_worker(runner, EXECUTOR, "w1") as worker:
        assign = await worker.assigned()
        good = worker_pb2.WorkerMessage(candidate=candidate(assign.lease_id, b"made"))
        bad = worker_pb2.WorkerMessage(credit=worker_pb2.Credit(window=2**32 - 1))
        later = worker_pb2.WorkerMessage(credit=worker_pb2.Credit(window=5))
        await worker.call.write(worker_pb2.ConnectRequest(messages=[good, bad, later]))
        with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT) as seen:
            await worker.hear("assign")
    assert seen.error is not None
    assert "messages[1].credit.window: expected a number from 0 to 20,000" in (seen.error.details() or "")
    assert (await task_of(runner, ref, assign.task.task_id)).status == execution_pb2.TASK_STATUS_VALIDATING


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("held_lease_ids", ["x"] * 20_001),
        ("held_lease_ids", [FORGED]),
        ("models", ["m" * 257]),
        ("handlers", ["h"] * 1_001),
        ("makers", ["two\nlines"]),
        ("features", ["f" * 3_000_000]),
        ("labels", {"gpu": "x" * 1_000_000}),
        ("name", "w\0"),
        ("name", "\x1b[2J"),
        ("slots", 2**32 - 1),
        ("maker", "m" * 1_000_000),
    ],
)
async def test_a_hello_out_of_its_bounds_is_refused_with_the_field(runner: Running, field: str, value: Any) -> None:
    worker = RawWorker(runner.workers.Connect())
    hello: dict[str, Any] = {"role": EXECUTOR, "name": "w1", "slots": 1} | {field: value}
    await worker.say(hello=worker_pb2.Hello(**hello))
    with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT) as seen:
        await worker.hear("welcome")
    assert seen.error is not None
    assert f"messages[0].hello.{field}" in (seen.error.details() or "")
    assert not (await runner.stub.ListWorkers(runner_pb2.ListWorkersRequest())).workers


async def test_workers_with_very_many_names_are_listed_all_the_same(runner: Running) -> None:
    names = [f"{n:0256}" for n in range(1000)]
    calls = []
    for number in range(20):
        worker = RawWorker(runner.workers.Connect())
        hello = worker_pb2.Hello(role=EXECUTOR, name=f"w{number:02}", slots=1, models=names, handlers=names)
        await worker.say(hello=hello)
        await worker.hear("welcome")
        calls.append(worker.call)
    listed = (await runner.stub.ListWorkers(runner_pb2.ListWorkersRequest())).workers
    assert [worker.name for worker in listed] == [f"w{number:02}" for number in range(20)]
    assert all(worker.models[0] == names[0] for worker in listed)
    for call in calls:
        call.cancel()


async def test_a_long_version_is_cut_and_shown(runner: Running) -> None:
    worker = RawWorker(runner.workers.Connect())
    await worker.say(hello=worker_pb2.Hello(role=EXECUTOR, name="w1", slots=1, version="v" * 3_000_000))
    await worker.hear("welcome")
    (shown,) = (await runner.stub.ListWorkers(runner_pb2.ListWorkersRequest())).workers
    assert shown.version == "v" * 127 + "…"
    worker.call.cancel()


@pytest.mark.parametrize(
    ("kind", "failures"), [(execution_pb2.FAILURE_KIND_TRANSIENT, 1), (execution_pb2.FAILURE_KIND_RATE_LIMITED, 0)]
)
async def test_a_retry_in_a_billion_years_is_one_in_a_day(
    runner: Running, kind: execution_pb2.FailureKind.ValueType, failures: int
) -> None:
    ref = await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "w1") as worker:
        lease = (await worker.assigned()).lease_id
        await worker.say(
            failure=worker_pb2.Failure(
                lease_id=lease,
                kind=kind,
                message="\0" * 100_000,
                retry_after=Duration(seconds=2**63 - 1, nanos=-1),
            )
        )
        await worker.hear("ack")
        task = await task_of(runner, ref, "a")
    assert task.failures == failures
    assert 86_000 < task.waiting.until.ToSeconds() - runner.engine.now() < 90_000


async def test_a_model_that_one_worker_finds_away_without_saying_where_holds_no_other_up(runner: Running) -> None:
    ref = await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "rogue") as rogue:
        lease = (await rogue.assigned()).lease_id
        kind, day = execution_pb2.FAILURE_KIND_RATE_LIMITED, Duration(seconds=86_400)
        await rogue.say(failure=worker_pb2.Failure(lease_id=lease, kind=kind, message="no", retry_after=day))
        await rogue.hear("ack")
        async with raw_worker(runner, EXECUTOR, "honest") as honest:
            await honest.make(await honest.assigned())
    assert (await task_of(runner, ref, "a")).failures == 0


async def test_a_frame_of_a_hundred_thousand_messages_holds_nobody_else_up(runner: Running) -> None:
    async with raw_worker(runner, EXECUTOR, "many") as many, raw_worker(runner, EXECUTOR, "w2"):
        pongs = [worker_pb2.WorkerMessage(pong=worker_pb2.Pong(nonce=1))] * 100_000
        await many.call.write(worker_pb2.ConnectRequest(messages=pongs))
        async with asyncio.timeout(5):
            assert len((await runner.stub.ListWorkers(runner_pb2.ListWorkersRequest())).workers) == 2
        await many.call.write(worker_pb2.ConnectRequest(messages=[*pongs, pongs[0]]))
        with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT):
            await many.hear("ack")


# ---------------------------------------------------------------- leases that were not given


@pytest.mark.guard(name="large candidates under leases that are held")
async def test_a_large_candidate_under_a_lease_that_was_never_given_is_not_stored(runner: Running) -> None:
    await runner.start("one")
    async with raw_worker(runner, VALIDATOR, "liar") as liar, raw_worker(runner, EXECUTOR, "w1") as honest:
        lease = (await honest.assigned()).lease_id
        await liar.say(candidate=candidate("never.0.1", LARGE))
        assert (await liar.hear("superseded")).lease_id == "never.0.1"
        assert not await contents(runner)
        await honest.say(candidate=candidate(lease, LARGE))
        await honest.hear("ack")
        assert await contents(runner) == {hashlib.sha256(LARGE).hexdigest()}


@pytest.mark.guard(name="large candidates under leases that are held")
async def test_a_large_candidate_under_the_lease_of_another_is_not_stored_apart(
    runner: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: list[str] = []

    async def note(digest: str, body: bytes) -> None:
        stored.append(digest)

    await runner.start("one")
    async with raw_worker(runner, VALIDATOR, "liar") as liar, raw_worker(runner, EXECUTOR, "w1") as honest:
        lease = (await honest.assigned()).lease_id
        monkeypatch.setattr(runner.engine.contents, "put", note)
        await liar.say(candidate=candidate(lease, LARGE))
        assert (await liar.hear("superseded")).lease_id == lease
        assert not stored


@pytest.mark.guard(name="a judge brings no candidate")
async def test_a_candidate_of_a_judge_is_not_stored(runner: Running) -> None:
    await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "w1") as honest, raw_worker(runner, VALIDATOR, "liar") as liar:
        await honest.make(await honest.assigned())
        judged = await liar.assigned()
        before = await contents(runner)
        await liar.say(candidate=candidate(judged.lease_id, LARGE))
        assert (await liar.hear("superseded")).lease_id == judged.lease_id
        assert await contents(runner) == before
        await liar.judge(judged)


@pytest.mark.guard(name="chunks under leases that are held")
async def test_chunks_under_a_lease_that_was_never_given_are_passed_over(
    runner: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = watch_uploads(monkeypatch)
    await runner.start("one")
    async with raw_worker(runner, VALIDATOR, "liar", slots=2) as liar, raw_worker(runner, EXECUTOR, "w1") as honest:
        lease = (await honest.assigned()).lease_id
        for forged in ("never.0.1", lease):
            for offset in (0, len(LARGE)):
                await liar.say(candidate_chunk=worker_pb2.CandidateChunk(lease_id=forged, offset=offset, data=LARGE))
            whole = candidate(forged, LARGE + LARGE)
            whole.inline = b""
            await liar.say(candidate=whole)
            assert (await liar.hear("superseded")).lease_id == forged
        assert max(kept) == 0
        assert not await contents(runner)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", marks=pytest.mark.guard(name="a small candidate in chunks is stored"), id="empty"),
        pytest.param(b"small", marks=pytest.mark.guard(name="a small candidate in chunks is stored"), id="small"),
        pytest.param(LARGE, id="large"),
    ],
)
async def test_a_candidate_of_any_size_may_come_in_chunks_and_is_kept(runner: Running, body: bytes) -> None:
    ref = await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "w1") as worker, raw_worker(runner, VALIDATOR, "v1") as validator:
        lease = (await worker.assigned()).lease_id
        await worker.say(candidate_chunk=worker_pb2.CandidateChunk(lease_id=lease, data=body))
        whole = candidate(lease, body)
        whole.inline = b""
        await worker.say(candidate=whole)
        await worker.hear("ack")
        await validator.judge(await validator.assigned())
        parts = [part async for part in runner.stub.GetArtifact(runner_pb2.GetArtifactRequest(ref=ref, task_id="a"))]
    assert b"".join(part.chunk for part in parts) == body


def watch_uploads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Returns a list that gets, after each chunk, the bytes of unfinished uploads that the runner keeps."""
    kept: list[int] = []
    add = CandidateUploads.add

    def watched(self: CandidateUploads, *arguments: Any) -> Any:
        given_up = add(self, *arguments)
        kept.append(self.kept_bytes)
        return given_up

    monkeypatch.setattr(CandidateUploads, "add", watched)
    return kept


async def test_an_upload_that_is_too_much_fails_for_now_and_its_worker_is_told(
    runner: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_stream, "MAX_CANDIDATE_BYTES", 3 * len(LARGE))
    ref = await runner.start("two")
    async with raw_worker(runner, EXECUTOR, "w1", slots=2) as worker:
        leases = {assign.task.task_id: assign.lease_id for assign in [await worker.assigned(), await worker.assigned()]}
        for offset in range(0, 4 * len(LARGE), len(LARGE)):
            chunk = worker_pb2.CandidateChunk(lease_id=leases["a"], offset=offset, data=LARGE)
            await worker.say(candidate_chunk=chunk)
        assert (await worker.hear("ack")).lease_id == leases["a"]
        chunk = worker_pb2.CandidateChunk(lease_id=leases["a"], offset=4 * len(LARGE), data=LARGE)
        await worker.say(candidate_chunk=chunk)  # it has not heard yet
        await worker.make(worker_pb2.Assign(lease_id=leases["b"]))
    assert "expected a candidate of at most" in (await task_of(runner, ref, "a")).last_failure


@pytest.mark.guard(name="thinking under leases of its own")
async def test_nobody_thinks_under_the_lease_of_another(runner: Running) -> None:
    ref = await runner.start("one")
    answers = watch(runner, ref, follow=True, thinking=True)
    await anext(answers)
    async with raw_worker(runner, VALIDATOR, "liar") as liar, raw_worker(runner, EXECUTOR, "w1") as honest:
        lease = (await honest.assigned()).lease_id
        await liar.say(progress=worker_pb2.Progress(lease_id=lease, thinking="buy now", gap=True))
        await settled(liar, runner)
        await honest.say(progress=worker_pb2.Progress(lease_id=lease, thinking="hm" * 100_000))
        thought = await next_thinking(answers)
    assert thought.text.startswith("hmhm")
    assert len(thought.text) == 65_536


async def test_a_checkpoint_under_the_lease_of_another_is_not_kept(runner: Running) -> None:
    await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "w1") as honest, raw_worker(runner, EXECUTOR, "liar") as liar:
        lease = (await honest.assigned()).lease_id
        await liar.say(progress=worker_pb2.Progress(lease_id=lease, checkpoint=b"mine"))
        await settled(liar, runner)
        assert hashlib.sha256(b"mine").hexdigest() not in await contents(runner)


# ---------------------------------------------------------------- flooding


@pytest.mark.guard(name="the outbox is bounded")
async def test_a_worker_that_says_much_and_reads_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "MOST_UNSENT", 100)
    session = SessionWriter(SessionId("s"), worker_pb2.Hello(name="w"), 0.0)
    for _ in range(1000):
        session.send(worker_pb2.RunnerMessage(superseded=worker_pb2.Superseded(lease_id="x")))
        assert len(session.outbox) <= 100
    assert isinstance(session.ended.result(), WorkerTooSlow)


async def test_a_flood_of_results_under_no_lease_ends_the_session_that_does_not_read(
    runner: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hub_module, "MOST_UNSENT", 2_000)
    failure = worker_pb2.WorkerMessage(failure=worker_pb2.Failure(lease_id="never.0.1" + "0" * 100))
    with capture_logs() as logs:
        async with raw_worker(runner, EXECUTOR, "flood") as flood:
            flooding = asyncio.create_task(write_for_ever(flood, worker_pb2.ConnectRequest(messages=[failure] * 5_000)))
            await until(lambda: not runner.hub.sessions, "the session has ended")
            async with raw_worker(runner, EXECUTOR, "w1"):
                assert [session.hello.name for session in runner.hub.sessions.values()] == ["w1"]
            flooding.cancel()
            await asyncio.gather(flooding, return_exceptions=True)
    assert "bug" not in {entry["event"] for entry in logs}
    assert not [record for record in caplog.records if record.exc_info]  # gRPC's, which cannot send the status


async def write_for_ever(worker: RawWorker, frame: worker_pb2.ConnectRequest) -> None:
    while True:
        await worker.call.write(frame)


@pytest.mark.guard(name="the inbox is bounded")
async def test_who_sends_faster_than_the_engine_takes_slows_down_alone() -> None:
    feed = Feed()
    engine = Engine(MemoryStore(), performer=Hub(feed), feed=feed)
    await engine.open()
    running = asyncio.create_task(engine.run())
    said = 0

    async def flood() -> None:
        nonlocal said
        gone = signals.WorkerDraining(at=engine.now(), session=SessionId("flood"))
        while True:
            await engine.report(*[gone] * 500)
            said += 500

    flooding = asyncio.create_task(flood())
    try:
        async with asyncio.timeout(30):
            for _ in range(3):
                before = said
                await engine.ask(lambda _: None)
                assert said - before <= 2 * INBOX_LIMIT  # no more than the inbox holds comes before the others
    finally:
        for task in (flooding, running):
            task.cancel()
        await asyncio.gather(flooding, running, return_exceptions=True)
