"""Inputs by reference: what is too large for an assignment is fetched under its lease."""

from __future__ import annotations

import asyncio
import hashlib

import grpc

from signoff.errors import SignoffError
from signoff.refusal import typed
from signoff.rpc import connect
from signoff.v1 import runner_pb2, runner_pb2_grpc, worker_pb2
from worker_svc.codec import Fetch

MOST_BYTES = 1024**3  # of an input whose size was not announced


def fetcher(address: str, assign: worker_pb2.Assign) -> Fetch:
    """A Fetch for the inputs of one assignment.

    It raises StaleLease when the lease has ended, and another SignoffError when the bytes did not come or are not those
    that the assignment names.
    """

    async def fetch(artifact: worker_pb2.InputArtifact) -> bytes:
        content, digest = await _read(address, assign, artifact)
        if digest != artifact.digest:
            expected = f"an artifact of {artifact.task_id} with SHA-256 {artifact.digest}"
            raise SignoffError(f"expected {expected}, but got {len(content)} bytes with SHA-256 {digest}")
        return content

    return fetch


async def _read(address: str, assign: worker_pb2.Assign, artifact: worker_pb2.InputArtifact) -> tuple[bytes, str]:
    """The bytes, and their digest. No more are read than were announced.

    On a channel of its own: the work may outlive the stream that brought it.
    """
    request = runner_pb2.GetArtifactRequest(
        ref=runner_pb2.ExecutionRef(execution_id=assign.execution_id),
        task_id=artifact.task_id,
        lease_id=assign.lease_id,
        digest=artifact.digest,
    )
    async with connect(address) as channel:
        try:
            answers = runner_pb2_grpc.RunnerServiceStub(channel).GetArtifact(request)
            chunks, size, digest = list[bytes](), 0, hashlib.sha256()
            async for answer in answers:
                chunks.append(answer.chunk)
                digest.update(answer.chunk)
                size += len(answer.chunk)
                if size > (artifact.size_bytes or MOST_BYTES):
                    break
            return await asyncio.to_thread(b"".join, chunks), digest.hexdigest()
        except grpc.RpcError as error:
            raise typed(error, "runner", address) from None
