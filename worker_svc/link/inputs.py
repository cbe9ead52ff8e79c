"""Inputs by reference: the worker fetches artifacts that are too large for an assignment, under its lease.

A task may have gigabytes of inputs. A model is shown a few hundred kilobytes of them, and a program reads files. So a
large input is kept in a temporary file, and takes memory only as far as it is read.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import mmap
import tempfile

from signoff.errors import SignoffError
from signoff.rpc.addresses import Route, RunnerStub
from signoff.v1 import runner_pb2, worker_pb2
from worker_svc.assignment import Bytes
from worker_svc.link.codec import Fetch
from worker_svc.link.patience import Pauses, patiently

IN_MEMORY = 1024 * 1024  # bytes of an input; a larger one is kept in a file
MOST_BYTES = 1024**3  # of an input whose size was not announced


def fetcher(route: Route, assign: worker_pb2.Assign, pauses: Pauses | None = None) -> Fetch:
    """Returns a Fetch for the inputs of one assignment. It waits for a runner that is away, and then begins anew.

    It raises StaleLease when the lease has ended, and another SignoffError when the bytes did not come or do not have
    the digest that the assignment names.
    """
    users = 0  # the channel is open while anything is fetched: the work may outlive the stream that brought it

    async def fetch(artifact: worker_pb2.InputArtifact) -> Bytes:
        nonlocal users
        users += 1
        try:
            content, digest = await patiently(route, lambda stub: _read(stub, assign, artifact), pauses)
        finally:
            users -= 1
            if not users:
                await route.close()
        # guard: input digest -> if False:
        if digest != artifact.digest:
            origin = artifact.task_id or "the plan's inputs"
            expected = f"an artifact of {origin} with SHA-256 {artifact.digest}"
            raise SignoffError(f"expected {expected}, but got {len(content)} bytes with SHA-256 {digest}")
        return content

    return fetch


async def _read(stub: RunnerStub, assign: worker_pb2.Assign, artifact: worker_pb2.InputArtifact) -> tuple[Bytes, str]:
    """Returns the bytes and their digest. Reads at most one chunk more than was announced."""
    request = runner_pb2.GetArtifactRequest(
        ref=runner_pb2.ExecutionRef(execution_id=assign.execution_id),
        task_id=artifact.task_id,
        lease_id=assign.lease_id,
        digest=artifact.digest,
    )
    # The task's own artifact is one piece, and is read as a whole.
    # guard: large inputs lie in files -> lies_in_file = False and artifact.task_id != assign.task.task_id
    lies_in_file = artifact.size_bytes > IN_MEMORY and artifact.task_id != assign.task.task_id
    size, digest = 0, hashlib.sha256()
    answers = stub.GetArtifact(request)
    try:
        with contextlib.closing(_InFile() if lies_in_file else _InMemory()) as kept:
            async for answer in answers:
                await kept.add(answer.chunk)
                digest.update(answer.chunk)
                size += len(answer.chunk)
                if size > (artifact.size_bytes or MOST_BYTES):
                    break
            return await asyncio.to_thread(kept.whole), digest.hexdigest()
    except OSError as error:
        raise SignoffError(f"{artifact.size_bytes} bytes could not be kept in a temporary file: {error}") from error
    finally:
        answers.cancel()


class _InMemory:
    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    async def add(self, chunk: bytes) -> None:
        self._chunks.append(chunk)

    def whole(self) -> bytes:
        return b"".join(self._chunks)

    def close(self) -> None:
        """Does nothing: only memory is held."""


class _InFile:
    """A file without a name: it is gone when its last reader is, however the worker ends."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - close() does

    async def add(self, chunk: bytes) -> None:
        await asyncio.to_thread(self._file.write, chunk)

    def whole(self) -> mmap.mmap:
        self._file.flush()
        return mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)

    def close(self) -> None:
        self._file.close()
