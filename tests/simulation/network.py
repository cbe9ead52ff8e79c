"""Streams that delay, repeat, cut off and go silent, in place of gRPC's.

A line keeps the order of its frames, as HTTP/2 does. A silent line is the half-dead connection: sends succeed, and
nothing arrives on either side.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import Any

import grpc.aio

MOST_DELAY = 0.2  # seconds


class Broken(ConnectionError):
    """The stream was cut."""


class _Way:
    """One direction of a line."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._arrived: deque[Any] = deque()
        self._wake = asyncio.Event()
        self._clear_at = 0.0

    def send(self, frame: Any) -> None:
        """Hands a frame to the network. Raises Broken on a line that was cut."""
        if self._line.cut:
            raise Broken("the line was cut")
        chance, loop = self._line.chance, asyncio.get_running_loop()
        copies = 2 if frame is not grpc.aio.EOF and chance.random() < self._line.repeats else 1
        for _ in range(copies):
            self._clear_at = max(self._clear_at, loop.time() + chance.uniform(0, MOST_DELAY))
            loop.call_at(self._clear_at, self._arrive, frame)

    def _arrive(self, frame: Any) -> None:
        if not self._line.silent:
            self._arrived.append(frame)
            self._wake.set()

    async def read(self) -> Any:
        """The next frame, EOF after an end in order; raises Broken after a cut."""
        while not self._arrived:
            if self._line.cut:
                raise Broken("the line was cut")
            self._wake.clear()
            await self._wake.wait()
        frame = self._arrived[0]
        if frame is not grpc.aio.EOF:
            self._arrived.popleft()
        return frame

    def wake(self) -> None:
        self._wake.set()


class Line:
    """A stream between one worker and the runner."""

    def __init__(self, chance: random.Random, repeats: float) -> None:
        self.chance = chance
        self.repeats = repeats
        self.cut = False
        self.silent = False
        self.up, self.down = _Way(self), _Way(self)

    def break_off(self) -> None:
        """Both sides notice at once."""
        self.cut = True
        self.up.wake()
        self.down.wake()


class WorkerEnd:
    """What a worker sees of a line: the part of grpc.aio's call that it uses."""

    def __init__(self, line: Line, heard: Callable[[Any], None]) -> None:
        self._line = line
        self._heard = heard

    async def write(self, frame: Any) -> None:
        self._line.up.send(frame)

    async def read(self) -> Any:
        frame = await self._line.down.read()
        self._heard(frame)
        return frame

    async def done_writing(self) -> None:
        self._line.up.send(grpc.aio.EOF)


class RunnerEnd:
    """What the service sees of a line: the part of grpc.aio's context that it uses."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def write(self, frame: Any) -> None:
        self._line.down.send(frame)

    async def read(self) -> Any:
        return await self._line.up.read()
