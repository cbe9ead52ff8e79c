"""Streams that delay, lose, repeat, break and go silent, in place of gRPC's.

What is modelled, and why:

- A way keeps the order of its frames, as HTTP/2 does, and delays each. A stalled way delivers late all it was given.
- A line that breaks loses what is on its way: the tail of the stream. The worker sees a status, the runner sees a
  normal end first and often has its handler cancelled, as with gRPC.
- A silent line is the half-dead connection, in one direction or both: sends succeed, nothing arrives, not even the end.
- Single messages inside frames are repeated, at once or later on the same stream, and lost. HTTP/2 does neither; a peer
  that sends twice, or a proxy between the two, does. Only what the protocol claims to survive is lost or repeated:
  Hello, Welcome and the chunks of a candidate are not, and Credit is not lost. Everything else is covered by the accept
  deadline (Assign, Accepted, Declined), by the idle time-out (results, Keep, Abandon), by the next stream (Ack,
  Superseded, Stop), by three pings, or is not needed.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import grpc
import grpc.aio
from grpc_status import rpc_status

from signoff.errors import SignoffError
from signoff.rpc.statuses import status_of
from signoff.v1 import worker_pb2
from tests.simulation.nature.clock import NO_PROCESS
from tests.simulation.nature.weather import Weather

MOST_DELAY = 0.2  # seconds
WINDOW = 3  # answers on their way to a client that reads slowly; then the server waits
NEVER_REPEATED = frozenset({"hello", "welcome", "candidate_chunk"})
NEVER_LOST = NEVER_REPEATED | {"credit"}

End = grpc.RpcError | Any  #: what a way ends with: an error, or grpc.aio.EOF


def broken(details: str) -> grpc.aio.AioRpcError:
    """Returns the error of gRPC when the other side is gone."""
    return grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), details)


def refused(error: SignoffError) -> grpc.aio.AioRpcError:
    """Returns the error that a client receives for a SignoffError."""
    status = rpc_status.to_status(status_of(error))
    metadata = grpc.aio.Metadata(*status.trailing_metadata)
    return grpc.aio.AioRpcError(status.code, grpc.aio.Metadata(), metadata, details=status.details)


class Way:
    """A direction of a line."""

    def __init__(self, chance: random.Random, weather: Weather) -> None:
        self.silent = False
        self.ended: End | None = None
        self._chance = chance
        self._weather = weather
        self._arrived: deque[Any] = deque()
        self._travelling: deque[tuple[Callable[[Any], None], Any]] = deque()
        self._late: list[Any] = []  # messages to repeat in a later frame
        self._under_way = 0
        self._wake = asyncio.Event()
        self._clear_at = 0.0

    # ------------------------------------------------------------ the sender

    def send(self, frame: Any) -> None:
        """Hands a frame to the network."""
        if self._weather.rate("messages repeated") or self._weather.rate("messages lost"):
            frame = self._meddled(frame)
        if frame is not None:
            self._under_way += 1
            self._deliver(self._arrive, frame)

    def close(self, end: End) -> None:
        """Ends the way behind everything that was sent."""
        self._deliver(self.cut, end)

    def stall(self, seconds: float) -> None:
        """Holds everything back for a while; then all of it arrives."""
        self._clear_at = max(self._clear_at, asyncio.get_running_loop().time() + seconds)

    async def room(self) -> None:
        """Returns when the receiver has taken enough frames: flow control."""
        while self._under_way >= WINDOW and self.ended is None:
            self._wake.clear()
            await self._wake.wait()

    def _deliver(self, arrive: Callable[[Any], None], what: Any) -> None:
        loop = asyncio.get_running_loop()
        self._clear_at = max(self._clear_at, loop.time() + self._chance.uniform(0, MOST_DELAY))
        self._travelling.append((arrive, what))
        loop.call_at(self._clear_at, self._arrive_next, context=NO_PROCESS)

    def _arrive_next(self) -> None:
        """Delivers the next frame, in order: timers of one moment run in any order."""
        arrive, what = self._travelling.popleft()
        arrive(what)

    def _meddled(self, frame: Any) -> Any:
        """Returns the frame as it arrives; None when it is lost."""
        if not isinstance(frame, worker_pb2.ConnectRequest | worker_pb2.ConnectResponse):
            return frame
        late, self._late = self._late, []
        messages = [message for sent in frame.messages for message in self._copies(sent)] + late
        return type(frame)(messages=messages) if messages else None

    def _copies(self, message: Any) -> Iterable[Any]:
        kind, chance = message.WhichOneof("kind"), self._chance
        if kind not in NEVER_LOST and chance.random() < self._weather.rate("messages lost"):
            return
        yield message
        if kind not in NEVER_REPEATED and chance.random() < self._weather.rate("messages repeated"):
            if chance.random() < 0.5:
                yield message
            else:
                self._late.append(message)

    # ------------------------------------------------------------ the receiver

    def _arrive(self, frame: Any) -> None:
        if not self.silent and self.ended is None:
            self._arrived.append(frame)
            self._wake.set()

    def cut(self, end: End) -> None:
        """Ends the way at once, and loses what has not arrived. On a silent way the other side hears of no end."""
        if not self.silent and self.ended is None:
            self.ended = end
            self._wake.set()

    async def read(self) -> Any:
        """Returns the next frame, or EOF after an orderly end. Raises the error that the way ended with."""
        while not self._arrived:
            if self.ended is grpc.aio.EOF:
                return grpc.aio.EOF
            if self.ended is not None:
                raise self.ended
            self._wake.clear()
            await self._wake.wait()
        self._under_way -= 1
        frame = self._arrived.popleft()
        self._wake.set()
        return frame


class Line:
    """A stream between a worker and the runner."""

    def __init__(self, chance: random.Random, weather: Weather) -> None:
        self.up, self.down = Way(chance, weather), Way(chance, weather)
        self.serving: asyncio.Task[None] | None = None  #: the handler at the runner
        self._chance = chance

    def break_off(self) -> None:
        """Breaks the line. Both sides notice, except where it is silent."""
        self.down.cut(broken("the line broke"))
        self.leave()

    def leave(self) -> None:
        """Ends the worker's side."""
        if self.up.ended is None and not self.up.silent and self._chance.random() < 0.5:
            asyncio.get_running_loop().call_later(self._chance.uniform(0, 0.1), self._cancel, context=NO_PROCESS)
        self.up.cut(grpc.aio.EOF)

    def _cancel(self) -> None:
        if self.serving is not None:
            self.serving.cancel()


class WorkerEnd:
    """The worker's end of a line: the part of grpc.aio's call that it uses."""

    def __init__(self, line: Line, heard: Callable[[Any], None], falsified: Callable[[Any], Any]) -> None:
        self._line = line
        self._heard = heard
        self._falsified = falsified

    async def write(self, frame: Any) -> None:
        if self._line.down.ended is not None:
            raise asyncio.InvalidStateError("the rpc has ended")
        self._line.up.send(self._falsified(frame))

    async def read(self) -> Any:
        frame = await self._line.down.read()
        if frame is not grpc.aio.EOF:
            self._heard(frame)
        return frame

    async def wait_for_connection(self) -> None:
        """Returns at once: a line that was dialled is connected."""

    async def done_writing(self) -> None:
        self._line.up.close(grpc.aio.EOF)


class RunnerEnd:
    """The service's end of a line: the part of grpc.aio's context that it uses."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def write(self, frame: Any) -> None:
        if self._line.up.ended is not None and self._line.down.ended is not None:
            raise asyncio.InvalidStateError("the rpc has ended")
        self._line.down.send(frame)

    async def read(self) -> Any:
        return await self._line.up.read()
