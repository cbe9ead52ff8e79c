"""Inputs by reference: fetched under the lease, and what a fetch that fails does to the work."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator

import pytest

from signoff.errors import ArtifactNotFound, SignoffError, StaleLease, StorageFailed
from signoff.v1 import execution_pb2, runner_pb2
from tests.support.model_server import ModelServer, without_proxies
from tests.support.scripted_runner import ScriptedRunner, assign, digest_of
from tests.worker_svc.scripted_handler import AT_ONCE, working
from tests.worker_svc.test_llm_openai import model_at
from worker_svc.executor import Executor
from worker_svc.prompts import MAX_ARTIFACT_CHARS
from worker_svc.stream import Identity, Worker

KIB, MIB = 1024, 1024 * 1024
JUDGE = execution_pb2.PHASE_VALIDATE


@pytest.fixture
async def runner() -> AsyncIterator[ScriptedRunner]:
    async with ScriptedRunner() as listening:
        yield listening


async def test_an_input_by_reference_is_fetched_under_its_lease(runner: ScriptedRunner) -> None:
    content = hashlib.shake_128(b"input").digest(300 * KIB)
    async with working(runner.address) as worker:
        await runner.welcomed(assign("L1", inputs=(runner.put(content),)))
        assignment = (await worker.handler.call()).assignment
        assert [given.content for given in assignment.inputs] == [content]
    (asked,) = runner.asked
    assert (asked.ref.execution_id, asked.task_id) == ("x-1", "1_0")
    assert (asked.lease_id, asked.digest) == ("L1", digest_of(content))


@pytest.mark.parametrize("fault", [StorageFailed("the disk is away"), ArtifactNotFound("withdrawn"), b"other bytes"])
async def test_an_input_that_cannot_be_fetched_is_a_transient_failure(
    runner: ScriptedRunner, fault: SignoffError | bytes
) -> None:
    given = runner.put(b"planets")
    runner.artifacts[given.digest] = fault
    async with working(runner.address):
        stream = await runner.welcomed(assign(inputs=(given,)))
        await stream.expect("accepted")
        failure = await stream.expect("failure")
    assert failure.kind == execution_pb2.FAILURE_KIND_TRANSIENT
    said = str(fault) if isinstance(fault, SignoffError) else "but got 11 bytes with SHA-256"
    assert failure.message.startswith("an input could not be fetched: ")
    assert said in failure.message


async def test_a_judge_without_its_input_is_a_broken_judge(runner: ScriptedRunner) -> None:
    given = runner.put(b"planets")
    runner.artifacts[given.digest] = StorageFailed("the disk is away")
    async with working(runner.address):
        stream = await runner.welcomed(assign("L1", JUDGE, inputs=(given,)))
        await stream.expect("accepted")
        verdict = await stream.expect("verdict")
    assert (verdict.lease_id, verdict.outcome) == ("L1", execution_pb2.OUTCOME_ERROR)
    assert "the disk is away" in verdict.feedback


async def test_work_whose_lease_ended_before_its_input_came_is_dropped(runner: ScriptedRunner) -> None:
    given = runner.put(b"planets")
    runner.artifacts[given.digest] = StaleLease("the lease has ended")
    async with working(runner.address) as worker:
        stream = await runner.welcomed(assign("L1", inputs=(given,)))
        await stream.expect("accepted")
        worker.stop.set()  # with nothing in hand it leaves as soon as the lease is forgotten
        await stream.expect("draining")
        await stream.expect_end()
        await worker.ended()
        assert worker.handler.untaken == 0


async def test_a_model_reads_of_a_mebibyte_by_reference_what_fits_and_that_the_rest_was_cut_off(
    runner: ScriptedRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_proxies(monkeypatch)
    content = ("行星" * MIB).encode()[: MIB - 1]  # 349,525 characters of three bytes each
    async with ModelServer() as server:
        executor, stop = Executor(model_at(server.base_url)), asyncio.Event()
        identity = Identity(role=runner_pb2.WORKER_ROLE_EXECUTOR, name="w1", slots=1, version="test")
        working = asyncio.create_task(Worker(runner.address, identity, executor, AT_ONCE).run(stop, grace=0))
        stream = await runner.welcomed(assign(inputs=(runner.put(content),)))
        while (message := await stream.next()).WhichOneof("kind") != "candidate":
            assert message.WhichOneof("kind") in {"accepted", "progress", "usage"}
        stop.set()
        await working
        await executor.close()
    prompt = server.requests[0].body["messages"][1]["content"]
    assert len(content) > 4 * MAX_ARTIFACT_CHARS
    assert "行星" * (MAX_ARTIFACT_CHARS // 2) in prompt
    assert prompt.count("行") + prompt.count("星") == MAX_ARTIFACT_CHARS
    assert f"(Only the first {MAX_ARTIFACT_CHARS} characters of {len(content)} bytes are shown" in prompt
