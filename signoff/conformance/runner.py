"""A scripted runner: it hands the streams of workers over to the kit, serves artifacts, and takes files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self, TypeAlias

import grpc
import grpc.aio

from signoff.conformance.contents.artifacts import Artifacts
from signoff.conformance.contents.uploads import StreamBreaks, Uploads
from signoff.conformance.stream import Context, StreamNotes, WorkerStream
from signoff.rpc.channel import SERVER_OPTIONS
from signoff.rpc.server import Server
from signoff.v1 import runner_pb2, runner_pb2_grpc, worker_pb2, worker_pb2_grpc

Call: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

# A frame that is too large shall come in, so that the kit can say how large it was.
_RECEIVE = "grpc.max_receive_message_length"
_OPTIONS = [(name, value) for name, value in SERVER_OPTIONS if name != _RECEIVE] + [(_RECEIVE, 64 * 1024 * 1024)]

_WANTED = "as the conformance kit wants it"

MOST_STREAMS = 100  # that wait for the kit; a worker that opens more than that gets no answer


class KitRunner(worker_pb2_grpc.WorkerServiceServicer):
    """Serves WorkerService at `address`, and the calls of RunnerService that workers make."""

    def __init__(self, notes: StreamNotes, patience: float) -> None:
        self.address = ""
        self.artifacts = Artifacts()
        self.uploads = Uploads()
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
        calls = RunnerCalls(self.artifacts, self.uploads)  # type: ignore[abstract]
        self._server.add(add_runner, calls, "signoff.v1.RunnerService")
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


class RunnerCalls(runner_pb2_grpc.RunnerServiceServicer):
    """The calls of RunnerService that workers make; the others answer UNIMPLEMENTED."""

    def __init__(self, artifacts: Artifacts, uploads: Uploads) -> None:
        self._artifacts = artifacts
        self._uploads = uploads

    async def GetArtifact(  # noqa: N802 - as above
        self, request: runner_pb2.GetArtifactRequest, context: Call
    ) -> AsyncIterator[runner_pb2.GetArtifactResponse]:
        async for answer in self._artifacts.answer(request):
            yield answer

    async def ListMissingContents(  # noqa: N802 - as above
        self, request: runner_pb2.ListMissingContentsRequest, context: Call
    ) -> runner_pb2.ListMissingContentsResponse:
        try:
            return runner_pb2.ListMissingContentsResponse(digests=await self._uploads.missing(request))
        except StreamBreaks as end:
            await context.abort(end.code, _WANTED)

    async def UploadFiles(  # noqa: N802 - as above
        self, request_iterator: AsyncIterator[runner_pb2.UploadFilesRequest], context: Call
    ) -> runner_pb2.UploadFilesResponse:
        try:
            return await self._uploads.take(aiter(request_iterator))
        except StreamBreaks as end:
            await context.abort(end.code, _WANTED)
