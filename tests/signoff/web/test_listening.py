"""The HTTP server: clients that are slow or dead are cut off."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from signoff.web import listening
from signoff.web.listening import bind, most_connections, server_of

WITHIN = 20.0  # seconds for what takes a fraction of one


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[tuple[str, int]]:
    bound, address = bind("127.0.0.1:0")
    server = server_of(app, grace=1)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    host, _, port = address.rpartition(":")
    try:
        yield host, int(port)
    finally:
        server.should_exit = True
        await serving


async def nothing(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


IN_TIME = pytest.mark.guard(name="a head in time")


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"", marks=IN_TIME),
        pytest.param(b"GET / HTTP/1.1\r\nHost: local", marks=IN_TIME),
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /",  # between two requests uvicorn has a clock of its own
    ],
)
async def test_a_client_that_does_not_finish_a_request_is_cut_off(
    begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "HEAD_WITHIN", 0.2)
    async with served(nothing) as (host, port), asyncio.timeout(WITHIN):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(begun)
        try:
            assert b"HTTP/1.1 200" not in await reader.read()
        except ConnectionResetError:
            pass
        finally:
            writer.close()


@pytest.mark.guard(name="an answer is taken in time")
async def test_a_client_that_does_not_read_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "TAKEN_WITHIN", 0.2)
    gone = asyncio.Event()

    async def endless(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        leaving = asyncio.create_task(_left(receive, gone))
        while not gone.is_set():
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
            await asyncio.sleep(0)
        await leaving

    async with served(endless) as (host, port), asyncio.timeout(WITHIN):
        _, writer = await asyncio.open_connection(host, port, limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            await gone.wait()
        finally:
            writer.transport.abort()


async def _left(receive: Receive, gone: asyncio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1:x", "127.0.0.1:99999", "unix:/nowhere/at/all"])
def test_an_address_that_cannot_be_bound_is_told(address: str) -> None:
    with pytest.raises(OSError, match="cannot listen on"):
        bind(address)


@pytest.mark.guard(name="silent connections make room")
async def test_silent_connections_keep_nobody_from_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "MOST_CONNECTIONS", 10)
    async with served(nothing) as (host, port), asyncio.timeout(WITHIN):
        silent = [await asyncio.open_connection(host, port) for _ in range(25)]
        for _, writer in silent:
            writer.write(b"GET / HTTP/1.1\r\nHost: lo")
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET / HTTP/1.1\r\nHost: local\r\nConnection: close\r\n\r\n")
        assert (await reader.readline()) == b"HTTP/1.1 204 No Content\r\n"
        for _, each in [*silent, (reader, writer)]:
            each.close()


def test_there_are_fewer_connections_than_half_of_the_files_that_may_be_open(monkeypatch: pytest.MonkeyPatch) -> None:
    for files, most in ((256, 128), (1 << 20, 1000), (resource.RLIM_INFINITY, 1000)):
        monkeypatch.setattr(resource, "getrlimit", lambda _kind, files=files: (files, files))
        assert most_connections() == most


@pytest.mark.guard(name="a socket file in use stays")
def test_a_socket_file_in_use_is_not_taken_over(tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/door"
    first, _ = bind(address)
    with pytest.raises(OSError, match=r"cannot listen on unix:.*/door: another process listens on"):
        bind(address)
    first.close()


def test_a_socket_file_is_taken_over(tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/door"
    first, _ = bind(address)
    first.close()
    second, found = bind(address)
    second.close()
    assert found == address
