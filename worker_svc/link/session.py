"""One stream to the runner, from Hello to its end, on a channel of its own: a broken connection is never used again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
import structlog

from signoff.bounds import seconds_in
from signoff.errors import ConfigurationError
from signoff.rpc.addresses import address_that_serves
from signoff.rpc.frames import LEAST_FRAME_BYTES, MISSED_PINGS
from signoff.v1 import worker_pb2
from worker_svc.link.codec import frames_of, limits_from_proto
from worker_svc.link.held_leases import HeldLeases
from worker_svc.link.lease_files import FilesOf
from worker_svc.link.lease_report import Message

log = structlog.get_logger(__name__)

PROGRESS_PAUSE = 0.05  # seconds between two frames that carry only progress: pieces of thinking are coalesced
_CHATTER = frozenset({"progress", "usage"})


class WorkerRefused(ConfigurationError):
    """The runner and this worker do not go together, and trying again does not help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTimings:
    """The worker's own clocks, in seconds; Welcome names the others."""

    welcome: float = 30.0  #: for the first frame of a stream, from the first attempt to connect
    goodbye: float = 5.0  #: for the runner to end a stream that the worker has ended
    first_backoff: float = 1.0
    most_backoff: float = 30.0
    jitter: Callable[[float, float], float] = random.uniform


Dial = Callable[[str], AbstractAsyncContextManager[Any]]


