"""From the model's stream to the runner's: thinking is reported while a client watches, and only then."""

from __future__ import annotations

import asyncio

import pytest

from signoff.v1 import runner_pb2
from tests.support.servers import model_server
from tests.support.servers.model_server import ModelServer, without_proxies
from tests.support.servers.scripted_runner import WITHIN, ScriptedRunner, assign, cancel
from tests.support.work.scripted_handler import AT_ONCE
from tests.worker_svc.llm.openai.test_model import model_at
from worker_svc.executor import Executor
from worker_svc.link.stream import Identity, Worker

PIECES = tuple(f"word {number} " for number in range(200))


async def test_a_model_is_heard_thinking_by_those_who_watch_in_fewer_pieces_than_it_thinks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_proxies(monkeypatch)
    async with ModelServer(model_server.stalled(*PIECES)) as server, ScriptedRunner() as runner:
        executor, stop = Executor(model_at(server.base_url)), asyncio.Event()
        identity = Identity(role=runner_pb2.WORKER_ROLE_EXECUTOR, name="w1", slots=2, version="test")
        working = asyncio.create_task(Worker(runner.address, identity, executor, AT_ONCE).run(stop, grace=0))
        stream = await runner.welcomed(assign("watched", thinking_wanted=True), assign("alone"))
        heard: dict[str, list[str]] = {"watched": [], "alone": []}
        tokens: dict[str, int] = {}
        async with asyncio.timeout(WITHIN):
            while tokens != {"watched": len(PIECES), "alone": len(PIECES)}:
                message = await stream.next()
                if message.WhichOneof("kind") == "progress":
                    heard[message.progress.lease_id].append(message.progress.thinking)
                    tokens[message.progress.lease_id] = message.progress.tokens
        await stream.send(cancel("watched"), cancel("alone"))
        stop.set()
        await working
        await executor.close()
    assert "".join(heard["watched"]) == "".join(PIECES)
    assert len(heard["watched"]) < len(PIECES) / 2
    assert set(heard["alone"]) == {""}
