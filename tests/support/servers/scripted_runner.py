"""A scripted runner: the runner's side of a worker's stream, on loopback, which sends what a test tells it.

    async with ScriptedRunner() as runner:
        stream = await runner.stream()                 # a worker has connected and said Hello
        await stream.send(welcome(), assign("L1"))
        assert (await stream.expect("credit")).window == 7
        await stream.abort(grpc.StatusCode.INTERNAL)

Artifacts by reference are served from `artifacts`, by digest. Nothing here waits for longer than WITHIN.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio
from google.protobuf.duration_pb2 import Duration

from signoff.errors import ArtifactNotFound, SignoffError
from signoff.rpc.server import Server
from signoff.v1 import (
    execution_pb2,
    plan_pb2,
    runner_pb2,
    runner_pb2_grpc,
    worker_pb2,
    worker_pb2_grpc,
)
from tests.support.servers.scripted_files import ScriptedFiles

WITHIN = 10.0  # seconds for what takes milliseconds
CHUNK = 100_000  # bytes of an artifact in one message

Context = grpc.aio.ServicerContext[Any, Any]
ToWorker = worker_pb2.RunnerMessage
Ending = Callable[[], Any]


# ---------------------------------------------------------------- what a runner says


def welcome(
    *,
    session_id: str = "session",
    ping_interval: timedelta = timedelta(seconds=10),
    max_frame_bytes: int = 4 * 1024 * 1024,
    inline_limit_bytes: int = 256 * 1024,
    max_candidate_bytes: int = 64 * 1024 * 1024,
) -> ToWorker:
    body = worker_pb2.Welcome(
        session_id=session_id,
        epoch=1,
        max_frame_bytes=max_frame_bytes,
        inline_limit_bytes=inline_limit_bytes,
        max_candidate_bytes=max_candidate_bytes,
        ping_interval=duration(ping_interval),
    )
    return ToWorker(welcome=body)


def assign(
    lease_id: str = "L1",
    phase: execution_pb2.Phase.ValueType = execution_pb2.PHASE_EXECUTE,
    *,
    inputs: tuple[worker_pb2.InputArtifact, ...] = (),
    thinking_wanted: bool = False,
) -> ToWorker:
    body = worker_pb2.Assign(
        lease_id=lease_id,
        phase=phase,
        execution_id="x-1",
        plan_id="trends",
        attempt=1,
        task=plan_pb2.TaskSpec(task_id="1_1", description="List the planets"),
        inputs=inputs,
        thinking_wanted=thinking_wanted,
    )
    if phase == execution_pb2.PHASE_VALIDATE:
        body.candidate.CopyFrom(worker_pb2.InputArtifact(task_id="1_1", inline=b"Mars", digest=digest_of(b"Mars")))
    return ToWorker(assign=body)


def by_reference(content: bytes, *, task_id: str = "1_0") -> worker_pb2.InputArtifact:
    """Returns an input that travels by reference."""
    digest = digest_of(content)
    return worker_pb2.InputArtifact(task_id=task_id, digest=digest, size_bytes=len(content), by_reference=True)


def ack(lease_id: str = "L1") -> ToWorker:
    return ToWorker(ack=worker_pb2.Ack(lease_id=lease_id))


def keep(lease_id: str = "L1") -> ToWorker:
    return ToWorker(keep=worker_pb2.Keep(lease_id=lease_id))


def stop(lease_id: str = "L1") -> ToWorker:
    return ToWorker(stop=worker_pb2.Stop(lease_id=lease_id, reason="not yours any more"))


def cancel(lease_id: str = "L1") -> ToWorker:
    return ToWorker(cancel=worker_pb2.Cancel(lease_id=lease_id, reason="stopped"))


def superseded(lease_id: str = "L1") -> ToWorker:
    return ToWorker(superseded=worker_pb2.Superseded(lease_id=lease_id, reason="too late"))


def attention(lease_id: str = "L1", *, thinking_wanted: bool) -> ToWorker:
    return ToWorker(attention=worker_pb2.Attention(lease_id=lease_id, thinking_wanted=thinking_wanted))


def ping(nonce: int, next_within: timedelta | None = None) -> ToWorker:
    body = worker_pb2.Ping(nonce=nonce)
    if next_within is not None:
        body.next_within.CopyFrom(duration(next_within))
    return ToWorker(ping=body)


def rotate(within: timedelta) -> ToWorker:
    return ToWorker(rotate=worker_pb2.Rotate(within=duration(within)))


def drain() -> ToWorker:
    return ToWorker(drain=worker_pb2.Drain())


def from_a_newer_runner() -> ToWorker:
    """Returns a message of a kind that this version does not know: field 900, empty."""
    return ToWorker.FromString(bytes([0xA2, 0x38, 0x00]))


def duration(value: timedelta) -> Duration:
    message = Duration()
    message.FromTimedelta(value)
    return message


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# ---------------------------------------------------------------- one stream


class Stream:
    """A worker's stream, after its Hello. It keeps the frames of the worker in `frames`."""

    def __init__(self, context: Context, first: worker_pb2.ConnectRequest) -> None:
        self.hello = first.messages[0].hello
        self.frames: list[worker_pb2.ConnectRequest] = [first]
        self.answers_goodbye = True  #: a stream that the worker ends in order is ended here too
        self._context = context
        self._is_open = True
        self._said: asyncio.Queue[worker_pb2.WorkerMessage | None] = asyncio.Queue()
        self._ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()

    async def send(self, *messages: ToWorker) -> None:
        """Sends the messages in one frame."""
        await self._context.write(worker_pb2.ConnectResponse(messages=messages))

    async def next(self) -> worker_pb2.WorkerMessage:
        """Returns the worker's next message."""
        message = await asyncio.wait_for(self._said.get(), WITHIN)
        assert message is not None, "expected a message, but the worker ended the stream"
        return message

    async def expect(self, kind: str) -> Any:
        """Returns the body of the worker's next message, which must be of this kind."""
        message = await self.next()
        assert message.WhichOneof("kind") == kind, f"expected {kind}, but got {message}"
        return getattr(message, kind)

    async def expect_end(self) -> None:
        """Asserts that the worker's side ends without a further message."""
        message = await asyncio.wait_for(self._said.get(), WITHIN)
        assert message is None, f"expected the end of the stream, but got {message}"

    async def nothing_more(self, nonce: int = 4711) -> None:
        """Asserts that the worker sends nothing by itself: the answer to a ping comes next."""
        await self.send(ping(nonce))
        assert (await self.expect("pong")).nonce == nonce

    @property
    def peer(self) -> str:
        """Returns the worker's end of the connection, which differs for each connection."""
        return self._context.peer()

    @property
    def is_open(self) -> bool:
        """Tells whether the worker has neither left nor said goodbye."""
        return self._is_open

    def end(self) -> None:
        """Ends the stream with OK."""
        self._ending.set_result(_nothing)

    def abort(self, code: grpc.StatusCode, details: str = "as scripted") -> None:
        self._ending.set_result(lambda: self._context.abort(code, details))

    def refuse(self, error: SignoffError) -> None:
        """Ends the stream as a runner that raises this error."""

        async def raise_it() -> None:
            raise error

        self._ending.set_result(raise_it)

    async def run(self) -> None:
        reading = asyncio.create_task(self._read())
        try:
            await (await self._ending)()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(self) -> None:
        """Reads the worker's frames to their end."""
        try:
            while (frame := await self._context.read()) is not grpc.aio.EOF:
                self.frames.append(frame)
                for message in frame.messages:
                    self._said.put_nowait(message)
        finally:
            self._is_open = False
            self._said.put_nowait(None)
        if self.answers_goodbye and not self._ending.done():
            self.end()


