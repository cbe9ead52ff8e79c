"""A scripted runner: it hands the streams of workers over to the kit, and serves the artifacts of the checks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio

from signoff.conformance.stream import Context, StreamNotes, WorkerStream
from signoff.errors import ArtifactNotFound, SignoffError
from signoff.rpc.channel import CHUNK_BYTES, SERVER_OPTIONS
from signoff.rpc.server import Server
from signoff.v1 import execution_pb2, runner_pb2, runner_pb2_grpc, worker_pb2, worker_pb2_grpc

# A frame that is too large shall come in, so that the kit can say how large it was.
_RECEIVE = "grpc.max_receive_message_length"
_OPTIONS = [(name, value) for name, value in SERVER_OPTIONS if name != _RECEIVE] + [(_RECEIVE, 64 * 1024 * 1024)]

MOST_STREAMS = 100  # that wait for the kit; a worker that opens more than that gets no answer


class KitRunner(worker_pb2_grpc.WorkerServiceServicer):
    """Serves WorkerService at `address`, and the calls of RunnerService that workers make."""

    def __init__(self, notes: StreamNotes, patience: float) -> None:
        self.address = ""
        self.artifacts = Artifacts()  # type: ignore[abstract]  # the other calls answer UNIMPLEMENTED
        self._notes = notes
        self._patience = patience
        self._streams: asyncio.Queue[WorkerStream] = asyncio.Queue(MOST_STREAMS)
        self._server = Server(_OPTIONS)

    async def start(self, address: str) -> None:
        """Listens at an address. Raises OSError when it cannot be bound."""
        add_workers, add_runner = (
            worker_pb2_grpc.add_WorkerServiceServicer_to_server,
            runner_pb2_grpc.add_RunnerServiceServicer_to_server,
        )
        self._server.add(add_workers, self, "signoff.v1.WorkerService")
        self._server.add(add_runner, self.artifacts, "signoff.v1.RunnerService")
        self.address = await self._server.start(address)

    async def stop(self) -> None:
        await self._server.stop(0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def next_stream(self) -> WorkerStream:
        """Returns the next stream that a worker opens, as soon as its first frame is there."""
        return await self._streams.get()

    async def Connect(self, request_iterator: AsyncIterator[worker_pb2.ConnectRequest], context: Context) -> None:  # type: ignore[override]  # noqa: N802 - the generated base class names it
        first = await context.read()
        if first is grpc.aio.EOF:
            return
        stream = WorkerStream(context, first, self._notes, self._patience)
        await self._streams.put(stream)
        await stream.run()


class Artifacts(runner_pb2_grpc.RunnerServiceServicer):
    """The artifacts that workers can fetch, by digest, and the requests for them."""

    def __init__(self) -> None:
        self.asked: list[runner_pb2.GetArtifactRequest] = []
        self.open = asyncio.Event()  #: nothing is answered before
        self.open.set()
        self._found: dict[str, bytes | SignoffError] = {}

    def put(self, digest: str, found: bytes | SignoffError) -> None:
        """Sets the answer to requests for this digest: bytes, or an error."""
        self._found[digest] = found

    def request_for(self, digest: str) -> runner_pb2.GetArtifactRequest | None:
        """Returns the last request for this digest; None when there was none."""
        return next((request for request in reversed(self.asked) if request.digest == digest), None)

    async def GetArtifact(  # noqa: N802 - as above
        self, request: runner_pb2.GetArtifactRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[runner_pb2.GetArtifactResponse]:
        self.asked.append(request)
        await self.open.wait()
        found = self._found.get(request.digest, ArtifactNotFound(f"the kit keeps no artifact {request.digest!r}"))
        if isinstance(found, SignoffError):
            raise found
        info = execution_pb2.ArtifactInfo(task_id=request.task_id, digest=request.digest, size_bytes=len(found))
        yield runner_pb2.GetArtifactResponse(info=info)
        for start in range(0, len(found), CHUNK_BYTES):
            yield runner_pb2.GetArtifactResponse(chunk=found[start : start + CHUNK_BYTES])
