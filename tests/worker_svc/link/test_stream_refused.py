"""Refusals that no retry can mend: the worker drops its work and ends, and says why."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import pytest

from signoff.errors import InvalidField, SessionReplaced
from tests.support.servers.scripted_runner import ScriptedRunner, assign, welcome
from tests.support.work.scripted_handler import working
from worker_svc.link.session import WorkerRefused


@pytest.fixture
async def runner() -> AsyncIterator[ScriptedRunner]:
    async with ScriptedRunner() as listening:
        yield listening


@pytest.mark.guard(name="a refusal ends a worker")
@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (SessionReplaced("a newer session of w1 took over"), "a newer session of w1 took over"),
        (InvalidField("hello.slots", "1 to 10,000", "0"), "hello.slots: expected 1 to 10,000, but got 0"),
    ],
)
@pytest.mark.parametrize("is_welcomed", [False, True])
async def test_a_refusal_that_a_retry_cannot_mend_ends_the_worker(
    runner: ScriptedRunner, refusal: SessionReplaced | InvalidField, said: str, is_welcomed: bool
) -> None:
    async with working(runner.address) as worker:
        stream = await (runner.welcomed(assign()) if is_welcomed else runner.stream())
        call = await worker.handler.call() if is_welcomed else None
        stream.refuse(refusal)
        with pytest.raises(WorkerRefused) as caught:
            await worker.ended()
        assert str(caught.value) == f"the runner at {runner.address} refused the worker: {said}"
        assert call is None or call.cancelled.is_set()
        assert worker.handler.running == 0


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNIMPLEMENTED])
async def test_a_peer_that_will_never_serve_it_ends_the_worker(runner: ScriptedRunner, code: grpc.StatusCode) -> None:
    async with working(runner.address) as worker:
        (await runner.stream()).abort(code, "not here")
        with pytest.raises(WorkerRefused, match="refused the worker: not here"):
            await worker.ended()


async def test_a_runner_that_takes_only_tiny_frames_ends_the_worker(runner: ScriptedRunner) -> None:
    async with working(runner.address) as worker:
        await (await runner.stream()).send(welcome(max_frame_bytes=1000))
        with pytest.raises(
            WorkerRefused, match=r"expected a runner that takes frames of at least 65536 bytes, but the"
        ):
            await worker.ended()


async def test_what_the_runner_answers_to_a_goodbye_is_heard(runner: ScriptedRunner) -> None:
    async with working(runner.address) as worker:
        stream = await runner.welcomed()
        stream.answers_goodbye = False
        worker.stop.set()
        await stream.expect("draining")
        await stream.expect_end()
        stream.refuse(SessionReplaced("a newer session of w1 took over"))
        with pytest.raises(WorkerRefused, match="a newer session of w1 took over"):
            await worker.ended()
