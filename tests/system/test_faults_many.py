"""Many at once: hundreds of executions while workers die, and hundreds of workers that lost the same runner."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path

import pytest

from runner_svc.core.model.states import ExecutionState
from signoff.v1 import runner_pb2
from tests.support.processes.cluster import Cluster, Shape
from tests.support.servers.service import until
from tests.support.values.plans import random_plan
from worker_svc.executor import Executor
from worker_svc.link.session import SessionTimings
from worker_svc.link.stream import Identity, Worker
from worker_svc.mock import MockModel

EXECUTIONS = 300
WORKERS = 500
SPREAD = 4.0  # seconds of the first pause at most: long, lest a stall of this machine look like a rush
BUCKETS = 5  # of the time from the first to the last that came back: a hundred workers each, were the rate even


@pytest.mark.long
@pytest.mark.parametrize("seed", [1])
async def test_hundreds_of_executions_end_well_while_workers_are_killed_at_random(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    model = f"mock:delay=0.02,fail=0.1,reject=0.1,judge_error=0.05,seed={seed}"
    async with Cluster(Shape(folder=tmp_path, model=model, executors=7, validators=5)) as cluster:
        plans = [random_plan(chance, f"p{number}") for number in range(10)]
        async with _workers_killed_at_random(cluster, chance):
            for _ in range(EXECUTIONS):
                await cluster.start(chance.choice(plans), max_failures=4, max_judge_errors=50)
            await cluster.ended(within=120.0)
        state = await cluster.check()
    ended = Counter(execution.state for execution in state.executions.values())
    assert ended.total() == EXECUTIONS
    assert ended[ExecutionState.SUCCEEDED] > 0.8 * EXECUTIONS


@asynccontextmanager
async def _workers_killed_at_random(cluster: Cluster, chance: random.Random) -> AsyncIterator[None]:
    killing = asyncio.create_task(_kill_at_random(cluster, chance))
    try:
        yield
    finally:
        killing.cancel()
        with suppress(asyncio.CancelledError):
            await killing


async def _kill_at_random(cluster: Cluster, chance: random.Random) -> None:
    """Kills a worker about every half second; most are started again at once."""
    while True:
        await asyncio.sleep(chance.expovariate(2.0))
        victim = cluster[chance.choice(cluster.workers)]
        if victim.is_up and chance.random() < 0.8:
            await victim.kill()
        if not victim.is_up and chance.random() < 0.9:
            await victim.start()


@pytest.mark.long
@pytest.mark.guard(name="jitter")
async def test_workers_that_lost_the_same_runner_come_back_at_no_more_than_twice_the_mean_rate(tmp_path: Path) -> None:
    flags = ("--log-format", "json")
    shape = Shape(folder=tmp_path, executors=0, validators=0, recorded=False, runner_flags=flags)
    meant: dict[str, float] = {}
    async with Cluster(shape) as cluster, _crowd(cluster["runner"].address, meant):
        await _all_joined(cluster, 0)
        said = cluster["runner"].place
        await cluster["runner"].kill()
        await cluster["runner"].start()
        joined = await _all_joined(cluster, said)
    assert joined[-1] - joined[0] > 0.75 * SPREAD, "they did not come all at once"
    assert len(meant) == WORKERS, "each has drawn a pause"
    assert max(_histogram(sorted(meant.values()))) <= 2.0 * WORKERS / BUCKETS, _histogram(sorted(meant.values()))


@asynccontextmanager
async def _crowd(runner: str, meant: dict[str, float]) -> AsyncIterator[None]:
    """Runs real workers, many in one process.

    `meant` takes, by their names, the times for which they meant to come back when they last drew a pause: when they
    do come is also a matter of how busy this machine is.
    """
    stop, handler = asyncio.Event(), Executor(MockModel())
    names = [f"worker-{number}" for number in range(WORKERS)]
    role = runner_pb2.WORKER_ROLE_EXECUTOR

    def patience(name: str) -> SessionTimings:
        def drawn(least: float, most: float) -> float:
            pause = random.uniform(least, most)
            meant[name] = asyncio.get_running_loop().time() + pause
            return pause

        return SessionTimings(first_backoff=SPREAD, jitter=drawn)

    who = [Identity(role=role, name=name, slots=1, version="test") for name in names]
    crowd = [Worker(runner, identity, handler, patience(identity.name)) for identity in who]
    async with asyncio.TaskGroup() as group:
        for worker in crowd:
            group.create_task(worker.run(stop, grace=0.0))
        try:
            yield
        finally:
            stop.set()


async def _all_joined(cluster: Cluster, said: int) -> Sequence[float]:
    """Waits until all workers have joined; returns the Unix times of that, as the runner logged them."""
    runner = cluster["runner"]
    await until(lambda: len(_joined(runner.said(said))) >= WORKERS, "all join", 120.0)
    return _joined(runner.said(said))


def _joined(log: str) -> list[float]:
    lines = [json.loads(line) for line in log.splitlines() if line.endswith("}")]
    times = {line["worker"]: line["timestamp"] for line in reversed(lines) if line["event"] == "worker_joined"}
    return sorted(datetime.fromisoformat(time).timestamp() for time in times.values())


def _histogram(times: Sequence[float]) -> list[int]:
    width = (times[-1] - times[0]) / BUCKETS
    places = Counter(min(BUCKETS - 1, int((time - times[0]) / width)) for time in times)
    return [places[place] for place in range(BUCKETS)]
