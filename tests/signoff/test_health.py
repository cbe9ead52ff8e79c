"""The health question, asked of a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from signoff import health
from signoff.rpc.server import Server


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    await server.start("127.0.0.1:0")
    yield server
    await server.stop(0)


async def test_a_serving_server_is_well(server: Server) -> None:
    assert await asyncio.to_thread(health.main, [server.address]) == health.WELL


async def test_a_server_that_is_about_to_end_is_not(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    await server.set_serving(False)
    assert await asyncio.to_thread(health.main, [server.address]) == health.UNWELL
    assert capsys.readouterr().err == (
        f"signoff.health: expected {server.address} to be SERVING, but it is NOT_SERVING\n"
    )


def test_no_service_there_is_not_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert health.main(["127.0.0.1:1"]) == health.UNWELL
    problem = capsys.readouterr().err
    assert problem.startswith("signoff.health: expected an answer from 127.0.0.1:1, but got UNAVAILABLE")
    assert problem.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["a:1", "b:2"], ["--help"]])
def test_a_wrong_question_says_what_is_expected(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert health.main(arguments) == health.MISUSED
    assert "expected one address" in capsys.readouterr().err


async def test_one_that_answers_is_alive_although_it_does_not_serve(server: Server) -> None:
    await server.set_serving(False)
    assert await asyncio.to_thread(health.main, [server.address]) == health.UNWELL
    assert await asyncio.to_thread(health.main, ["--alive", server.address]) == health.WELL
