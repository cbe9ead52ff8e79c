"""Starts many programs under uvloop while a worker's stream is busy; prints how many died before they began."""

from __future__ import annotations

import asyncio
import sys

import worker_svc  # noqa: F401 - before gRPC, as in a worker's process
from tests.support.servers.scripted_runner import ScriptedRunner, Stream, ping
from tests.support.work.scripted_handler import working


async def main(times: int) -> None:
    async with ScriptedRunner() as runner, working(runner.address):
        stream, enough = await runner.welcomed(), asyncio.Event()
        chatting = asyncio.create_task(_chat(stream, enough))
        codes = [await _exit_code() for _ in range(times)]
        enough.set()
        await chatting
    print(sum(code != 0 for code in codes))  # noqa: T201 - for the test


async def _chat(stream: Stream, enough: asyncio.Event) -> None:
    while not enough.is_set():
        await stream.send(ping(1))
        await stream.expect("pong")


async def _exit_code() -> int:
    return await (await asyncio.create_subprocess_exec("true")).wait()


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(int(sys.argv[1])))
