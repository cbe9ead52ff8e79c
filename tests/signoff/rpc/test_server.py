"""The life of a server: its health, its reflection, its addresses and its end."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from signoff.rpc.channel import connect
from signoff.rpc.server import Server
from signoff.v1 import runner_pb2_grpc
from tests.support.servers.every_shape import (
    PATIENCE,
    ask,
    services_that,
    serving,
)


async def test_health_answers_for_the_server_and_for_each_service() -> None:
    async with serving(services_that()) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        for name in ("", "signoff.v1.RunnerService", "signoff.v1.WorkerService"):
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=PATIENCE)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_watchers_of_health_hear_that_no_new_client_should_come() -> None:
    server = Server()
    async with connect(await server.start("127.0.0.1:0")) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        watch = stub.Watch(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        await server.set_serving(False)
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        watch.cancel()
    await server.stop(0)


async def test_reflection_lists_the_services() -> None:
    async with serving(services_that()) as channel:
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(cast(grpc.Channel, channel))
        question = reflection_pb2.ServerReflectionRequest(list_services="")
        (answer,) = [answer async for answer in stub.ServerReflectionInfo(iter([question]), timeout=PATIENCE)]
    names = {service.name for service in answer.list_services_response.service}
    assert {f"signoff.v1.{kind}Service" for kind in ("Planner", "Runner", "Worker")} <= names
    assert "grpc.health.v1.Health" in names


async def test_two_servers_never_share_a_port() -> None:
    first, second = Server(), Server()
    address = await first.start("127.0.0.1:0")
    with pytest.raises(OSError, match=rf"cannot listen on {address}: is another process using it\?"):
        await second.start(address)
    await first.stop(0)


async def test_an_address_that_means_nothing_is_refused() -> None:
    with pytest.raises(OSError, match=r"cannot listen on nowhere\.invalid:1"):
        await Server().start("nowhere.invalid:1")


@pytest.mark.parametrize("address", ["127.0.0.1:99999", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:-1"])
async def test_a_port_that_is_none_is_refused_instead_of_another_one_taken(address: str) -> None:
    with pytest.raises(OSError, match="expected host:port"):
        await Server().start(address)


async def test_a_server_can_listen_on_a_socket_file(tmp_path: Path) -> None:
    server = Server()
    address = await server.start(f"unix:{tmp_path}/s")
    assert address == f"unix:{tmp_path}/s"
    async with connect(address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        await stub.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
    await server.stop(0)


@pytest.mark.guard(name="a socket file in use stays")
async def test_a_socket_file_that_another_server_listens_on_is_not_taken_from_it(tmp_path: Path) -> None:
    first, second = Server(), Server()
    address = await first.start(f"unix:{tmp_path}/s")
    with pytest.raises(OSError, match="another process listens on"):
        await second.start(address)
    async with connect(address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        await stub.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
    await first.stop(0)


async def test_a_running_call_is_given_its_time_when_the_server_ends() -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        began.set()
        await go_on.wait()

    services, server = services_that(wait), Server()
    server.add(runner_pb2_grpc.add_RunnerServiceServicer_to_server, services, "signoff.v1.RunnerService")
    async with connect(await server.start("127.0.0.1:0")) as channel:
        call = asyncio.ensure_future(ask(channel))
        await asyncio.wait_for(began.wait(), PATIENCE)
        stopping = asyncio.ensure_future(server.stop(PATIENCE))
        go_on.set()
        await asyncio.wait_for(call, PATIENCE)
        await asyncio.wait_for(stopping, PATIENCE)
