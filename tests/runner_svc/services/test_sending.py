"""Large contents that are sent: slow readers among the clients leave room to small contents, and to workers."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runner_svc import contents
from runner_svc.contents import LARGE_BYTES, Contents
from runner_svc.services import sending
from runner_svc.services.sending import Sending
from runner_svc.store.memory import MemoryStore
from signoff.errors import TooManyStreams
from signoff.rpc import concurrency
from signoff.rpc.channel import connect
from signoff.v1 import runner_pb2, runner_pb2_grpc, worker_pb2
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, RawWorker, candidate, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running

LARGE = b"large" * (8 * LARGE_BYTES)  # what gRPC takes of it by itself is far less


@pytest.fixture(autouse=True)
def one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "MOST_SENDING", 1)
    monkeypatch.setattr(contents, "LENT_BYTES", 1)  # so that one alone fits
    monkeypatch.setattr(contents, "WAIT", 0.01)
    monkeypatch.setattr(concurrency, "WAIT", 0.01)


@pytest.mark.guard(name="small contents need no place")
@pytest.mark.guard(name="workers have places of their own")
async def test_clients_with_large_contents_leave_places_to_small_ones_and_to_workers() -> None:
    send = Sending(Contents(MemoryStore()))
    async with send.place_for(LARGE_BYTES + 1), send.place_for(LARGE_BYTES), send.place_for(0):
        with pytest.raises(TooManyStreams, match="expected at most 1 large artifacts at once"):
            async with send.place_for(LARGE_BYTES + 1):
                pass
        async with send.place_for(LARGE_BYTES + 1, to_worker=True):
            pass


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(PlannerOfTexts(one="large; small; reader <- large"), tmp_path) as up:
        yield up


async def made(worker: RawWorker, lease: str, body: bytes) -> None:
    """Brings a candidate in chunks, and waits until it is durable."""
    for start in range(0, len(body), LARGE_BYTES):
        data = body[start : start + LARGE_BYTES]
        await worker.say(candidate_chunk=worker_pb2.CandidateChunk(lease_id=lease, offset=start, data=data))
    whole = candidate(lease, body)
    whole.ClearField("inline")
    await worker.say(candidate=whole)
    await worker.hear("ack")


@pytest.mark.guard(name="small contents need no place")
@pytest.mark.guard(name="workers have places of their own")
async def test_a_client_that_reads_a_large_artifact_slowly_keeps_nobody_from_reading(runner: Running) -> None:
    ref = await runner.start("one")
    async with raw_worker(runner, EXECUTOR, "w") as worker, raw_worker(runner, VALIDATOR, "v") as validator:
        for _ in range(2):
            assign = await worker.assigned()
            await made(worker, assign.lease_id, LARGE if assign.task.task_id == "large" else b"small")
            await validator.judge(await validator.assigned())
        reader = await worker.assigned()
        async with connect(runner.address) as slow:
            call = runner_pb2_grpc.RunnerServiceStub(slow).GetArtifact(
                runner_pb2.GetArtifactRequest(ref=ref, task_id="large")
            )
            await call.read()
            await call.read()  # a chunk: it has its place, and the bytes are lent to it
            small = runner_pb2.GetArtifactRequest(ref=ref, task_id="small")
            assert await chunks(runner, small) == hashlib.sha256(b"small").hexdigest()
            digest = reader.inputs[0].digest
            under_lease = runner_pb2.GetArtifactRequest(
                ref=ref, task_id="large", lease_id=reader.lease_id, digest=digest
            )
            assert await chunks(runner, under_lease) == digest
            call.cancel()


async def chunks(runner: Running, request: runner_pb2.GetArtifactRequest) -> str:
    """Returns the digest of what is sent."""
    found = hashlib.sha256()
    async with asyncio.timeout(20):
        async for answer in runner.stub.GetArtifact(request):
            found.update(answer.chunk)
    return found.hexdigest()
