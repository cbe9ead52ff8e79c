"""A worker by hand: a test sends and receives every message of the stream itself."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeAlias

import grpc.aio

from signoff.manifest.manifest import FILES
from signoff.v1 import execution_pb2, runner_pb2, worker_pb2
from tests.support.servers.runner import Running
from tests.support.values.results import results_of

EXECUTOR, VALIDATOR = runner_pb2.WORKER_ROLE_EXECUTOR, runner_pb2.WORKER_ROLE_VALIDATOR
PATIENCE = 10.0  # seconds to wait for a message

Outcome: TypeAlias = execution_pb2.Outcome.ValueType
Role: TypeAlias = runner_pb2.WorkerRole.ValueType


class RawWorker:
    """A worker's stream. `hear` returns the next message of a kind; messages of other kinds wait."""

    def __init__(self, call: Any) -> None:
        self.call = call
        self.session_id = ""
        self._heard: deque[worker_pb2.RunnerMessage] = deque()

    async def say(self, **message: Any) -> None:
        """Sends one message: `say(accepted=worker_pb2.Accepted(...))`."""
        await self.call.write(worker_pb2.ConnectRequest(messages=[worker_pb2.WorkerMessage(**message)]))

    async def hear(self, kind: str) -> Any:
        """Returns the next message of this kind. Raises AioRpcError when the stream has ended."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for message in self._heard:
                    if message.WhichOneof("kind") == kind:
                        self._heard.remove(message)
                        return getattr(message, kind)
                frame = await self.call.read()
                if frame is grpc.aio.EOF:
                    raise grpc.aio.AioRpcError(
                        await self.call.code(),
                        await self.call.initial_metadata(),
                        await self.call.trailing_metadata(),
                        details=await self.call.details(),
                    )
                self._heard.extend(frame.messages)

    def has_heard(self, kind: str) -> bool:
        """Tells whether a message of this kind has come that the test has not taken yet."""
        return any(message.WhichOneof("kind") == kind for message in self._heard)

    async def assigned(self) -> worker_pb2.Assign:
        """Accepts and returns the next assignment."""
        assign: worker_pb2.Assign = await self.hear("assign")
        await self.say(accepted=worker_pb2.Accepted(lease_id=assign.lease_id))
        return assign

    async def make(self, assign: worker_pb2.Assign, text: str = "made") -> None:
        """Reports a candidate and waits until it is durable."""
        body = text.encode()
        await self.say(candidate=candidate(assign.lease_id, body))
        await self.hear("ack")

    async def judge(self, assign: worker_pb2.Assign, outcome: Outcome = execution_pb2.OUTCOME_PASS) -> None:
        """Reports a verdict and waits until it is durable."""
        results = results_of(assign.task, outcome)
        await self.say(
            verdict=worker_pb2.Verdict(
                lease_id=assign.lease_id, outcome=outcome, results=results, feedback="too short", retry_worthwhile=True
            )
        )
        await self.hear("ack")


def candidate(lease_id: str, body: bytes) -> worker_pb2.Candidate:
    return worker_pb2.Candidate(
        lease_id=lease_id,
        inline=body,
        size_bytes=len(body),
        digest=hashlib.sha256(body).hexdigest(),
        media_type="text/plain",
        maker="m1",
    )


@contextlib.asynccontextmanager
async def raw_worker(
    runner: Running,
    role: Role,
    name: str,
    *,
    slots: int = 1,
    held: Sequence[str] = (),
    continues: str = "",
    handlers: Sequence[str] = (),
    models: Sequence[str] = (),
    max_frame_bytes: int = 0,
    features: Sequence[str] = (FILES,),
) -> AsyncIterator[RawWorker]:
    """Connects a worker, up to its Credit; the stream is cancelled at the end of the block."""
    call = runner.workers.Connect()
    worker = RawWorker(call)
    hello = worker_pb2.Hello(
        role=role,
        name=name,
        slots=slots,
        held_lease_ids=held,
        maker="m1",
        version="test",
        continues_session_id=continues,
        handlers=handlers,
        models=models,
        max_frame_bytes=max_frame_bytes,
        features=features,
    )
    await worker.say(hello=hello)
    worker.session_id = (await worker.hear("welcome")).session_id
    await worker.say(credit=worker_pb2.Credit(window=slots))
    try:
        yield worker
    finally:
        call.cancel()
