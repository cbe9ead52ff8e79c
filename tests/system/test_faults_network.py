"""Faults of networks between workers and the runner: each worker connects through a proxy of its own."""

from __future__ import annotations

import pytest

from runner_svc.services.worker_stream import IDLE_PINGS
from tests.support.processes.cluster import PING, Cluster
from tests.support.servers.service import until
from tests.support.watched_execution import leases_of, reasons_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.guard(name="a silent runner is missed")
@pytest.mark.guard(name="a silent worker is missed")
async def test_both_sides_notice_that_a_line_delivers_nothing_and_the_worker_comes_back_on_another(
    cluster: Cluster,
) -> None:
    await cluster.busy("silent")
    said = cluster["runner"].place
    deaf = ("executor-1", "executor-2", "validator-1")
    places = {name: cluster[name].place for name in deaf}
    for name in deaf:
        cluster.proxies[name].fall_silent()
        cluster.proxies[name].refuses = True  # a new line would make the runner forget the old one before it misses it
    await cluster["runner"].says("worker_silent", times=len(deaf), after=said, within=15.0)
    for name in deaf:
        await cluster[name].says("nothing was heard from the runner", after=places[name], within=15.0)
        cluster.proxies[name].refuses = False
    await cluster.ends_well()


@pytest.mark.guard(name="pings keep lines busy")
async def test_a_network_that_cuts_idle_lines_after_more_than_a_pause_between_pings_cuts_none_of_ours(
    cluster: Cluster,
) -> None:
    proxies = cluster.proxies.values()
    carried = {proxy: proxy.carried for proxy in proxies}
    places = {name: cluster[name].place for name in cluster.proxies}
    for proxy in proxies:
        proxy.idle_limit = 2 * PING * IDLE_PINGS
    pings = 4
    await until(lambda: all(proxy.carried >= carried[proxy] + 2 * pings for proxy in proxies), f"{pings} pings", 15.0)
    assert [proxy.cut for proxy in proxies] == [0] * len(proxies)
    assert not [name for name, place in places.items() if "stream_lost" in cluster[name].said(place)]


@pytest.mark.guard(name="a lost stream is no refusal")
async def test_a_network_that_cuts_lines_faster_than_pings_come_is_survived(cluster: Cluster) -> None:
    for proxy in cluster.proxies.values():
        proxy.idle_limit = PING / 2
    await cluster.busy("cut")
    await until(lambda: sum(proxy.cut for proxy in cluster.proxies.values()) >= 30, "30 lines are cut")
    await cluster.ends_well()


@pytest.mark.guard(name="an end without goodbye is a loss")
async def test_lines_that_end_cleanly_cost_no_lease(cluster: Cluster) -> None:
    watched = await cluster.busy("finished")
    given = {await cluster.given(name) for name in ("executor-1", "executor-2")}
    for proxy in cluster.proxies.values():
        proxy.finish()
    await cluster.ends_well()
    assert not leases_of("lease_lost", watched)
    returned = reasons_of("lease_returned", watched)
    assert all(reason.endswith("never took it") for reason in returned.values()), "what was on its way was cut off"
    assert given <= leases_of("candidate_stored", watched) | returned.keys()


@pytest.mark.guard(name="results wait for a line")
async def test_results_made_while_no_line_could_be_had_are_delivered_when_one_can(cluster: Cluster) -> None:
    await cluster.busy("reset")
    for name in ("executor-1", "executor-2", "executor-3"):
        await cluster.given(name)
    places = {name: cluster[name].place for name in cluster.workers}
    for proxy in cluster.proxies.values():
        proxy.refuses = True
        proxy.reset()
    for name in cluster.workers:
        await cluster[name].says("stream_lost", times=2, after=places[name])
    for proxy in cluster.proxies.values():
        proxy.refuses = False
    await cluster.ends_well()
