"""The page's server, against readers that are honest, slow, too many, or hostile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from runner_svc.publish import http_page as page
from runner_svc.publish.http_page import MOST_CONNECTIONS, MOST_REQUEST_BYTES, Headers, HttpAnswer, PageServer

WITHIN = 20.0  # seconds for what takes milliseconds
GET = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


@asynccontextmanager
async def serving(body: bytes = b"the page", *, breaks: bool = False) -> AsyncIterator[int]:
    async def made(_headers: Headers) -> HttpAnswer:
        if breaks:
            raise ValueError("no page today")
        return HttpAnswer(body=body)

    server = PageServer(made)
    port = await server.start("127.0.0.1", 0)
    try:
        async with asyncio.timeout(WITHIN):
            yield port
    finally:
        await server.stop()


async def said_to(port: int, request: bytes) -> bytes:
    """Returns everything that comes back until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


@asynccontextmanager
async def half_open(port: int, count: int) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Opens connections that begin a request and send nothing more."""
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    for _, writer in opened:
        writer.write(b"GET /metrics HTT")
    try:
        yield [reader for reader, _ in opened]
    finally:
        for _, writer in opened:
            writer.transport.abort()


@pytest.mark.guard(name="the silent make room")
async def test_while_five_hundred_hold_half_a_request_the_page_is_answered_and_no_thread_is_made() -> None:
    async with serving() as port:
        before = threading.active_count()
        async with half_open(port, 500) as readers:
            assert (await said_to(port, GET)).endswith(b"\r\n\r\nthe page")
            assert threading.active_count() <= before  # one of another test may end meanwhile
            ended = [reader for reader in readers if await _has_ended(reader)]
            assert len(ended) >= 500 - MOST_CONNECTIONS, "the oldest made room"


async def _has_ended(reader: asyncio.StreamReader) -> bool:
    """Tells whether the other side has ended the connection by now."""
    try:
        async with asyncio.timeout(0.001):
            return await reader.read(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


@pytest.mark.guard(name="a request comes in time")
@pytest.mark.parametrize("begun", [b"", b"GET", GET[:-2], b"GET / HTTP/1.1\r\nX: " + b"x" * 1_000])
async def test_a_request_that_does_not_come_to_its_end_is_ended(monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    monkeypatch.setattr(page, "REQUEST_WITHIN", 0.05)
    async with serving() as port:
        assert await said_to(port, begun) == b""


async def test_a_request_that_comes_drop_by_drop_is_ended_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "REQUEST_WITHIN", 0.1)
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answer = asyncio.create_task(reader.read())
        while not answer.done():
            writer.write(b"G")
            await asyncio.wait([answer], timeout=0.01)
        assert answer.exception() is not None or answer.result() == b""
        writer.transport.abort()


@pytest.mark.parametrize(
    "request_", [b"GET /" + b"x" * MOST_REQUEST_BYTES, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5_000]
)
async def test_a_request_that_is_too_long_is_refused(request_: bytes) -> None:
    async with serving() as port:
        assert await said_to(port, request_ + b"\r\n\r\n") in (b"", *_answers(b"431 Request Header Fields Too Large"))


@pytest.mark.parametrize(
    "request_",
    [b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\r\n\r\n", b"GET / SMTP\r\n\r\n", b"GET  / HTTP/1.1\r\n\r\n"],
)
async def test_what_is_no_request_is_refused(request_: bytes) -> None:
    async with serving() as port:
        assert await said_to(port, request_) in _answers(b"400 Bad Request")


def _answers(status: bytes) -> tuple[bytes]:
    kind = b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    return (b"HTTP/1.1 " + status + b"\r\n" + kind,)


async def test_a_head_has_the_headers_of_the_page_and_a_post_is_refused() -> None:
    async with serving() as port:
        head = await said_to(port, b"HEAD / HTTP/1.0\r\n\r\n")
        assert b"Content-Length: 8" in head
        assert head.endswith(b"\r\n\r\n")
        assert (await said_to(port, b"POST / HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")


@pytest.mark.guard(name="metrics are taken in time")
async def test_a_reader_that_takes_nothing_is_ended_and_others_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "TAKEN_WITHIN", 0.1)
    large = b"x" * 20_000_000
    async with serving(large) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(GET)
        assert (await said_to(port, b"HEAD / HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 200 OK")
        while _of_the_server():
            await asyncio.wait(_of_the_server())
        writer.transport.abort()


def _of_the_server() -> list[asyncio.Task[object]]:
    return [task for task in asyncio.all_tasks() if "PageServer._serve" in repr(task.get_coro())]


async def test_a_page_that_cannot_be_made_ends_its_connection_and_not_the_server() -> None:
    async with serving(breaks=True) as port:
        for _ in range(3):
            assert await said_to(port, GET) == b""


async def test_when_all_have_asked_a_further_one_is_refused_until_they_are_answered() -> None:
    go = asyncio.Event()

    async def waits(_headers: Headers) -> HttpAnswer:
        await go.wait()
        return HttpAnswer(body=b"late")

    server = PageServer(waits)
    port = await server.start("127.0.0.1", 0)
    async with asyncio.timeout(WITHIN):
        asked = [asyncio.create_task(said_to(port, GET)) for _ in range(MOST_CONNECTIONS)]
        while len(server._connections) < MOST_CONNECTIONS or server._silent:  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0)
        assert await said_to(port, GET) == b""
        go.set()
        assert all(answer.endswith(b"late") for answer in await asyncio.gather(*asked))
        assert (await said_to(port, GET)).endswith(b"late")
    await server.stop()


async def test_the_server_ends_at_once_whatever_its_connections_wait_for() -> None:
    async with serving() as port, half_open(port, 20):
        await said_to(port, GET)
    assert not _of_the_server()
