"""One stream of a worker: reads frames into signals, writes commands as frames, and pings, until either side ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import grpc
import grpc.aio
import structlog

from runner_svc.codec.assignments import INLINE_LIMIT, AssignmentTooLarge, send_assignment
from runner_svc.codec.frames import candidate_from_proto, order_to_proto, report_from_proto
from runner_svc.codec.times import duration
from runner_svc.codec.usage import usage_from_proto
from runner_svc.core.decide.late_results import may_bring_candidate
from runner_svc.core.model import commands, signals
from runner_svc.core.model.values import FailureKind, LeaseId
from runner_svc.engine import Engine
from runner_svc.prices import Prices
from runner_svc.services.hub import Hub, SessionWriter
from runner_svc.services.manifests import with_files
from runner_svc.services.prompt_intake import PromptIntake
from runner_svc.services.uploads import CandidateUpload, CandidateUploads
from signoff.bounds import bounds_of, check
from signoff.errors import Bug, InvalidField, SignoffError, StorageFailed
from signoff.rpc.channel import MAX_FRAME_BYTES
from signoff.rpc.frames import IN_PARTS, MAX_CANDIDATE_BYTES, MESSAGE_HEADER, MISSED_PINGS
from signoff.rpc.interceptor import readable
from signoff.v1 import worker_pb2

log = structlog.get_logger(__name__)

Jitter: TypeAlias = Callable[[float, float], float]
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

FRAME_TARGET = 1024 * 1024  # a frame is sent when it has this many bytes, or when nothing more is ready
IDLE_PINGS = 5  # ping intervals between two pings of a worker that holds nothing: docs/adr/0006
TOGETHER = 1 / 50  # of the time between them: idle pings due within it go out together, which is a fifth less work
AT_ONCE, SENT_AT_ONCE = 500, 100  # messages that are read, or written, before the loop serves others
LARGE = 1024 * 1024  # bytes; beyond that, the digest is computed in a thread
TOO_LARGE = f"expected a candidate of at most {MAX_CANDIDATE_BYTES} bytes, but got more"
NOT_HELD = "expected a candidate under a lease that is held, but it had ended when the first chunk came"
CROWDED = "expected fewer bytes of unfinished candidates at once, so the oldest was dropped: it can be made again"
MOST_MESSAGES = bounds_of(worker_pb2.ConnectRequest, "messages").max_items


class WorkerStream:
    """Both directions of one session, until either ends."""

    def __init__(
        self,
        engine: Engine,
        hub: Hub,
        session: SessionWriter,
        context: Context,
        jitter: Jitter,
        prices: Prices,
        uploads: CandidateUploads,
        prompts: CandidateUploads,
    ) -> None:
        self._engine = engine
        self._hub = hub
        self._session = session
        self._context = context
        self._timings = engine.timings
        self._jitter = jitter
        self._prices = prices
        self._uploads = uploads
        self._prompts = PromptIntake(engine, hub, session, prompts, self._report)
        self._unreported: list[signals.Signal] = []  # not reported to the engine yet
        self._unanswered = 0  # pings
        self._pings_rarely = False
        self._has_work = asyncio.Event()  # set when a worker that is pinged rarely is given work
        limit = session.hello.max_frame_bytes or MAX_FRAME_BYTES
        self._max_frame = min(limit, MAX_FRAME_BYTES)
        self._takes_parts = IN_PARTS in session.hello.features

    async def run(self, rest: list[worker_pb2.WorkerMessage]) -> None:
        """Handles the rest of the first frame, then all others. Raises the error that the session was ended with."""
        await self._receive(rest, offset=1)
        parts = [self._read(), self._write(), self._ping()]
        if self._timings.max_stream_age:
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
        while (frame := readable(await self._context.read())) is not grpc.aio.EOF:
            await self._receive(frame.messages)

    async def _receive(self, messages: Sequence[worker_pb2.WorkerMessage], offset: int = 0) -> None:
        """Reports the messages of a frame, many together. `offset`: how many of the frame came before."""
        if len(messages) > MOST_MESSAGES:
            raise InvalidField("messages", f"at most {MOST_MESSAGES:,} entries", f"{len(messages):,}")
        for start in range(0, len(messages), AT_ONCE):
            if start:
                await asyncio.sleep(0)
            await self._receive_some(messages[start : start + AT_ONCE], offset + start)

    async def _receive_some(self, messages: Sequence[worker_pb2.WorkerMessage], offset: int) -> None:
        """Reports messages, also those before one that makes no sense.

        A bug is logged with the kind of the message, and ends the stream.
        """
        try:
            for number, message in enumerate(messages, offset):
                # guard: messages are within their bounds -> (removed)
                check(message, "messages", number)
                signal = await self._signal_of(message)
                if signal is not None:
                    self._unreported.append(signal)
        except SignoffError:
            raise
        except Exception as bug:
            kind = message.WhichOneof("kind")
            log.error("bug_in_frame", worker=self._session.hello.name, message=kind, exc_info=bug)
            raise Bug from bug
        finally:
            await self._report()

    async def _report(self) -> None:
        unreported, self._unreported = self._unreported, []
        await self._engine.report(*unreported)

    async def _signal_of(self, message: worker_pb2.WorkerMessage) -> signals.Signal | None:
        kind = message.WhichOneof("kind")
        if kind == "pong":
            # guard: a pong is a sign of life -> pass
            self._unanswered = 0
            return None
        if kind == "candidate_chunk":
            return await self._upload(message.candidate_chunk)
        if kind == "candidate":
            return await self._candidate(message.candidate)
        if kind == "prompt_chunk":
            return await self._prompts.signal_of(message.prompt_chunk)
        if kind == "usage":
            return usage_from_proto(message.usage, self._prices, session=self._session.id, at=self._engine.now())
        if kind == "hello":
            raise InvalidField("hello", "one hello, as the first message", "a second one")
        if kind == "progress":
            # guard: thinking under leases of its own -> if False:
            if not self._hub.has_lent(self._session, LeaseId(message.progress.lease_id)):
                return None  # it changes nothing
            self._hub.think(message.progress)
        elif kind == "draining":
            self._session.is_leaving = True
        return report_from_proto(message, session=self._session.id, at=self._engine.now())

    # ------------------------------------------------------------ candidates

    async def _upload(self, chunk: worker_pb2.CandidateChunk) -> signals.Signal | None:
        """Collects a large candidate. The first chunk under a lease begins it anew, as after a reconnect."""
        lease = LeaseId(chunk.lease_id)
        if chunk.offset == 0:
            # guard: chunks under leases that are held -> problem = ""
            problem = "" if await self._may_bring(lease) else NOT_HELD
            self._uploads.begin(self._session.id, lease, self._session.hello.slots, problem)
        upload = self._uploads.find(self._session.id, lease)
        size = upload.size if upload is not None else 0
        if upload is None or chunk.offset != size:
            raise InvalidField("candidate_chunk.offset", f"{size}: chunks in order, from 0", f"offset {chunk.offset}")
        self._unreported += [self._fail_upload(crowded, CROWDED) for crowded in self._uploads.add(upload, chunk.data)]
        if upload.problem:
            return None
        if upload.size > MAX_CANDIDATE_BYTES:
            return self._fail_upload(upload, TOO_LARGE, FailureKind.PERMANENT)
        return signals.ProgressMade(at=self._engine.now(), session=self._session.id, lease=lease)

    def _fail_upload(
        self, upload: CandidateUpload, problem: str, kind: FailureKind = FailureKind.TRANSIENT
    ) -> signals.WorkFailed:
        self._uploads.give_up(upload, problem)
        now = self._engine.now()
        return signals.WorkFailed(at=now, session=upload.session, lease=upload.lease, kind=kind, message=problem)

    async def _candidate(self, message: worker_pb2.Candidate) -> signals.Signal:
        lease = LeaseId(message.lease_id)
        upload = self._uploads.take(self._session.id, lease)
        if upload is not None and upload.problem:
            now, session = self._engine.now(), self._session.id
            return signals.WorkFailed(
                at=now, session=session, lease=lease, kind=FailureKind.TRANSIENT, message=upload.problem
            )
        return await self._signal_of_candidate(message, message.inline if upload is None else upload.body, lease)

    async def _signal_of_candidate(
        self, message: worker_pb2.Candidate, body: bytes | bytearray, lease: LeaseId
    ) -> signals.Signal:
        """Returns the signal of a candidate. One that is large, or came in chunks, is stored before its event.

        That is done only if it would count: otherwise any worker could fill the store. An orphan's bytes are kept if it
        was one message.
        """
        in_chunks = isinstance(body, bytearray)
        # guard: a small candidate in chunks is stored -> before = len(body) > INLINE_LIMIT
        before = in_chunks or len(body) > INLINE_LIMIT
        # guard: large candidates under leases that are held -> counts = before
        counts = before and await self._may_bring(lease)
        apart = counts or in_chunks
        at, session = self._engine.now(), self._session.id

        def read() -> tuple[bytes, signals.CandidateMade | signals.WorkFailed]:
            whole = bytes(body)
            return whole, candidate_from_proto(message, whole, session=session, at=at, stored=apart)

        whole, signal = await asyncio.to_thread(read) if len(body) > LARGE else read()
        if not isinstance(signal, signals.CandidateMade):
            return signal
        if counts:
            if refusal := await self._put(signal, whole):
                return refusal
            signal = replace(signal, brought=(signal.content.digest,))
        return await with_files(self._engine.contents, signal, whole)

    async def _put(self, made: signals.CandidateMade, body: bytes) -> signals.WorkFailed | None:
        """Stores a candidate. Returns the failure of its attempt when the object store refuses it.

        Raises StorageFailed while the journal's store is away: the worker comes back with the same candidate.
        """
        contents = self._engine.contents
        try:
            await contents.put(made.content.digest, body, made.lease)
        except StorageFailed as failure:
            # guard (2 lines): a candidate that is refused ends no stream -> raise
            if not contents.takes_streams(len(body)):
                raise
            log.warning("candidate_not_stored", lease=made.lease, bytes=len(body), error=str(failure))
            return signals.WorkFailed(
                at=made.at, session=made.session, lease=made.lease, kind=FailureKind.TRANSIENT, message=str(failure)
            )
        return None

    async def _may_bring(self, lease: LeaseId) -> bool:
        """Tells whether a candidate under a lease would count, once all earlier messages are decided."""
        await self._report()
        return await self._engine.ask(lambda state: may_bring_candidate(state, self._session.id, lease))

    # ------------------------------------------------------------ out

    async def _write(self) -> None:
        """Writes the messages that are ready, collected into frames."""
        session, frames = self._session, _Frames(self._context, min(FRAME_TARGET, self._max_frame))
        while True:
            await session.wake.wait()
            session.wake.clear()
            taken = 0
            while session.outbox:
                taken += 1
                if not taken % SENT_AT_ONCE:
                    await asyncio.sleep(0)
                item = session.outbox.popleft()
                if isinstance(item, commands.Assign):
                    await self._assign(item, frames)
                else:
                    await frames.add(item if isinstance(item, worker_pb2.RunnerMessage) else order_to_proto(item))
            await frames.flush()

    async def _assign(self, assign: commands.Assign, frames: _Frames) -> None:
        """Sends an assignment. One that no frame can carry is reported, and one whose contents are lost.

        Raises StorageFailed while the store is away.
        """
        if self._pings_rarely:
            # guard: work brings a ping along -> pass
            self._has_work.set()
        wanted, read = self._hub.wants_thinking(assign.execution), self._engine.contents.get
        try:
            await send_assignment(
                assign, frames.add, read, self._max_frame, thinking_wanted=wanted, in_parts=self._takes_parts
            )
        except (AssignmentTooLarge, StorageFailed) as error:
            # guard: a lost content ends no stream -> if isinstance(error, StorageFailed):
            if isinstance(error, StorageFailed) and not error.is_lost:
                raise
            now, session = self._engine.now(), self._session.id
            # guard (3 lines): an assignment that fits no frame is a failure ->
            #     (signals.NotAssignable(at=now, session=session, lease=assign.lease, message=str(error)))
            await self._engine.report(
                signals.NotAssignable(at=now, session=session, lease=assign.lease, message=str(error))
            )

    async def _ping(self) -> None:
        """Returns, and so ends the session, when the worker has missed three pings."""
        nonce, is_extra = 0, False
        await asyncio.sleep(self._timings.ping_interval)
        # guard: three missed pings; world: three missed pings; a silent worker is missed -> while True:
        while self._unanswered < MISSED_PINGS:
            nonce += 1
            self._unanswered += not is_extra  # an extra ping only says that pings come more often now
            pause = self._seconds_until_ping()
            ping = worker_pb2.Ping(nonce=nonce, next_within=duration(pause))
            # guard: pings keep lines busy -> pass
            self._session.send(worker_pb2.RunnerMessage(ping=ping))
            is_extra = await self._is_given_work(pause)
        log.warning("worker_silent", worker=self._session.hello.name, session=self._session.id)

    def _seconds_until_ping(self) -> float:
        """Returns the seconds until the next ping: many for a worker without leases, because no work waits for it."""
        # guard: idle workers are pinged rarely -> self._pings_rarely = False
        self._pings_rarely = not self._engine.has_leases(self._session.id)
        self._has_work.clear()
        if not self._pings_rarely:
            return self._timings.ping_interval
        pause = self._timings.ping_interval * IDLE_PINGS
        return pause - (asyncio.get_running_loop().time() + pause) % (pause * TOGETHER)

    async def _is_given_work(self, within: float) -> bool:
        """Tells whether a worker without work is given some in this time: then pings must come more often at once."""
        try:
            async with asyncio.timeout(within):
                return await self._has_work.wait()
        except TimeoutError:
            return False

    async def _rotate(self) -> None:
        """Asks for the next stream when this one is old. Returns, and so ends the session, when none has come."""
        within = self._timings.rotate_within
        await asyncio.sleep(self._timings.stream_age(self._jitter))
        # guard: rotate -> (worker_pb2.RunnerMessage(rotate=worker_pb2.Rotate(within=duration(within))))
        self._session.send(worker_pb2.RunnerMessage(rotate=worker_pb2.Rotate(within=duration(within))))
        # guard: an old stream ends -> await asyncio.Event().wait()
        await asyncio.sleep(within)
        log.info("stream_too_old", worker=self._session.hello.name, session=self._session.id)


class _Frames:
    """Collects messages into frames of a size, and writes each as it is full."""

    def __init__(self, context: Context, most: int) -> None:
        self._context = context
        self._most = most
        self._frame = worker_pb2.ConnectResponse()
        self._size = 0

    async def add(self, message: worker_pb2.RunnerMessage) -> None:
        length = message.ByteSize() + MESSAGE_HEADER
        if self._size and self._size + length > self._most:
            await self.flush()
        self._frame.messages.append(message)
        self._size += length

    async def flush(self) -> None:
        """Writes what has been collected."""
        if self._size:
            frame, self._frame, self._size = self._frame, worker_pb2.ConnectResponse(), 0
            await self._context.write(frame)
