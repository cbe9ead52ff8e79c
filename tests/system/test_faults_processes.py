"""Processes that are killed, frozen, or asked to end, under a system of five executors and three validators."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from signoff.client.values import by_execution
from signoff.v1 import runner_pb2
from tests.support.processes.cluster import Cluster, Shape
from tests.support.values.plans import side_by_side
from tests.support.watched_execution import WatchedExecution, leases_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.guard(name="leases outlive the runner")
async def test_a_runner_killed_again_and_again_goes_on_and_nothing_is_lost(cluster: Cluster) -> None:
    watched = await cluster.busy("runner-killed")
    for signed_off in (1, 4):
        await watched[0].reaches("verdict_passed", signed_off)
        await cluster["runner"].kill()
        await cluster["runner"].start()
    await cluster.ends_well()


@pytest.mark.guard(name="who stays away loses it")
async def test_workers_that_are_killed_and_stay_away_give_their_tasks_to_others(cluster: Cluster) -> None:
    watched = await cluster.busy("workers-killed")
    given = set()
    for victim in ("executor-1", "validator-1", "executor-2"):
        given.add(await cluster.given(victim))
        await cluster[victim].kill()
    await cluster.ends_well()
    assert given <= leases_of("lease_lost", watched)


async def test_a_worker_that_is_killed_and_started_again_is_known_to_hold_nothing(cluster: Cluster) -> None:
    watched = await cluster.busy("worker-restarted")
    given = await cluster.given("executor-4")
    await cluster["executor-4"].kill()
    await cluster["executor-4"].start()
    await cluster.ends_well()
    # Lost when it came back without it, or, where starting takes long, with the grace; returned if it never took it.
    assert given in leases_of("lease_lost", watched) | leases_of("lease_returned", watched)


@pytest.mark.guard(name="a silent worker is missed")
@pytest.mark.guard(name="kept and told so")
async def test_a_worker_frozen_for_less_than_the_grace_comes_back_to_what_it_holds(cluster: Cluster) -> None:
    watched = await cluster.busy("worker-frozen")
    runner, said = cluster["runner"], cluster["runner"].place
    given = await cluster.given("executor-5")
    cluster["executor-5"].freeze()
    await runner.says("worker_silent", after=said, within=15.0)
    cluster["executor-5"].thaw()
    await cluster.ends_well()
    assert not leases_of("lease_lost", watched)
    # It may have been frozen before it could take it.
    assert given in leases_of("candidate_stored", watched) | leases_of("lease_returned", watched)


@pytest.mark.long  # both are held too by those around it
@pytest.mark.guard(name="a silent worker is missed")
@pytest.mark.guard(name="who stays away loses it")
async def test_a_worker_frozen_for_longer_than_the_grace_finds_its_work_done_by_others(cluster: Cluster) -> None:
    watched = await cluster.busy("worker-replaced")
    runner, said = cluster["runner"], cluster["runner"].place
    given = set()
    for victim in ("executor-3", "validator-3"):
        given.add(await cluster.given(victim))
        cluster[victim].freeze()
    await runner.says("worker_silent", times=2, after=said, within=15.0)
    await cluster.ended(within=25.0)
    assert given <= leases_of("lease_lost", watched)
    cluster["executor-3"].thaw()
    cluster["validator-3"].thaw()
    await cluster.connected()
    await cluster.ends_well()


@pytest.mark.guard(name="a silent runner is missed")
async def test_a_frozen_runner_is_missed_by_all_workers_and_nothing_is_done_twice_when_it_wakes(
    cluster: Cluster,
) -> None:
    watched = await cluster.busy("runner-frozen")
    said = {name: cluster[name].place for name in cluster.workers}
    cluster["runner"].freeze()
    for name in cluster.workers:
        await cluster[name].says("nothing was heard from the runner", after=said[name], within=15.0)
    cluster["runner"].thaw()
    await cluster.ends_well()
    assert not leases_of("lease_lost", watched)


@pytest.mark.guard(name="what fits is finished")
@pytest.mark.guard(name="the rest is given back")
async def test_a_worker_asked_to_end_finishes_what_fits_and_gives_the_rest_back_at_no_cost(tmp_path: Path) -> None:
    few = Shape(folder=tmp_path, executors=1, validators=1, recorded=False)
    async with Cluster(replace(few, model="mock:delay=0.3", worker_flags=("--grace", "1.05"))) as cluster:
        fits = await cluster.start(side_by_side("fits", 1))
        await _thoughts(cluster, fits, 3)  # of six pieces
        rest = await cluster.start(side_by_side("rest", 1))
        await _thoughts(cluster, rest, 1)
        assert await cluster["executor-1"].terminate() == 0
        await fits.reaches("candidate_stored", within=5.0)
        await rest.reaches("lease_returned", within=5.0)
        assert rest.of("lease_returned")[0].lease_returned.reason == "the worker is about to end"
        await cluster["executor-1"].start()
        await cluster.ends_well()
        assert [event.candidate_stored.attempt for event in rest.of("candidate_stored")] == [1]
        assert not leases_of("lease_lost", [fits, rest])


async def _thoughts(cluster: Cluster, watched: WatchedExecution, count: int) -> None:
    """Returns when `count` pieces of thinking about the execution have come."""
    async for message in cluster.client.watch(by_execution(watched.execution_id), thinking=True):
        count -= isinstance(message, runner_pb2.Thinking)
        if not count:
            return
