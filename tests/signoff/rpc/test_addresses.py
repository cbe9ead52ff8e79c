"""Clients find the one of several runners that serves, and find it again."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from signoff.client.client import Client
from signoff.client.values import by_plan
from signoff.errors import NotServing, SignoffError, Unavailable
from signoff.rpc import addresses as serving_module
from signoff.rpc.addresses import Route, address_that_serves, addresses_in
from signoff.rpc.server import Server
from signoff.v1 import runner_pb2, runner_pb2_grpc
from tests.support.servers.fake_runner import PLAN_ID, FakeRunner

UNUSED = "127.0.0.1:1"
WITHIN = 10.0  # seconds for what takes milliseconds
STANDS_BY = NotServing("this runner stands by: another one (signoff a 1) works on the database")


@contextlib.asynccontextmanager
async def runner(refusal: SignoffError | None = None) -> AsyncIterator[tuple[Server, str, FakeRunner]]:
    server, fake = Server(), FakeRunner()
    server.add(runner_pb2_grpc.add_RunnerServiceServicer_to_server, fake, "signoff.v1.RunnerService")
    address = await server.start("127.0.0.1:0", refusal=refusal)
    try:
        yield server, address, fake
    finally:
        await server.stop(0)


@contextlib.asynccontextmanager
async def frozen() -> AsyncIterator[str]:
    """Something that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:1", ("a:1",)),
        ("a:1,b:2", ("a:1", "b:2")),
        (" a:1 , b:2 ,, a:1 ", ("a:1", "b:2")),
        ("unix:/run/a,unix:/run/b", ("unix:/run/a", "unix:/run/b")),
        ("", ("",)),
    ],
)
def test_addresses_stand_between_commas(text: str, expected: tuple[str, ...]) -> None:
    assert addresses_in(text) == expected


async def test_the_one_that_serves_is_found_among_those_that_stand_by_are_frozen_or_away() -> None:
    async with runner(STANDS_BY) as (_, standby, _), frozen() as silent, runner() as (_, working, _):
        assert await address_that_serves((standby, silent, UNUSED, working)) == working


async def test_one_address_alone_leaves_no_choice() -> None:
    assert await address_that_serves((UNUSED,)) == UNUSED


@pytest.mark.guard(name="a standby is not taken for the one that serves")
async def test_when_none_serves_it_says_what_each_of_them_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving_module, "ASKED_WITHIN", 0.5)
    async with runner(STANDS_BY) as (_, standby, _), frozen() as silent:
        with pytest.raises(Unavailable) as refused:
            await address_that_serves((standby, silent, UNUSED))
    said = str(refused.value)
    assert f"{standby} stands by" in said
    assert f"{silent} does not answer in time" in said
    assert f"{UNUSED} does not answer" in said


async def test_a_client_finds_the_one_that_has_taken_over() -> None:
    async with (
        runner() as (first, a, _),
        runner(STANDS_BY) as (second, b, served),
        Client(runner=f"{a},{b}", patience=timedelta(seconds=20)) as client,
    ):
        await client.get(by_plan(PLAN_ID))
        await first.stop(0)
        await second.open()
        await client.get(by_plan(PLAN_ID))
        assert len(served.asked) == 1
        assert client._runner.address == b


async def test_what_a_standby_is_asked_it_answers_with_who_works() -> None:
    async with runner(STANDS_BY) as (server, address, served), Client(runner=address) as client:
        with pytest.raises(NotServing, match=r"stands by: another one \(signoff a 1\) works on the database"):
            await client.get(by_plan(PLAN_ID))
        assert served.asked == []
        await server.open()
        await client.get(by_plan(PLAN_ID))
        assert len(served.asked) == 1


@pytest.mark.guard(name="a runner that is lost to one call is not taken from the others")
async def test_calls_to_a_runner_that_was_lost_to_another_call_go_on() -> None:
    async with runner() as (_, a, fake), runner(STANDS_BY) as (_, b, _):
        route = Route(f"{b},{a}")
        fake.looks = 2  # a watch goes on until so many have looked at the execution
        request = runner_pb2.WatchExecutionRequest(ref=runner_pb2.ExecutionRef(plan_id=PLAN_ID), follow=True)
        watch = (await route.stub()).WatchExecution(request)
        await watch.read()
        await route.lost()
        assert (await (await route.stub()).GetExecution(runner_pb2.GetExecutionRequest(ref=request.ref))) is not None
        assert not watch.done()
        reading = asyncio.create_task(watch.read())
        await asyncio.sleep(0)
        await asyncio.wait_for(route.close(), WITHIN)
        await asyncio.wait([reading], timeout=WITHIN)
        assert reading.done()
        assert watch.done()


async def test_a_route_that_is_lost_is_looked_for_once_by_all_who_wait() -> None:
    async with runner() as (_, a, _), runner(STANDS_BY) as (_, b, _):
        route = Route(f"{b},{a}")
        stubs = await asyncio.gather(*(route.stub() for _ in range(10)))
        assert len(set(map(id, stubs))) == 1
        assert route.address == a
        await route.lost()
        assert (await route.stub()) is not stubs[0]
        await route.close()