async def _nothing() -> None:
    """Does nothing: a clean end."""


# ---------------------------------------------------------------- the service


class ScriptedRunner(worker_pb2_grpc.WorkerServiceServicer):
    """A runner that hands each new stream to the test. It serves at `address`, by default any free port of loopback."""

    def __init__(self, address: str = "127.0.0.1:0") -> None:
        self.address = address
        self.artifacts: dict[str, bytes | SignoffError] = {}  #: by digest
        self.passing: list[SignoffError] = []  #: with which the next calls for an artifact fail, one after the other
        self.asked: list[runner_pb2.GetArtifactRequest] = []
        self.files = ScriptedFiles()  #: of results with several files
        self._streams: asyncio.Queue[Stream] = asyncio.Queue()
        self._server = Server()

    async def __aenter__(self) -> Self:
        self._server.add(worker_pb2_grpc.add_WorkerServiceServicer_to_server, self, "signoff.v1.WorkerService")
        artifacts = _Artifacts(self)  # type: ignore[abstract]  # the other calls answer UNIMPLEMENTED
        self._server.add(runner_pb2_grpc.add_RunnerServiceServicer_to_server, artifacts, "signoff.v1.RunnerService")
        self.address = await self._server.start(self.address)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._server.stop(0)

    def put(self, content: bytes) -> worker_pb2.InputArtifact:
        """Keeps an artifact that workers can fetch; returns the reference to it."""
        self.artifacts[digest_of(content)] = content
        return by_reference(content)

    async def stream(self) -> Stream:
        """Returns the stream of the next worker that connects."""
        return await asyncio.wait_for(self._streams.get(), WITHIN)

    async def welcomed(self, *messages: ToWorker) -> Stream:
        """Returns the next stream after Welcome, these messages in the same frame, and the worker's Credit."""
        stream = await self.stream()
        await stream.send(welcome(), *messages)
        await stream.expect("credit")
        return stream

    async def Connect(self, request_iterator: AsyncIterator[worker_pb2.ConnectRequest], context: Context) -> None:  # type: ignore[override]
        first = await context.read()
        if first is grpc.aio.EOF:
            return
        stream = Stream(context, first)
        self._streams.put_nowait(stream)
        await stream.run()


