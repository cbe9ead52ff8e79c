"""Connections that are quiet for long, or told to go away: streams survive the one and workers the other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from runner_svc.core.fleet.timings import StreamTimings
from signoff.rpc.channel import CHANNEL_OPTIONS, SERVER_OPTIONS
from signoff.v1 import runner_pb2, runner_pb2_grpc, worker_pb2, worker_pb2_grpc
from tests.support.processes.busy import UNDISTURBED, busy_worker, until_made
from tests.support.servers.raw_worker import EXECUTOR, PATIENCE, RawWorker
from tests.support.servers.runner import PlannerOfTexts, Running, running

PLANS = PlannerOfTexts(one="a", ten="; ".join(f"t{n}" for n in range(10)))
TIMES = ("grpc.keepalive_time_ms", "grpc.keepalive_timeout_ms", "grpc.http2.ping_timeout_ms")
QUIET = StreamTimings(ping_interval=3600, max_stream_age=0)  # nothing is sent but keepalive

Options = Sequence[tuple[str, int]]


def scaled(options: Options, by: int) -> Options:
    """The same with clocks that run so many times faster."""
    clocks = (*TIMES, "grpc.http2.min_ping_interval_without_data_ms")
    return [(name, value // by if name in clocks else value) for name, value in options]


@pytest.mark.guard(name="keepalive is permitted")
def test_a_server_permits_twice_as_many_pings_as_clients_send() -> None:
    client, server = dict(CHANNEL_OPTIONS), dict(SERVER_OPTIONS)
    assert 2 * server["grpc.http2.min_ping_interval_without_data_ms"] <= client["grpc.keepalive_time_ms"]
    assert server["grpc.keepalive_permit_without_calls"] == 1
    assert client["grpc.http2.max_pings_without_data"] == server["grpc.http2.max_pings_without_data"] == 0


def test_both_sides_find_a_dead_link_in_the_same_time() -> None:
    client, server = dict(CHANNEL_OPTIONS), dict(SERVER_OPTIONS)
    assert [client[name] for name in TIMES] == [server[name] for name in TIMES]
    assert client["grpc.http2.ping_timeout_ms"] <= client["grpc.keepalive_time_ms"]


@asynccontextmanager
async def quiet_streams(runner: Running, options: Options) -> AsyncIterator[tuple[RawWorker, Any]]:
    """A worker's stream and a watcher's, each on a connection of its own, both with nothing to say."""
    ref = await runner.start("one")
    async with (
        grpc.aio.insecure_channel(runner.address, options) as one,
        grpc.aio.insecure_channel(runner.address, options) as other,
    ):
        worker = RawWorker(worker_pb2_grpc.WorkerServiceStub(one).Connect())
        await worker.say(hello=worker_pb2.Hello(role=EXECUTOR, name="w1", slots=1))
        await worker.hear("welcome")
        request = runner_pb2.WatchExecutionRequest(ref=ref, follow=True)
        watch: Any = runner_pb2_grpc.RunnerServiceStub(other).WatchExecution(request)
        assert (await watch.read()).snapshot.last
        yield worker, watch


async def still_works(worker: RawWorker, watch: Any) -> None:
    """A credit leads to an assignment, and the watcher is told."""
    await worker.say(credit=worker_pb2.Credit(window=1))
    await worker.hear("assign")
    async with asyncio.timeout(PATIENCE):
        answer = await watch.read()
    assert [event.WhichOneof("kind") for event in answer.events.events] == ["task_assigned"]


@pytest.mark.guard(name="keepalive is permitted")
async def test_quiet_streams_outlive_many_keepalive_pings(tmp_path: Path) -> None:
    faster = 20  # a ping each second: the C core sends none more often
    runs = running(PLANS, tmp_path, timings=QUIET, options=scaled(SERVER_OPTIONS, faster))
    async with runs as runner, quiet_streams(runner, scaled(CHANNEL_OPTIONS, faster)) as (worker, watch):
        await asyncio.sleep(6)  # real time, in which the C core pings
        await still_works(worker, watch)


@pytest.mark.long
async def test_quiet_streams_outlive_ten_minutes(tmp_path: Path) -> None:
    runs = running(PLANS, tmp_path, timings=QUIET)
    async with runs as runner, quiet_streams(runner, CHANNEL_OPTIONS) as (worker, watch):
        await asyncio.sleep(600)  # real time, as proxies and firewalls count it
        await still_works(worker, watch)


@pytest.mark.guard(name="only a refusal ends a worker")
async def test_a_worker_whose_connections_are_told_to_go_away_loses_nothing(tmp_path: Path) -> None:
    streams, enough = 0, asyncio.Event()

    def another(_least: float, _most: float) -> float:
        nonlocal streams
        streams += 1
        if streams > 3:
            enough.set()
        return 1.0

    short_lived = [
        *SERVER_OPTIONS,
        ("grpc.max_connection_age_ms", 300),
        ("grpc.max_connection_age_grace_ms", 100),
    ]
    runs = running(PLANS, tmp_path, jitter=another, options=short_lived)
    async with runs as runner:
        ref = await runner.start("ten")
        async with busy_worker(runner.address, enough):
            await asyncio.wait_for(enough.wait(), PATIENCE)
            happened = await until_made_despite_it(runner, ref)
    assert set(happened) == UNDISTURBED


async def until_made_despite_it(runner: Running, ref: runner_pb2.ExecutionRef) -> list[str | None]:
    """Does what until_made does, when the watcher's own connection is told to go away too."""
    while True:
        with contextlib.suppress(grpc.aio.AioRpcError):
            return await until_made(runner, ref, 10)
