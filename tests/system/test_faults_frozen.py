"""Processes frozen for 45 s under the clocks that people run with: pings every 10 s, a grace of 60 s."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.processes.cluster import Cluster, Shape
from tests.support.watched_execution import WatchedExecution, leases_of

FROZEN = 45.0  # seconds: longer than either side waits for the other, shorter than the grace
MISSED_WITHIN = 42.0  # seconds: three pings of ten, and the one that was just answered; keepalive may be first

pytestmark = pytest.mark.long


@pytest.mark.guard(name="kept and told so")
async def test_a_worker_frozen_for_45_s_comes_back_to_what_it_holds(tmp_path: Path) -> None:
    async with Cluster(Shape(folder=tmp_path, runner_flags=(), slots=1)) as cluster:
        watched, runner = await cluster.busy("frozen"), cluster["runner"]
        given = {await cluster.given(name) for name in ("executor-1", "validator-1")}
        said, thawing = runner.place, asyncio.get_running_loop().time() + FROZEN
        for name in ("executor-1", "validator-1"):
            cluster[name].freeze()
        await runner.says("worker_left", times=2, after=said, within=MISSED_WITHIN)
        await _reached(thawing)
        for name in ("executor-1", "validator-1"):
            cluster[name].thaw()
        await cluster.ends_well(within=30.0)
    assert not leases_of("lease_lost", watched)
    assert given <= _settled(watched)


@pytest.mark.guard(name="kept and told so")
async def test_a_runner_frozen_for_45_s_is_missed_by_all_and_nothing_is_done_twice_when_it_wakes(
    tmp_path: Path,
) -> None:
    async with Cluster(Shape(folder=tmp_path, runner_flags=(), recorded=False)) as cluster:
        watched = await cluster.busy("frozen")
        given = await cluster.given("executor-1")
        said = {name: cluster[name].place for name in cluster.workers}
        thawing = asyncio.get_running_loop().time() + FROZEN
        cluster["runner"].freeze()
        for name in cluster.workers:
            await cluster[name].says("stream_lost", after=said[name], within=MISSED_WITHIN)
        await _reached(thawing)
        cluster["runner"].thaw()
        await cluster.ends_well(within=30.0)
    assert not leases_of("lease_lost", watched)
    assert given in _settled(watched)


async def _reached(moment: float) -> None:
    """Waits for a moment of the loop's clock."""
    reached = asyncio.Event()
    asyncio.get_running_loop().call_at(moment, reached.set)
    await reached.wait()


def _settled(watched: list[WatchedExecution]) -> set[str]:
    """Returns leases under which something was made, or that were frozen on their way to the worker."""
    kinds = ("candidate_stored", "verdict_passed", "lease_returned")
    return {lease for kind in kinds for lease in leases_of(kind, watched)}
