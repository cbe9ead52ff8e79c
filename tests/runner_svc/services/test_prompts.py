"""ListPrompts and GetPrompt: what models were asked, for as long as its execution is kept."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import grpc
import pytest

from runner_svc.core.decide.on_report import MOST_PROMPTS
from runner_svc.services import prompts, worker_service
from runner_svc.services.prompts import Prompts
from runner_svc.store.memory import MemoryStore
from runner_svc.store.port import Store
from runner_svc.store.sqlite import SqliteStore
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2, worker_pb2
from tests.runner_svc.services.test_runner_service import refused
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, RawWorker, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running

MIB = 1024 * 1024
SMALL = b'[{"role": "user", "content": "name a planet"}]'
LARGE = b'[{"role": "user", "content": "%s"}]' % (b"x" * 600_000)


def planner() -> PlannerOfTexts:
    return PlannerOfTexts(two="a; b <- a")


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(planner(), tmp_path) as up:
        yield up


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def ask_with(worker: RawWorker, lease: str, content: bytes, step: int = MIB) -> None:
    for offset in range(0, len(content), step):
        data = content[offset : offset + step]
        await worker.say(
            prompt_chunk=worker_pb2.PromptChunk(lease_id=lease, offset=offset, data=data, size_bytes=len(content))
        )


async def listed(runner: Running, ref: runner_pb2.ExecutionRef, **more: int) -> list[tuple[int, int, str]]:
    request = runner_pb2.ListPromptsRequest(ref=ref, task_id="a", **more)  # type: ignore[arg-type]
    found = (await runner.stub.ListPrompts(request)).prompts
    return [(info.attempt, info.phase, info.digest) for info in found]


async def read(runner: Running, ref: runner_pb2.ExecutionRef, content: bytes) -> runner_pb2.PromptInfo:
    """Reads a prompt, and returns its info."""
    request = runner_pb2.GetPromptRequest(ref=ref, task_id="a", digest=digest(content))
    info, *chunks = [answer async for answer in runner.stub.GetPrompt(request)]
    assert b"".join(chunk.chunk for chunk in chunks) == content
    return info.info


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    if request.param == "memory":
        kept = MemoryStore()
        return lambda: kept
    if request.param == "sqlite":
        return lambda: SqliteStore(tmp_path / "journal.sqlite")
    from runner_svc.store.postgres import PostgresStore  # its driver is an extra

    dsn: str = request.getfixturevalue("dsn")
    return lambda: PostgresStore(dsn)


@pytest.mark.parametrize("step", [MIB, 70_000])
async def test_prompts_are_kept_whole_in_both_phases_and_after_a_restart(
    store: Callable[[], Store], step: int, tmp_path: Path
) -> None:
    async with running(planner(), tmp_path, store=store(), checkpoint_every=1) as runner:
        ref = await runner.start("two")
        async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
            assign = await executor.assigned()
            assert assign.prompts_wanted
            for content in (SMALL, LARGE, SMALL):
                await ask_with(executor, assign.lease_id, content, step)
            await executor.make(assign)
            judged = await validator.assigned()
            assert judged.prompts_wanted
            await ask_with(validator, judged.lease_id, SMALL, step)
            await validator.judge(judged)
            expected = [(1, 1, digest(SMALL)), (1, 1, digest(LARGE)), (1, 2, digest(SMALL))]
            assert await listed(runner, ref) == expected
    async with running(planner(), tmp_path, store=store()) as runner:
        assert await listed(runner, ref) == expected
        assert await listed(runner, ref, phase=pb.PHASE_VALIDATE) == expected[2:]
        assert await listed(runner, ref, attempt=1, phase=pb.PHASE_EXECUTE) == expected[:2]
        assert await listed(runner, ref, attempt=2) == []
        info = await read(runner, ref, LARGE)
        assert (info.worker, info.size_bytes, info.canary) == ("w1", len(LARGE), 0)
        assert info.at.seconds > 0
        assert (await read(runner, ref, SMALL)).phase == pb.PHASE_VALIDATE


@pytest.mark.guard(name="prompts to judges are read after the verdict")
async def test_a_prompt_to_a_judge_is_shown_once_its_verdict_is_in(runner: Running) -> None:
    ref = await runner.start("two")
    async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
        await executor.make(await executor.assigned())
        judged = await validator.assigned()
        await ask_with(validator, judged.lease_id, LARGE)
        await validator.say(progress=worker_pb2.Progress(lease_id=judged.lease_id, thinking="kept"))
        while not runner.hub.thoughts.kept_bytes:  # what came before it is taken in by then
            assert await listed(runner, ref) == []
        with refused("PROMPT_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
            await read(runner, ref, LARGE)
        await validator.judge(judged)
        assert await listed(runner, ref) == [(1, pb.PHASE_VALIDATE, digest(LARGE))]


@pytest.mark.guard(name="a worker is told to send no prompts")
async def test_an_execution_that_keeps_none_has_none(runner: Running) -> None:
    settings = pb.ExecutionSettings(keep_prompts=False)
    started = await runner.stub.StartExecution(runner_pb2.StartExecutionRequest(plan_id="two", settings=settings))
    assert not started.execution.settings.keep_prompts
    ref = runner_pb2.ExecutionRef(execution_id=started.execution.execution_id)
    async with raw_worker(runner, EXECUTOR, "w1") as executor:
        assign = await executor.assigned()
        assert not assign.prompts_wanted
        for content in (SMALL, LARGE):
            await ask_with(executor, assign.lease_id, content)
        await executor.make(assign)
    assert await listed(runner, ref) == []
    with refused("PROMPT_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        await read(runner, ref, SMALL)


async def test_prompts_under_leases_that_were_never_given_are_passed_over(runner: Running) -> None:
    ref = await runner.start("two")
    async with raw_worker(runner, EXECUTOR, "w1") as executor:
        assign = await executor.assigned()
        for content, step in ((SMALL, MIB), (LARGE, 70_000)):
            await ask_with(executor, f"{ref.execution_id}.0.99", content, step)
        await executor.make(assign)
    assert await listed(runner, ref) == []


@pytest.mark.parametrize(
    "chunk",
    [
        worker_pb2.PromptChunk(offset=5, data=b"x", size_bytes=2),
        worker_pb2.PromptChunk(data=b"xx", size_bytes=1),
        worker_pb2.PromptChunk(data=b"x", size_bytes=MIB + 1),
    ],
)
async def test_a_chunk_that_makes_no_sense_ends_the_stream(runner: Running, chunk: worker_pb2.PromptChunk) -> None:
    await runner.start("two")
    async with raw_worker(runner, EXECUTOR, "w1") as executor:
        chunk.lease_id = (await executor.assigned()).lease_id
        with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT):
            await executor.say(prompt_chunk=chunk)
            await executor.hear("ack")


async def test_a_chunk_out_of_order_ends_the_stream(runner: Running) -> None:
    await runner.start("two")
    async with raw_worker(runner, EXECUTOR, "w1") as executor:
        lease = (await executor.assigned()).lease_id
        first = worker_pb2.PromptChunk(lease_id=lease, data=b"x", size_bytes=9)
        second = worker_pb2.PromptChunk(lease_id=lease, offset=3, data=b"x", size_bytes=9)
        with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT):
            for chunk in (first, second):
                await executor.say(prompt_chunk=chunk)
            await executor.hear("ack")


async def test_unfinished_prompts_are_bounded_and_the_work_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_service, "MOST_PROMPTS_OF_A_SESSION", 100_000)
    async with running(planner(), tmp_path) as runner:
        ref = await runner.start("two")
        async with raw_worker(runner, EXECUTOR, "w1") as executor:
            assign = await executor.assigned()
            await ask_with(executor, assign.lease_id, LARGE, 70_000)
            await ask_with(executor, assign.lease_id, SMALL, 10)
            await executor.make(assign)
        assert await listed(runner, ref) == [(1, pb.PHASE_EXECUTE, digest(SMALL))]


class Recording(MemoryStore):
    """The reference store, which notes what was brought under leases."""

    def __init__(self) -> None:
        super().__init__()
        self.brought: list[tuple[str, str]] = []  #: leases and digests

    async def stage(self, lease: str, contents: Mapping[str, bytes], objects: Mapping[str, int]) -> None:
        self.brought += [(lease, name) for name in (*contents, *objects)]
        await super().stage(lease, contents, objects)


@pytest.mark.guard(name="a prompt that is not wanted is not stored")
@pytest.mark.guard(name="a prompt is brought under its lease")
@pytest.mark.guard(name="a prompt that is kept is no leftover")
async def test_prompts_beyond_those_of_a_lease_are_not_stored_and_those_that_are_kept_stay(tmp_path: Path) -> None:
    store = Recording()
    async with running(planner(), tmp_path, store=store) as runner:
        ref = await runner.start("two")
        many = [b"%03d%s" % (number, LARGE) for number in range(MOST_PROMPTS + 10)]
        async with raw_worker(runner, EXECUTOR, "w1") as executor:
            assign = await executor.assigned()
            for content in (*many, many[0]):
                await ask_with(executor, assign.lease_id, content)
            await executor.make(assign)
        kept = [digest(content) for content in many[:MOST_PROMPTS]]
        assert store.brought == [(assign.lease_id, name) for name in kept]
        assert await runner.engine.contents.drop_staged(frozenset(), -1.0) == []
        assert [name for _, _, name in await listed(runner, ref)] == kept
        await read(runner, ref, many[0])


async def test_prompts_of_unknown_tasks_are_not_found(runner: Running) -> None:
    ref = await runner.start("two")
    with refused("TASK_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        await runner.stub.ListPrompts(runner_pb2.ListPromptsRequest(ref=ref, task_id="c"))
    request = runner_pb2.GetPromptRequest(ref=ref, task_id="a")
    with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT):
        await anext(aiter(runner.stub.GetPrompt(request)))


# ---------------------------------------------------------------- the fold


def kept(lease: str, text: str, phase: pb.Phase.ValueType = pb.PHASE_VALIDATE) -> pb.Event:
    return pb.Event(prompt_kept=pb.PromptKept(lease_id=lease, attempt=1, phase=phase, digest=text))


def test_a_prompt_about_a_canary_is_told_as_one_after_its_verdict_and_never_when_its_lease_was_lost() -> None:
    fold = Prompts()
    fold.take(kept("l1", "about the canary"))
    fold.take(pb.Event(lease_lost=pb.LeaseLost(lease_id="l1", attempt=1, phase=pb.PHASE_VALIDATE)))
    assert fold.shown == []
    fold.take(kept("l2", "about the canary"))
    fold.take(pb.Event(canary_judged=pb.CanaryJudged(lease_id="l2", canary=3)))
    fold.take(kept("l3", "about the candidate"))
    fold.take(pb.Event(judge_failed=pb.JudgeFailed(lease_id="l3", attempt=1)))
    assert [(info.digest, info.canary) for info in fold.shown] == [("about the canary", 3), ("about the candidate", 0)]


async def test_however_many_prompts_there_were_an_answer_names_a_bounded_number(
    runner: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompts, "MOST_PROMPTS", 2)
    ref = await runner.start("two")
    async with raw_worker(runner, EXECUTOR, "w1") as executor:
        assign = await executor.assigned()
        for content in (b"1", b"2", b"3"):
            await ask_with(executor, assign.lease_id, content)
        await executor.make(assign)
    assert [name for _, _, name in await listed(runner, ref)] == [digest(b"2"), digest(b"3")]
