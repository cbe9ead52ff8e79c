"""From the runner's Cancel to the model: a cancelled answer is not written to its end."""

from __future__ import annotations

import asyncio

import pytest

from signoff.v1 import runner_pb2
from tests.support.servers import model_server
from tests.support.servers.model_server import ModelServer
from tests.support.servers.scripted_runner import WITHIN, ScriptedRunner, assign, cancel
from tests.support.work.scripted_handler import AT_ONCE
from tests.worker_svc.llm.openai.test_model import model_at
from worker_svc.executor import Executor
from worker_svc.link.stream import Identity, Worker


@pytest.mark.guard(name="cancel drops the work")
async def test_cancel_closes_the_request_to_the_model_at_once() -> None:
    async with ModelServer(model_server.stalled("Mars")) as server, ScriptedRunner() as runner:
        executor = Executor(model_at(server.base_url))
        identity = Identity(role=runner_pb2.WORKER_ROLE_EXECUTOR, name="w1", slots=1, version="test")
        stop = asyncio.Event()
        working = asyncio.create_task(Worker(runner.address, identity, executor, AT_ONCE).run(stop, grace=0))
        stream = await runner.welcomed(assign())
        await stream.expect("accepted")
        await stream.expect("usage")  # the model has been asked
        await stream.expect("progress")  # and has begun to answer
        await stream.send(cancel())
        await asyncio.wait_for(server.requests[0].hung_up.wait(), WITHIN)
        stop.set()
        await working
        await executor.close()
