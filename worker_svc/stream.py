"""The worker's side of the stream: connect, say Hello, carry messages both ways, and come back when it ends.

A stream that ends, however it ends, is a reason to reconnect; only a refusal that a retry cannot mend is the end. The
work itself goes on meanwhile: it lives on the bench.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
import structlog

from signoff.errors import ConfigurationError
from signoff.rpc import MAX_FRAME_BYTES, connect, reason_of
from signoff.v1 import runner_pb2, runner_pb2_grpc, worker_pb2, worker_pb2_grpc
from worker_svc.bench import Bench, Message
from worker_svc.codec import Limits
from worker_svc.work import Handler

log = structlog.get_logger(__name__)

FRAME_TARGET = 1024 * 1024  # a frame is sent when it has this many bytes, or when nothing more is ready
PROGRESS_PAUSE = 0.05  # seconds between two frames that carry only progress: pieces of thinking are coalesced
FIRST_BACKOFF, MOST_BACKOFF = 1.0, 30.0
WELCOME_TIMEOUT = 30.0
FINAL = frozenset({"SESSION_REPLACED", "INVALID_FIELD", "UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED"})


class WorkerRefused(ConfigurationError):
    """The runner refused the worker in a way that trying again cannot mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the worker says it is."""

    role: runner_pb2.WorkerRole.ValueType
    name: str
    slots: int
    version: str
    labels: dict[str, str] = field(default_factory=dict)


class Worker:
    """Keeps a conversation with a runner going until told to stop."""

    def __init__(self, address: str, identity: Identity, handler: Handler) -> None:
        self._address = address
        self._identity = identity
        self._handler = handler
        self._wake = asyncio.Event()
        self._bench = Bench(handler, identity.slots, self._wake.set)
        self._stopping = asyncio.Event()

    async def run(self, stop: asyncio.Event, grace: float) -> None:
        """Works until `stop`, then drains: finishes what fits in `grace` seconds and gives the rest back.

        Raises WorkerRefused when the runner will not have it.
        """
        talking = asyncio.create_task(self._talk())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([talking, stopping], return_when=asyncio.FIRST_COMPLETED)
            if not talking.done():
                await self._drain(talking, grace)
            await talking
        finally:
            stopping.cancel()
            talking.cancel()
            await asyncio.gather(stopping, talking, return_exceptions=True)
            self._bench.abandon_all("the worker has ended")

    async def _drain(self, talking: asyncio.Task[None], grace: float) -> None:
        log.info("draining", leases=len(self._bench.lease_ids), grace=grace)
        self._bench.draining = True
        self._bench.say(Message(draining=worker_pb2.Draining()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._bench.until_empty()
        self._bench.abandon_all("the worker is about to end")
        self._stopping.set()
        self._wake.set()
        await asyncio.wait([talking], timeout=5.0)

    async def _talk(self) -> None:
        """One session after another."""
        failures = 0
        while not self._stopping.is_set():
            session = _Session(self._address, self._identity, self._handler, self._bench, self._wake, self._stopping)
            try:
                await session.run()
            except grpc.aio.AioRpcError as error:
                reason = reason_of(error)
                if reason in FINAL:
                    refusal = f"the runner at {self._address} refused the worker: {error.details()}"
                    raise WorkerRefused(refusal) from None

                log.warning("stream_lost", reason=reason, details=error.details())
            except (asyncio.InvalidStateError, TimeoutError) as error:
                log.warning("stream_lost", reason=type(error).__name__, details=str(error))
            self._bench.stream_lost()
            failures = 0 if session.welcomed else failures + 1
            if not self._stopping.is_set():
                await self._pause(failures)

    async def _pause(self, failures: int) -> None:
        """Full jitter, so that workers that lost the same runner do not come back in the same moment."""
        ceiling = min(MOST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(failures, 10))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(random.uniform(0, ceiling)):
                await self._stopping.wait()


class _Session:
    """One stream, on a channel of its own: a broken connection is never used again."""

    def __init__(
        self,
        address: str,
        identity: Identity,
        handler: Handler,
        bench: Bench,
        wake: asyncio.Event,
        stopping: asyncio.Event,
    ) -> None:
        self._address = address
        self._identity = identity
        self._handler = handler
        self._bench = bench
        self._wake = wake
        self._stopping = stopping
        self._channel = connect(address)
        self._call: Any = None
        self._heard = time.monotonic()
        self._silence = WELCOME_TIMEOUT
        self._max_frame = MAX_FRAME_BYTES
        self._rotating = asyncio.Event()
        self.welcomed = False

    async def run(self) -> None:
        """Until the stream ends. Raises what it ended with; a clean end by the runner raises nothing."""
        try:
            self._call = worker_pb2_grpc.WorkerServiceStub(self._channel).Connect()
            await self._call.write(worker_pb2.ConnectRequest(messages=[Message(hello=self._hello())]))
            async with asyncio.timeout(WELCOME_TIMEOUT):
                first = await self._call.read()
            if first is grpc.aio.EOF:
                await self._raise_status()
                return
            self._receive(first)
            await self._carry()
        finally:
            if self._call is not None:
                self._call.cancel()
            await self._channel.close()

    async def _carry(self) -> None:
        """Reads, writes and watches for silence, until one of them ends."""
        parts = (self._read(), self._write(), self._watch_silence(), self._rotating.wait())
        tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()
        if tasks[0] in done:
            await self._raise_status()

    async def _raise_status(self) -> None:
        """After the end of the stream: its status says why, unless it is OK."""
        code = await self._call.code()
        if code is not grpc.StatusCode.OK:
            raise grpc.aio.AioRpcError(
                code,
                await self._call.initial_metadata(),
                await self._call.trailing_metadata(),
                details=await self._call.details(),
            )

    def _hello(self) -> worker_pb2.Hello:
        return worker_pb2.Hello(
            role=self._identity.role,
            name=self._identity.name,
            labels=self._identity.labels,
            slots=self._identity.slots,
            max_frame_bytes=MAX_FRAME_BYTES,
            held_lease_ids=self._bench.lease_ids,
            version=self._identity.version,
            models=self._handler.models,
            maker=self._handler.maker,
        )

    # ------------------------------------------------------------ in

    async def _read(self) -> None:
        while (frame := await self._call.read()) is not grpc.aio.EOF:
            self._receive(frame)

    def _receive(self, frame: worker_pb2.ConnectResponse) -> None:
        self._heard = time.monotonic()
        for message in frame.messages:
            self._handle(message)

    def _handle(self, message: worker_pb2.RunnerMessage) -> None:
        bench = self._bench
        match message.WhichOneof("kind"):
            case "welcome":
                self._welcome(message.welcome)
            case "assign":
                bench.assigned(message.assign, self._fetcher(message.assign))
            case "ping":
                bench.say(Message(pong=worker_pb2.Pong(nonce=message.ping.nonce)))
            case "ack":
                bench.forget(message.ack.lease_id)
            case "superseded":
                bench.forget(message.superseded.lease_id, drop_work=True)
            case "cancel":
                bench.forget(message.cancel.lease_id, drop_work=True)
            case "stop":
                bench.forget(message.stop.lease_id, drop_work=True)
            case "keep":
                bench.kept(message.keep.lease_id)
            case "attention":
                bench.attention(message.attention.lease_id, message.attention.thinking_wanted)
            case "drain":
                bench.say(Message(credit=worker_pb2.Credit(window=0)))
            case "rotate":
                self._rotating.set()
            case unknown:
                log.info("message_passed_over", kind=unknown)  # from a newer runner

    def _welcome(self, welcome: worker_pb2.Welcome) -> None:
        self.welcomed = True
        self._silence = 3 * welcome.ping_interval.ToTimedelta().total_seconds()
        self._max_frame = min(welcome.max_frame_bytes or MAX_FRAME_BYTES, MAX_FRAME_BYTES)
        self._bench.limits = Limits(inline=welcome.inline_limit_bytes, candidate=welcome.max_candidate_bytes)
        if self._bench.draining:
            self._bench.say(Message(draining=worker_pb2.Draining()))
        else:
            self._bench.say(Message(credit=worker_pb2.Credit(window=self._bench.slots)))
        log.info("connected", runner=self._address, session=welcome.session_id, epoch=welcome.epoch)

    def _fetcher(self, assign: worker_pb2.Assign) -> Any:
        async def fetch(artifact: worker_pb2.InputArtifact) -> bytes:
            """A channel of its own: the work may outlive this stream."""
            async with connect(self._address) as channel:
                request = runner_pb2.GetArtifactRequest(
                    ref=runner_pb2.ExecutionRef(execution_id=assign.execution_id),
                    task_id=artifact.task_id,
                    lease_id=assign.lease_id,
                    digest=artifact.digest,
                )
                answers = runner_pb2_grpc.RunnerServiceStub(channel).GetArtifact(request)
                return b"".join([answer.chunk async for answer in answers])

        return fetch

    async def _watch_silence(self) -> None:
        """The transport may stay up while nothing comes: then the stream is dead all the same."""
        while (rest := self._heard + self._silence - time.monotonic()) > 0:  # noqa: ASYNC110 - waits for nothing
            await asyncio.sleep(rest)
        raise TimeoutError(f"nothing was heard from the runner for {self._silence:g} s")

    # ------------------------------------------------------------ out

    async def _write(self) -> None:
        """Sends what the bench has to say, many messages a frame; ends when the worker has nothing left to do."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            async for frame in self._frames():
                await self._call.write(frame)
            if self._stopping.is_set():
                await self._call.done_writing()
                return

    async def _frames(self) -> AsyncIterator[worker_pb2.ConnectRequest]:
        frame, size = worker_pb2.ConnectRequest(), 0
        only_progress = True
        for message in self._bench.outgoing():
            length = message.ByteSize()
            if size and size + length > min(FRAME_TARGET, self._max_frame):
                yield frame
                frame, size = worker_pb2.ConnectRequest(), 0
            frame.messages.append(message)
            size += length
            only_progress = only_progress and message.WhichOneof("kind") in ("progress", "usage")
        if size:
            yield frame
            if only_progress:
                await asyncio.sleep(PROGRESS_PAUSE)
