"""A content that is lost, or that the object store refuses, is the trouble of one task: no stream ends for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import grpc
import pytest
from structlog.testing import capture_logs

from runner_svc.contents import LARGE_BYTES
from runner_svc.objects.folder import FolderObjects
from runner_svc.store.memory import MemoryStore
from runner_svc.store.port import InObjects
from signoff.errors import StorageFailed
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2, worker_pb2
from tests.runner_svc.services.test_late_results import until_event
from tests.runner_svc.services.test_runner_service import refused
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, RawWorker, candidate, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running

PLANS = PlannerOfTexts(one="a", two="a; b <- a")
LARGE = b"x" * (LARGE_BYTES + 1)


class LosingStore(MemoryStore):
    """A store that loses contents, or gives none while it is away."""

    def __init__(self) -> None:
        super().__init__()
        self.lost: set[str] = set()
        self.is_away = False

    async def content(self, digest: str) -> bytes | InObjects | None:
        if self.is_away:
            raise StorageFailed("the disk does not answer")
        return None if digest in self.lost else await super().content(digest)

    def lose(self, text: str) -> None:
        self.lost.add(sha256(text.encode()).hexdigest())


class RefusingObjects(FolderObjects):
    """An object store that takes no object."""

    async def put(self, digest: str, pieces: AsyncIterator[bytes]) -> None:
        raise StorageFailed(f"the object store is full: it refused {digest[:4]}")


async def one_goes_on(runner: Running, executor: RawWorker, validator: RawWorker) -> None:
    """Runs another plan to its end, on streams that are still the same."""
    ref = await runner.start("one")
    await executor.make(await executor.assigned(), "healthy")
    await validator.judge(await validator.assigned())
    await until_event(runner, ref, "execution_succeeded")


@pytest.mark.guard(name="a lost content ends no stream")
async def test_a_task_whose_input_is_lost_fails_with_the_sentence_and_the_others_go_on(tmp_path: Path) -> None:
    store = LosingStore()
    async with (
        running(PLANS, tmp_path, store=store) as runner,
        raw_worker(runner, EXECUTOR, "w1") as executor,
        raw_worker(runner, VALIDATOR, "v1") as validator,
    ):
        ref = await runner.start("two")
        for text in ("made of a", "made of b"):
            await executor.make(await executor.assigned(), text)
            await validator.judge(await validator.assigned())
        await until_event(runner, ref, "execution_succeeded")
    store.lose("made of a")
    async with (
        running(PLANS, tmp_path, store=store) as runner,
        raw_worker(runner, EXECUTOR, "w1") as executor,
        raw_worker(runner, VALIDATOR, "v1") as validator,
    ):
        await runner.stub.RetryTask(runner_pb2.RetryTaskRequest(ref=ref, task_id="b"))
        failed = (await until_event(runner, ref, "attempt_failed")).attempt_failed
        assert failed.kind == pb.FAILURE_KIND_PERMANENT
        assert "in the store, but it is not there" in failed.message
        await one_goes_on(runner, executor, validator)


@pytest.mark.guard(name="a lost content ends no stream")
async def test_a_candidate_that_is_lost_before_it_is_judged_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    store = LosingStore()
    async with running(PLANS, tmp_path, store=store) as runner, raw_worker(runner, EXECUTOR, "w1") as executor:
        ref = await runner.start("two")
        await executor.make(await executor.assigned(), "lost")
    store.lose("lost")
    async with (
        running(PLANS, tmp_path, store=store) as runner,
        raw_worker(runner, EXECUTOR, "w1") as executor,
        raw_worker(runner, VALIDATOR, "v1") as validator,
    ):
        failed = (await until_event(runner, ref, "judge_failed")).judge_failed
        assert "in the store, but it is not there" in failed.message
        await one_goes_on(runner, executor, validator)


async def test_while_the_store_is_away_a_stream_ends_and_the_lease_is_not_failed(tmp_path: Path) -> None:
    store = LosingStore()
    async with running(PLANS, tmp_path, store=store) as runner, raw_worker(runner, EXECUTOR, "w1") as executor:
        ref = await runner.start("one")
        await executor.make(await executor.assigned())
    store.is_away = True
    async with running(PLANS, tmp_path, store=store) as runner:
        with capture_logs() as logs, refused("STORAGE_FAILED", grpc.StatusCode.UNAVAILABLE):
            async with raw_worker(runner, VALIDATOR, "v1") as validator:
                await validator.assigned()
        assert [log["error"] for log in logs if log["event"] == "storage_failed"] == ["the disk does not answer"]
        store.is_away = False
        async with raw_worker(runner, VALIDATOR, "v1") as validator:
            await validator.judge(await validator.assigned())
        await until_event(runner, ref, "execution_succeeded")


@pytest.mark.guard(name="a candidate that is refused ends no stream")
async def test_a_candidate_that_the_object_store_refuses_fails_its_attempt_and_the_others_go_on(tmp_path: Path) -> None:
    objects = RefusingObjects(tmp_path / "objects")
    async with (
        running(PLANS, tmp_path, objects=objects) as runner,
        raw_worker(runner, EXECUTOR, "w1") as executor,
        raw_worker(runner, VALIDATOR, "v1") as validator,
    ):
        ref = await runner.start("one")
        made = candidate((await executor.assigned()).lease_id, LARGE)
        with capture_logs() as logs:
            await executor.say(candidate=made)
            await executor.hear("ack")
        assert [log["log_level"] for log in logs if log["event"] == "candidate_not_stored"] == ["warning"]
        failed = (await until_event(runner, ref, "attempt_failed")).attempt_failed
        assert failed.kind == pb.FAILURE_KIND_TRANSIENT
        assert "the object store is full" in failed.message
        await runner.stub.StopExecution(runner_pb2.StopExecutionRequest(ref=ref))
        await one_goes_on(runner, executor, validator)


async def test_a_small_candidate_needs_no_object_store(tmp_path: Path) -> None:
    objects = RefusingObjects(tmp_path / "objects")
    async with running(PLANS, tmp_path, objects=objects) as runner, raw_worker(runner, EXECUTOR, "w1") as executor:
        await runner.start("one")
        assign = await executor.assigned()
        body = LARGE[:LARGE_BYTES]
        await executor.say(candidate=candidate(assign.lease_id, body))
        assert isinstance(await executor.hear("ack"), worker_pb2.Ack)