class _Artifacts(runner_pb2_grpc.RunnerServiceServicer):
    """The calls of RunnerService that workers make."""

    def __init__(self, runner: ScriptedRunner) -> None:
        self._runner = runner

    async def GetArtifact(
        self, request: runner_pb2.GetArtifactRequest, context: Context
    ) -> AsyncIterator[runner_pb2.GetArtifactResponse]:
        self._runner.asked.append(request)
        if self._runner.passing:
            raise self._runner.passing.pop(0)
        if request.all_files:
            async for answer in self._runner.files.sent(request):
                yield answer
            return
        found = self._runner.artifacts.get(request.digest, ArtifactNotFound(f"no artifact {request.digest}"))
        if isinstance(found, SignoffError):
            raise found
        info = execution_pb2.ArtifactInfo(task_id=request.task_id, digest=request.digest, size_bytes=len(found))
        yield runner_pb2.GetArtifactResponse(info=info)
        for start in range(0, len(found), CHUNK):
            yield runner_pb2.GetArtifactResponse(chunk=found[start : start + CHUNK])

    async def ListMissingContents(
        self, request: runner_pb2.ListMissingContentsRequest, _context: Context
    ) -> runner_pb2.ListMissingContentsResponse:
        return self._runner.files.missing(request)

    async def UploadFiles(
        self, request_iterator: AsyncIterator[runner_pb2.UploadFilesRequest], context: Context
    ) -> runner_pb2.UploadFilesResponse:
        return await self._runner.files.received(request_iterator, context)


@contextmanager
def nobody_listens() -> Any:
    """Yields an address of loopback that refuses connections until the end of the block."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"
