"""WorkerService: one stream, one session. Reads frames into signals, writes commands as frames, pings."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
import grpc.aio
import structlog

from runner_svc.codec.assignments import INLINE_LIMIT, AssignmentTooLarge, write_assign
from runner_svc.codec.frames import candidate_from_proto, joined_from_proto, order_to_proto, report_from_proto
from runner_svc.codec.times import duration
from runner_svc.codec.usage import usage_from_proto
from runner_svc.core import commands as c
from runner_svc.core import signals as s
from runner_svc.core.values import FailureKind, LeaseId, SessionId
from runner_svc.engine import Engine
from runner_svc.prices import Prices
from runner_svc.services.hub import Hub, Session
from signoff.errors import InvalidField, SignoffError, Unavailable
from signoff.frames import MESSAGE_HEADER
from signoff.rpc import MAX_FRAME_BYTES
from signoff.v1 import worker_pb2, worker_pb2_grpc

log = structlog.get_logger(__name__)

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

MAX_CANDIDATE_BYTES = 64 * 1024 * 1024
FRAME_TARGET = 1024 * 1024  # a frame is sent when it has this many bytes, or when nothing more is ready
MISSED_PINGS = 3
IDLE_PINGS = 5  # ping intervals between two pings of a worker that holds nothing: docs/adr/0006
TOGETHER = 1 / 50  # of the time between them: idle pings due within it go out at once, which is a fifth less work
HELLO_WITHIN = 30.0  # seconds
AGE_SPREAD = 0.2  # of a stream's age


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """The runner's clocks, in seconds. Welcome names the first four."""

    ping_interval: float = (
        10.0  # of a worker that holds leases; three missed ones end its session inside a lease's 60 s
    )
    lease_duration: float = 60.0
    resume_grace: float = 60.0
    accept_deadline: float = 10.0
    max_stream_age: float = 3600.0  #: then a new stream is asked for; 0: never
    rotate_within: float = 30.0  #: what a worker has to open it
    jitter: Callable[[float, float], float] = random.uniform

    def stream_age(self) -> float:
        """When to ask for a new stream: streams that began together do not all end together."""
        return self.max_stream_age * self.jitter(1 - AGE_SPREAD, 1 + AGE_SPREAD)


class WorkerService(worker_pb2_grpc.WorkerServiceServicer):
    """The conversation of worker.proto."""

    def __init__(self, engine: Engine, hub: Hub, conversation: Conversation, prices: Prices | None = None) -> None:
        self._engine = engine
        self._hub = hub
        self._conversation = conversation
        self._prices = prices or Prices()

    async def Connect(self, request_iterator: AsyncIterator[worker_pb2.ConnectRequest], context: Context) -> None:  # type: ignore[override]
        first = await _first_frame(context)
        session = Session(SessionId(uuid.uuid4().hex), _hello(first), self._engine.now())
        joined = joined_from_proto(session.hello, session=session.id, at=self._engine.now())
        stream = _Stream(self._engine, self._hub, session, context, self._conversation, self._prices)
        self._hub.add(session)
        session.send(worker_pb2.RunnerMessage(welcome=self._welcome(session)))
        await self._engine.report(joined)
        log.info("worker_joined", worker=session.hello.name, session=session.id, held=len(joined.held))
        try:
            await stream.run(list(first.messages[1:]))
        finally:
            self._hub.remove(session)
            reason = f"the stream of {session.hello.name} ended"
            lost = s.WorkerLost(at=self._engine.now(), session=session.id, reason=reason, orderly=session.draining)
            await self._engine.report(lost)
            log.info("worker_left", worker=session.hello.name, session=session.id, orderly=session.draining)

    def _welcome(self, session: Session) -> worker_pb2.Welcome:
        clocks = self._conversation
        return worker_pb2.Welcome(
            session_id=session.id,
            epoch=self._engine.epoch,
            ping_interval=duration(clocks.ping_interval),
            lease_duration=duration(clocks.lease_duration),
            resume_grace=duration(clocks.resume_grace),
            accept_deadline=duration(clocks.accept_deadline),
            max_frame_bytes=MAX_FRAME_BYTES,
            inline_limit_bytes=INLINE_LIMIT,
            max_candidate_bytes=MAX_CANDIDATE_BYTES,
        )


