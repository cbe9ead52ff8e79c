"""WorkerService: greets a worker, and keeps its session for as long as its stream lasts (worker_stream.py)."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import structlog

from runner_svc.codec.assignments import INLINE_LIMIT
from runner_svc.codec.frames import joined_from_proto
from runner_svc.codec.times import duration
from runner_svc.core.model import signals
from runner_svc.core.model.values import SessionId
from runner_svc.engine import Engine
from runner_svc.prices import Prices
from runner_svc.services.hub import Hub, SessionWriter
from runner_svc.services.prompt_intake import MOST_PROMPTS_OF_A_SESSION, MOST_PROMPTS_OF_ALL
from runner_svc.services.uploads import CandidateUploads
from runner_svc.services.worker_stream import Context, Jitter, WorkerStream
from signoff.bounds import check
from signoff.errors import InvalidField, Unavailable
from signoff.rpc.channel import MAX_FRAME_BYTES
from signoff.rpc.frames import MAX_CANDIDATE_BYTES
from signoff.rpc.interceptor import readable
from signoff.v1 import worker_pb2, worker_pb2_grpc

log = structlog.get_logger(__name__)

HELLO_WITHIN = 30.0  # seconds


class WorkerService(worker_pb2_grpc.WorkerServiceServicer):
    """The conversation of worker.proto."""

    def __init__(self, engine: Engine, hub: Hub, prices: Prices | None = None, jitter: Jitter = random.uniform) -> None:
        self._engine = engine
        self._hub = hub
        self._jitter = jitter
        self._prices = prices or Prices()
        self._uploads = CandidateUploads()
        self._prompts = CandidateUploads(MOST_PROMPTS_OF_A_SESSION, MOST_PROMPTS_OF_ALL)

    async def Connect(self, request_iterator: AsyncIterator[worker_pb2.ConnectRequest], context: Context) -> None:  # type: ignore[override]
        first = await _first_frame(context)
        hello = _hello(first)
        self._engine.check_welcome(hello.name)
        session = SessionWriter(SessionId(uuid.uuid4().hex), hello, self._engine.now())
        joined = joined_from_proto(session.hello, session=session.id, at=self._engine.now())
        stream = WorkerStream(
            self._engine, self._hub, session, context, self._jitter, self._prices, self._uploads, self._prompts
        )
        self._hub.add(session)
        try:
            session.send(worker_pb2.RunnerMessage(welcome=self._welcome(session)))
            await self._engine.report(joined)
            log.info("worker_joined", worker=session.hello.name, session=session.id, held=len(joined.held))
            await stream.run(list(first.messages[1:]))
        finally:
            self._hub.remove(session)
            self._uploads.forget(session.id)
            self._prompts.forget(session.id)
            reason = f"the stream of {session.hello.name} ended"
            # guard (3 lines): an end without goodbye is a loss ->
            #     lost = signals.WorkerLost(at=self._engine.now(), session=session.id, reason=reason, orderly=True)
            lost = signals.WorkerLost(
                at=self._engine.now(), session=session.id, reason=reason, orderly=session.is_leaving
            )
            # guard: an end is reported at once -> await self._engine.report(lost)
            self._engine.report_lost(lost)
            log.info("worker_left", worker=session.hello.name, session=session.id, orderly=session.is_leaving)

    def _welcome(self, session: SessionWriter) -> worker_pb2.Welcome:
        clocks = self._engine.timings
        return worker_pb2.Welcome(
            session_id=session.id,
            epoch=self._engine.epoch,
            ping_interval=duration(clocks.ping_interval),
            lease_duration=duration(clocks.resume_grace),
            resume_grace=duration(clocks.resume_grace),
            accept_deadline=duration(clocks.accept_deadline),
            max_frame_bytes=MAX_FRAME_BYTES,
            inline_limit_bytes=INLINE_LIMIT,
            max_candidate_bytes=MAX_CANDIDATE_BYTES,
        )


async def _first_frame(context: Context) -> Any:
    """Returns the first frame. Raises Unavailable when none comes in time."""
    try:
        # guard: hello is awaited only so long -> async with asyncio.timeout(None):
        async with asyncio.timeout(HELLO_WITHIN):
            return readable(await context.read())
    except TimeoutError:
        raise Unavailable(f"expected hello within {HELLO_WITHIN:g} s, but nothing came") from None


def _hello(first: Any) -> worker_pb2.Hello:
    if first is grpc.aio.EOF or not first.messages or first.messages[0].WhichOneof("kind") != "hello":
        raise InvalidField("messages[0]", "the first message of the first frame to be hello", "something else")
    check(first.messages[0], "messages", 0)
    hello: worker_pb2.Hello = first.messages[0].hello
    hello.DiscardUnknownFields()  # it is kept for as long as the stream lives
    return hello