class StreamSession:
    """Carries messages between a stream and the held leases: `open`, `greet`, `carry`, and `close` in any case."""

    def __init__(
        self,
        addresses: Sequence[str],
        leases: HeldLeases,
        wake: asyncio.Event,
        leaving: asyncio.Event,
        timings: SessionTimings,
        dial: Dial,
        files_of: FilesOf,
    ) -> None:
        self._dial = dial
        self._files_of = files_of
        self._addresses = addresses
        self.address = addresses[0]  #: of the runner; of several, the one that serves once the session is open
        self._leases = leases
        self._wake = wake
        self._leaving = leaving
        self._timings = timings
        self._call: Any = None
        self._life = AsyncExitStack()
        self._write_lock = asyncio.Lock()  # held while a frame is written
        self._first = worker_pb2.ConnectResponse()
        self._heard = self._now()
        self._silence = timings.welcome
        self._silence_changed = asyncio.Event()
        self._parts: dict[str, list[worker_pb2.InputArtifact]] = {}  # by lease: inputs whose assignment is to come
        self._rotation: asyncio.Queue[float] = asyncio.Queue(1)
        self.id = ""
        self.welcomed = False
        self.is_silent = False  #: nothing more is written here: another session is about to continue this one

    async def open(self) -> None:
        """Dials the runner that serves, and returns once it is connected. Raises Unavailable when none does."""
        self.address = await address_that_serves(self._addresses)
        self._call = await self._life.enter_async_context(self._dial(self.address))
        await self._call.wait_for_connection()

    async def close(self) -> None:
        await self._life.aclose()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    async def greet(self, hello: worker_pb2.Hello) -> None:
        """Sends Hello and reads Welcome.

        Nothing else is sent before: a large first write would hide why the runner refuses.
        """
        await self._call.write(worker_pb2.ConnectRequest(messages=[Message(hello=hello)]))
        first = await self._call.read()
        if first is grpc.aio.EOF:
            # guard: an end before welcome is no refusal ->
            #     raise WorkerRefused("expected the runner to begin with welcome, but it ended the stream")
            raise ConnectionError("expected the runner to begin with welcome, but it ended the stream")
        kind = first.messages[0].WhichOneof("kind") if first.messages else "an empty frame"
        if kind != "welcome":
            raise ConnectionError(f"expected the runner to begin with welcome, but got {kind}")
        self._first, self.id, self.welcomed = first, first.messages[0].welcome.session_id, True

    async def carry(self) -> None:
        """Reads, writes and watches for silence until one of them ends. Raises that one's error."""
        self._receive(self._first)
        reading, writing = asyncio.create_task(self._read()), asyncio.create_task(self._write())
        silence = asyncio.create_task(self._watch_silence())
        tasks = (reading, writing, silence)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                # In order: the runner answers with its own end. Broken: the status that reading finds says why.
                await asyncio.wait([reading], timeout=self._timings.goodbye)
            ended = next(task for task in tasks if task.done())
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if ended.cancelled():
            raise ConnectionError("the call was cancelled")
        ended.result()

    async def rotation(self) -> float:
        """Waits until the runner asks for a session that continues this one. Returns the seconds it gives for that."""
        return await self._rotation.get()

    async def fall_silent(self) -> None:
        """Finishes the frames that are being written, and writes no more. The session still reads."""
        await self._write_lock.acquire()
        self.is_silent = True

    # ------------------------------------------------------------ in

    async def _read(self) -> None:
        while (frame := await self._call.read()) is not grpc.aio.EOF:
            self._receive(frame)

    def _receive(self, frame: worker_pb2.ConnectResponse) -> None:
        self._heard = self._now()
        for message in frame.messages:
            try:
                self._handle(message)
            except WorkerRefused:
                raise
            except Exception as error:
                kind = message.WhichOneof("kind")
                log.error("message_not_handled", kind=kind, exc_info=error)
                # guard: a message ends at most its stream -> raise
                raise ConnectionError(f"{kind} of the runner could not be handled: {type(error).__name__}") from error

    def _handle(self, message: worker_pb2.RunnerMessage) -> None:
        leases = self._leases
        match message.WhichOneof("kind"):
            case "welcome":
                self._welcome(message.welcome)
            case "inputs_part":
                part = message.inputs_part
                self._parts.setdefault(part.lease_id, []).extend(part.inputs)
            case "assign":
                self._assigned(message.assign)
            case "ping":
                self._expect_frame_within(seconds_in(message.ping, "next_within"))
                # guard: pings are answered -> pass
                leases.say(Message(pong=worker_pb2.Pong(nonce=message.ping.nonce)))
            case "ack":
                leases.forget(message.ack.lease_id)
            case "superseded":
                leases.forget(message.superseded.lease_id, drop_work=True)
            case "cancel":
                leases.forget(message.cancel.lease_id, drop_work=True)
            case "stop":
                leases.stopped(message.stop.lease_id)
            case "keep":
                leases.kept(message.keep.lease_id)
            case "attention":
                leases.attention(message.attention.lease_id, message.attention.thinking_wanted)
            case "drain":
                # guard: a draining runner gets no credit -> pass
                leases.take_no_more()
            case "rotate":
                self._rotate(seconds_in(message.rotate, "within"))
            case unknown:
                # guard: unknown messages -> raise ConnectionError(f"unknown: {unknown}")
                log.info("message_passed_over", kind=unknown)  # from a newer runner

    def _assigned(self, assign: worker_pb2.Assign) -> None:
        """Hands the assignment on with the inputs that came in parts. Declines it when some of them are missing."""
        before = self._parts.pop(assign.lease_id, [])
        # guard: no work on a part of the inputs -> if False:
        if len(before) != assign.inputs_in_parts:
            problem = f"expected {assign.inputs_in_parts:,} inputs in parts before it, but got {len(before):,}"
            self._leases.say(Message(declined=worker_pb2.Declined(lease_id=assign.lease_id, reason=problem)))
            return
        if before:
            # guard: parts come before their assignment -> assign.inputs.MergeFrom(before[:100])
            assign.inputs.MergeFrom(before)
        self._leases.assigned(assign, self._files_of(self._addresses, assign))

    def _welcome(self, welcome: worker_pb2.Welcome) -> None:
        limits = limits_from_proto(welcome)
        if limits.frame < LEAST_FRAME_BYTES:
            expected = f"a runner that takes frames of at least {LEAST_FRAME_BYTES} bytes"
            raise WorkerRefused(f"expected {expected}, but the one at {self.address} takes {limits.frame}")
        self._expect_frame_within(seconds_in(welcome, "ping_interval"))
        self._leases.welcomed(limits)
        log.info("connected", runner=self.address, session=welcome.session_id, epoch=welcome.epoch)

    def _expect_frame_within(self, interval: float) -> None:
        seconds = MISSED_PINGS * interval
        if seconds and seconds != self._silence:
            self._silence = seconds
            # guard: pings say when the next one comes -> pass
            self._silence_changed.set()

    def _rotate(self, within: float) -> None:
        if self._rotation.empty():
            self._rotation.put_nowait(within)

    async def _watch_silence(self) -> None:
        """Raises TimeoutError when nothing comes any more: the transport may stay up although the stream is dead."""
        # guard: a silent runner is missed -> while (rest := 1.0) > 0:
        while (rest := self._heard + self._silence - self._now()) > 0:
            self._silence_changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._silence_changed.wait()
        # guard: a silent runner is lost; world: a silent runner is left ->
        #     await asyncio.Event().wait()
        #     raise TimeoutError(f"nothing was heard from the runner for {self._silence:g} s")
        raise TimeoutError(f"nothing was heard from the runner for {self._silence:g} s")

    # ------------------------------------------------------------ out

    async def _write(self) -> None:
        """Sends the messages of the held leases, many in a frame, until the worker leaves."""
        while True:
            await self._wake.wait()
            await self._leases.collected()
            self._wake.clear()
            is_leaving = self._leaving.is_set()
            kinds = set[str | None]()
            # guard: a frame is finished -> if True:
            async with self._write_lock:  # a message that is taken is written: a session that falls silent takes none
                for frame in frames_of(self._leases.outgoing(), self._leases.limits.frame):
                    await self._call.write(frame)
                    kinds.update(message.WhichOneof("kind") for message in frame.messages)
            if is_leaving:
                await self._call.done_writing()
                return
            if kinds and kinds <= _CHATTER:
                await asyncio.sleep(PROGRESS_PAUSE)
