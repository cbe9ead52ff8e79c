"""The floor's runner: it hands out ready nodes and takes results in, over one stream for each worker."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc.aio

from benchmarks.floor.log import Items, Log
from benchmarks.floor.messages import Frame, Item, serve
from benchmarks.floor.state import State, pool_of
from benchmarks.shapes import INPUT

_PAYLOAD = b'{"input":"' + INPUT.encode() + b'"}'


@dataclass(slots=True)
class _Attached:
    """The stream of a worker."""

    pool: str
    room: int  # items it may still be given
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class Runner:
    """A runner of one State after another, with the workers that attach.

    `items_a_frame`: the most that travel together. `ahead`: items a worker is given for each slot.
    """

    def __init__(self, *, items_a_frame: int, ahead: int, phases: int, log: Path | None, synchronous: str) -> None:
        self._items_a_frame, self._ahead, self._phases = items_a_frame, ahead, phases
        self._log = Log(log, synchronous, self._finish) if log else None
        self._attached: list[_Attached] = []
        self._arrivals = asyncio.Semaphore(0)
        self._over = asyncio.Event()
        self._state = State((), phases)
        self._server = grpc.aio.server()
        serve(self._server, self._attach)

    async def start(self) -> str:
        """Listens on a loopback port, and returns the address."""
        port = self._server.add_insecure_port("127.0.0.1:0")
        await self._server.start()
        return f"127.0.0.1:{port}"

    async def arrived(self, workers: int) -> None:
        for _ in range(workers):
            await self._arrivals.acquire()

    async def run(self, state: State) -> None:
        """Runs a State, and returns when every node has a result."""
        self._state = state
        self._wake()
        await state.done.wait()

    async def stop(self) -> None:
        self._over.set()
        await self._server.stop(2)
        if self._log is not None:
            self._log.close()

    async def _attach(self, _requests: Any, context: Any) -> None:
        hello = await context.read()
        worker = _Attached(pool=pool_of(hello.phase, self._phases), room=hello.slots * self._ahead)
        self._attached.append(worker)
        tasks = [asyncio.create_task(self._send(worker, context)), asyncio.create_task(self._receive(worker, context))]
        self._arrivals.release()
        await self._over.wait()  # returning ends the stream, and with it the worker
        for task in tasks:
            task.cancel()

    async def _send(self, worker: _Attached, context: Any) -> None:
        while True:
            await worker.wake.wait()
            worker.wake.clear()
            ready = self._state.ready.get(worker.pool)
            while ready and worker.room:
                count = min(self._items_a_frame, len(ready), worker.room)
                worker.room -= count
                items = [Item(id=ready.popleft(), phase=worker.pool, attempt=1, payload=_PAYLOAD) for _ in range(count)]
                await context.write(Frame(items=items))

    async def _receive(self, worker: _Attached, context: Any) -> None:
        while (frame := await context.read()) is not grpc.aio.EOF:
            worker.room += len(frame.items)
            if self._log is None:
                self._finish(frame.items)
            else:
                self._log.add(frame.items)
                worker.wake.set()

    def _finish(self, items: Items) -> None:
        self._state.finish(items)
        self._wake()

    def _wake(self) -> None:
        for worker in self._attached:
            worker.wake.set()