async def _first_frame(context: Context) -> Any:
    """Raises Unavailable when the worker says nothing: an open stream is not yet a session, and holds no name."""
    try:
        async with asyncio.timeout(HELLO_WITHIN):
            return await context.read()
    except TimeoutError:
        raise Unavailable(f"expected hello within {HELLO_WITHIN:g} s, but nothing came") from None


def _hello(first: Any) -> worker_pb2.Hello:
    if first is grpc.aio.EOF or not first.messages or first.messages[0].WhichOneof("kind") != "hello":
        raise InvalidField("messages[0]", "the first message of the first frame to be hello", "something else")
    hello: worker_pb2.Hello = first.messages[0].hello
    return hello


class _Stream:
    """Both directions of one session, until either ends."""

    def __init__(
        self,
        engine: Engine,
        hub: Hub,
        session: Session,
        context: Context,
        conversation: Conversation,
        prices: Prices,
    ) -> None:
        self._engine = engine
        self._hub = hub
        self._session = session
        self._context = context
        self._conversation = conversation
        self._prices = prices
        self._uploads: dict[str, bytearray] = {}
        self._unanswered = 0  # pings
        self._pings_rarely = False
        self._has_work = asyncio.Event()  # that was given to a worker pinged rarely
        limit = session.hello.max_frame_bytes or MAX_FRAME_BYTES
        self._max_frame = min(limit, MAX_FRAME_BYTES)

    async def run(self, rest: list[worker_pb2.WorkerMessage]) -> None:
        """Handles the rest of the first frame, then everything. Raises what the session was ended with."""
        await self._receive(rest)
        parts = [self._read(), self._write(), self._ping()]
        if self._conversation.max_stream_age:
            parts.append(self._rotate())
        tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(part) for part in parts]
        try:
            done, _ = await asyncio.wait([*tasks, self._session.ended], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            error = task.result()
            if isinstance(error, SignoffError):
                raise error

    # ------------------------------------------------------------ in

    async def _read(self) -> None:
        while (frame := await self._context.read()) is not grpc.aio.EOF:
            await self._receive(frame.messages)

    async def _receive(self, messages: Any) -> None:
        """Reports what a frame says, all of it together; also what comes before a message that makes no sense."""
        signals: list[s.Signal] = []
        try:
            for message in messages:
                signal = await self._signal_of(message)
                if signal is not None:
                    signals.append(signal)
        finally:
            await self._engine.report(*signals)

    async def _signal_of(self, message: worker_pb2.WorkerMessage) -> s.Signal | None:
        kind = message.WhichOneof("kind")
        if kind == "pong":
            self._unanswered = 0
            return None
        if kind == "candidate_chunk":
            return self._upload(message.candidate_chunk)
        if kind == "candidate":
            return await self._candidate(message.candidate)
        if kind == "usage":
            return usage_from_proto(message.usage, self._prices, session=self._session.id, at=self._engine.now())
        if kind == "hello":
            raise InvalidField("hello", "one hello, as the first message", "a second one")
        if kind == "progress":
            self._hub.think(message.progress)
        elif kind == "draining":
            self._session.draining = True
        return report_from_proto(message, session=self._session.id, at=self._engine.now())

    def _upload(self, chunk: worker_pb2.CandidateChunk) -> s.Signal:
        """Collects a large candidate. A lease's first chunk begins it anew, as after a reconnect."""
        if chunk.offset == 0:
            self._begin_upload(chunk.lease_id)
        upload = self._uploads.get(chunk.lease_id)
        if upload is None or chunk.offset != len(upload):
            got = f"offset {chunk.offset}"
            raise InvalidField("candidate_chunk.offset", f"{len(upload or b'')}: chunks in order, from 0", got)
        if len(upload) + len(chunk.data) > MAX_CANDIDATE_BYTES:
            del self._uploads[chunk.lease_id]
            return self._too_large(LeaseId(chunk.lease_id))
        upload += chunk.data
        return s.ProgressMade(at=self._engine.now(), session=self._session.id, lease=LeaseId(chunk.lease_id))

    def _begin_upload(self, lease: str) -> None:
        """No more at once than the worker has slots: the oldest makes room, as if its worker had given it up."""
        self._uploads.pop(lease, None)
        if len(self._uploads) >= self._session.hello.slots:
            del self._uploads[next(iter(self._uploads))]
        self._uploads[lease] = bytearray()

    async def _candidate(self, message: worker_pb2.Candidate) -> s.Signal:
        upload = self._uploads.pop(message.lease_id, None)
        body = bytes(upload) if upload is not None else message.inline
        stored = len(body) > INLINE_LIMIT
        signal = candidate_from_proto(message, body, session=self._session.id, at=self._engine.now(), stored=stored)
        if stored and isinstance(signal, s.CandidateMade):
            await self._engine.contents.put(signal.content.digest, body)
        return signal

    def _too_large(self, lease: LeaseId) -> s.WorkFailed:
        message = f"expected a candidate of at most {MAX_CANDIDATE_BYTES} bytes, but got more"
        now, session = self._engine.now(), self._session.id
        return s.WorkFailed(at=now, session=session, lease=lease, kind=FailureKind.PERMANENT, message=message)

    # ------------------------------------------------------------ out

    async def _write(self) -> None:
        """Collects what is ready into frames."""
        session = self._session
        while True:
            await session.wake.wait()
            session.wake.clear()
            frame = worker_pb2.ConnectResponse()
            size = 0
            while session.outbox:
                message = await self._message(session.outbox.popleft())
                if message is None:
                    continue
                length = message.ByteSize() + MESSAGE_HEADER
                if size and size + length > min(FRAME_TARGET, self._max_frame):
                    await self._context.write(frame)
                    frame, size = worker_pb2.ConnectResponse(), 0
                frame.messages.append(message)
                size += length
            if size:
                await self._context.write(frame)

    async def _message(self, item: c.Command | worker_pb2.RunnerMessage) -> worker_pb2.RunnerMessage | None:
        """What to send; None when no frame can carry it, which is then reported."""
        if isinstance(item, worker_pb2.RunnerMessage):
            return item
        if not isinstance(item, c.Assign):
            return order_to_proto(item)
        if self._pings_rarely:
            self._has_work.set()
        wanted = self._engine.feed.wants_thinking(item.execution.id)
        message, read = worker_pb2.RunnerMessage(), self._engine.contents.get
        try:
            await write_assign(message.assign, item, read, self._max_frame, thinking_wanted=wanted)
        except AssignmentTooLarge as error:
            now, session = self._engine.now(), self._session.id
            await self._engine.report(s.NotAssignable(at=now, session=session, lease=item.lease, message=str(error)))
            return None
        return message

    async def _ping(self) -> None:
        """Returns, and so ends the session, when the worker has missed three pings."""
        nonce, is_extra = 0, False
        await asyncio.sleep(self._conversation.ping_interval)
        while self._unanswered < MISSED_PINGS:
            nonce += 1
            self._unanswered += not is_extra  # that one only says that they come more often now
            pause = self._until_next_ping()
            ping = worker_pb2.Ping(nonce=nonce, next_within=duration(pause))
            self._session.send(worker_pb2.RunnerMessage(ping=ping))
            is_extra = await self._is_given_work(pause)
        log.warning("worker_silent", worker=self._session.hello.name, session=self._session.id)

    def _until_next_ping(self) -> float:
        """Seconds: long ones for a worker that holds nothing, of which nobody waits for anything."""
        self._pings_rarely = not self._engine.has_leases(self._session.id)
        self._has_work.clear()
        if not self._pings_rarely:
            return self._conversation.ping_interval
        pause = self._conversation.ping_interval * IDLE_PINGS
        return pause - (asyncio.get_running_loop().time() + pause) % (pause * TOGETHER)

    async def _is_given_work(self, within: float) -> bool:
        """Whether the worker is given work when it had none: then pings must come more often at once."""
        try:
            async with asyncio.timeout(within):
                return await self._has_work.wait()
        except TimeoutError:
            return False

    async def _rotate(self) -> None:
        """Asks for the next stream when this one is old. Returns, and so ends the session, when none has come."""
        within = self._conversation.rotate_within
        await asyncio.sleep(self._conversation.stream_age())
        self._session.send(worker_pb2.RunnerMessage(rotate=worker_pb2.Rotate(within=duration(within))))
        await asyncio.sleep(within)
        log.info("stream_too_old", worker=self._session.hello.name, session=self._session.id)
