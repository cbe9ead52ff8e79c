"""The floor's worker: it runs the items of a frame and sends the results back together."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import Any

import grpc.aio

from benchmarks.driving import body
from benchmarks.floor.messages import Frame, Item, attach


async def work(address: str, phase: str, slots: int, items_a_frame: int) -> None:
    """Works until the runner ends the stream."""
    async with grpc.aio.insecure_channel(address) as channel:
        call = attach(channel)
        await call.write(Frame(slots=slots, phase=phase))
        await _Bench(call, slots, items_a_frame).run()


class _Bench:
    def __init__(self, call: Any, slots: int, items_a_frame: int) -> None:
        self._call = call
        self._room = asyncio.Semaphore(slots)
        self._items_a_frame = items_a_frame
        self._results: deque[Any] = deque()
        self._wake = asyncio.Event()

    async def run(self) -> None:
        sending = asyncio.create_task(self._send())
        running: set[asyncio.Task[None]] = set()
        while (frame := await self._call.read()) is not grpc.aio.EOF:
            for item in frame.items:
                task = asyncio.create_task(self._execute(item))
                running.add(task)
                task.add_done_callback(running.discard)
        sending.cancel()

    async def _execute(self, item: Any) -> None:
        async with self._room:
            await asyncio.sleep(0)
            made = body(item.id)
        payload = json.dumps(made).encode()
        self._results.append(Item(id=item.id, phase="done", attempt=item.attempt, at=made["t"], payload=payload))
        self._wake.set()

    async def _send(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._results:
                count = min(self._items_a_frame, len(self._results))
                await self._call.write(Frame(items=[self._results.popleft() for _ in range(count)]))
