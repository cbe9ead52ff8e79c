"""Inputs by reference: what is too large for an assignment is fetched under its lease."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TypeAlias

import grpc

from signoff.errors import SignoffError
from signoff.refusal import typed
from signoff.rpc import connect
from signoff.v1 import runner_pb2, runner_pb2_grpc, worker_pb2
from worker_svc.codec import Fetch

_Stub: TypeAlias = "runner_pb2_grpc.RunnerServiceAsyncStub"

MOST_BYTES = 1024**3  # of an input whose size was not announced


def fetcher(address: str, assign: worker_pb2.Assign) -> Fetch:
    """A Fetch for the inputs of one assignment.

    It raises StaleLease when the lease has ended, and another SignoffError when the bytes did not come or are not those
    that the assignment names.
    """
    channel = _Channel(address)

    async def fetch(artifact: worker_pb2.InputArtifact) -> bytes:
        async with channel as stub:
            content, digest = await _read(address, stub, assign, artifact)
        if digest != artifact.digest:
            expected = f"an artifact of {artifact.task_id} with SHA-256 {artifact.digest}"
            raise SignoffError(f"expected {expected}, but got {len(content)} bytes with SHA-256 {digest}")
        return content

    return fetch


class _Channel:
    """A channel for as long as anything is fetched: the work may outlive the stream that brought it."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._users = 0
        self._channel: grpc.aio.Channel | None = None

    async def __aenter__(self) -> _Stub:
        self._users += 1
        if self._channel is None:
            self._channel = connect(self._address)
        return runner_pb2_grpc.RunnerServiceStub(self._channel)

    async def __aexit__(self, *_error: object) -> None:
        self._users -= 1
        if not self._users and self._channel is not None:
            channel, self._channel = self._channel, None
            await channel.close()


async def _read(
    address: str, stub: _Stub, assign: worker_pb2.Assign, artifact: worker_pb2.InputArtifact
) -> tuple[bytes, str]:
    """The bytes, and their digest. No more are read than were announced."""
    request = runner_pb2.GetArtifactRequest(
        ref=runner_pb2.ExecutionRef(execution_id=assign.execution_id),
        task_id=artifact.task_id,
        lease_id=assign.lease_id,
        digest=artifact.digest,
    )
    chunks, size, digest = list[bytes](), 0, hashlib.sha256()
    answers = stub.GetArtifact(request)
    try:
        async for answer in answers:
            chunks.append(answer.chunk)
            digest.update(answer.chunk)
            size += len(answer.chunk)
            if size > (artifact.size_bytes or MOST_BYTES):
                break
        return await asyncio.to_thread(b"".join, chunks), digest.hexdigest()
    except grpc.RpcError as error:
        raise typed(error, "runner", address) from None
    finally:
        answers.cancel()
