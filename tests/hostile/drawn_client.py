"""Clients of the fuzz: requests and streams of every kind, and reads of files that are compared with what was made."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import grpc.aio
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from signoff.rpc.ends import FirstEnd
from signoff.v1 import runner_pb2
from tests.hostile.drawn_files import DrawnFiles, DrawnUpload
from tests.hostile.drawn_messages import Drawer
from tests.hostile.outcomes import PATIENCE, Counts, Failed
from tests.support.servers.runner import Running
from tests.support.work.brought_files import files_in, manifest_body

REQUESTS_A_ROUND = 10
FOLLOWED = 0.05  # seconds of a watch: what it waits for may never happen
METHODS: tuple[MethodDescriptor, ...] = tuple(runner_pb2.DESCRIPTOR.services_by_name["RunnerService"].methods)


def call_of(channel: Any, method: MethodDescriptor, messages: Sequence[bytes]) -> Any:
    """Begins a call of any kind with messages as they are. One that takes a single message gets the first."""
    kinds = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, False): channel.stream_unary,
        (True, True): channel.stream_stream,
    }
    kind = kinds[method.client_streaming, method.server_streaming]
    path = f"/{method.containing_service.full_name}/{method.name}"
    return kind(path)(_each(messages) if method.client_streaming else messages[0])


async def _each(messages: Sequence[bytes]) -> AsyncIterator[bytes]:
    for message in messages:
        yield message


async def sent_stream(call: Any, upload: DrawnUpload, counts: Counts, chance: random.Random) -> bool:
    """Sends a stream that has one answer. Returns True when it was taken."""
    end = FirstEnd(call)
    code, details = grpc.StatusCode.OK, ""
    try:
        async with asyncio.timeout(PATIENCE):
            for message in upload.messages:
                await call.write(message)
            if upload.is_left:
                await asyncio.sleep(chance.choice((0.0, 0.0, 0.003)))
                call.cancel()
            else:
                await call.done_writing()
            await call
    except TimeoutError:
        raise Failed(f"expected an answer to an upload within {PATIENCE:g} s, but none came") from None
    except grpc.aio.AioRpcError as error:
        told = await end.told(error)
        code, details = told.code(), told.details() or ""
    except asyncio.InvalidStateError:  # it was refused before all of it was written
        code, details = await call.code(), await call.details()
    except asyncio.CancelledError:
        code = grpc.StatusCode.CANCELLED
    counts.uploads += 1
    counts.kinds[f"an upload, {code.name}"] += 1
    counts.ended(code, "an upload", details)
    return code is grpc.StatusCode.OK


class DrawnClient:
    """Clients of one runner."""

    def __init__(self, runner: Running, drawer: Drawer, files: DrawnFiles, counts: Counts, story: deque[str]) -> None:
        self._runner, self._drawer, self._files, self._counts, self._story = runner, drawer, files, counts, story
        self._chance = drawer.chance
        self.with_files: list[str] = []  #: executions whose task h has files

    async def ask(self) -> None:
        """Sends some requests, one after the other."""
        for _ in range(self._chance.randrange(REQUESTS_A_ROUND)):
            method = self._chance.choice(METHODS)
            if method.client_streaming:
                await self._stream(method)
            else:
                request = self._request(method)
                self._story.append(f"{method.name} {request.SerializeToString()[:400].hex()}")
                await self._ask(method, request)

    def _request(self, method: MethodDescriptor) -> Message:
        request = self._drawer.message(GetMessageClass(method.input_type))
        if isinstance(request, runner_pb2.GetArtifactRequest | runner_pb2.GetCandidateRequest):
            self._aim(request)
        return request

    def _aim(self, request: runner_pb2.GetArtifactRequest | runner_pb2.GetCandidateRequest) -> None:
        """Has a request be about files that there are, mostly: in few of all that are drawn do the fields agree."""
        if self.with_files and self._chance.random() < 0.7:
            execution = self._chance.choice(self.with_files)
            request.ref.CopyFrom(runner_pb2.ExecutionRef(execution_id=execution))
            request.task_id = "h"
            if isinstance(request, runner_pb2.GetArtifactRequest):
                request.lease_id, request.digest = "", ""
            else:
                request.attempt, request.info_only = 0, False
        request.all_files = request.all_files and self._chance.random() < 0.5
        if request.all_files:
            request.path, request.offset, request.length = "", 0, 0

    async def _stream(self, method: MethodDescriptor) -> None:
        leases = [*self._drawer.known.texts.get("lease_id", ())][-5:] or [""]
        is_content = method.input_type is runner_pb2.UploadContentRequest.DESCRIPTOR
        upload = self._files.content() if is_content else self._files.upload(self._chance.choice(leases))
        self._story.append(f"{method.name} {b' '.join(upload.messages)[:400].hex()}")
        path = f"/{method.containing_service.full_name}/{method.name}"
        channel: Any = self._runner.channel
        await sent_stream(channel.stream_unary(path)(), upload, self._counts, self._chance)

    async def _ask(self, method: MethodDescriptor, request: Message) -> None:
        call = call_of(self._runner.channel, method, [request.SerializeToString()])
        code, details = grpc.StatusCode.OK, ""
        follows = isinstance(request, runner_pb2.WatchExecutionRequest) and request.follow
        try:
            async with asyncio.timeout(FOLLOWED if follows else PATIENCE):
                await (self._read(call) if method.server_streaming else call)
        except TimeoutError:
            if not follows:
                raise Failed(f"expected an answer to {method.name} within {PATIENCE:g} s, but none came") from None
        except grpc.aio.AioRpcError as error:
            code, details = error.code(), error.details() or ""
        self._counts.requests += 1
        self._counts.kinds[f"{method.name}, {code.name}"] += 1
        self._counts.ended(code, method.name, details)

    async def _read(self, call: Any) -> None:
        """Reads an answer to its end, its beginning, or nothing of it."""
        for _ in range(self._chance.choice((0, 1, 1, 1_000))):
            if await call.read() is grpc.aio.EOF:
                break
        call.cancel()


async def read_back(runner: Running, ref: runner_pb2.ExecutionRef, task: str, files: Mapping[str, bytes]) -> int:
    """Reads files in all ways, and compares them with those that were made. Returns how many streams that took."""

    def request(**fields: Any) -> runner_pb2.GetArtifactRequest:
        return runner_pb2.GetArtifactRequest(ref=ref, task_id=task, **fields)

    found: dict[Any, Any] = {"all": await files_in(runner, request()), "manifest": await _bytes(runner, request())}
    expected: dict[Any, Any] = {"all": files, "manifest": manifest_body(files)}
    for path, body in files.items():
        for offset, length in ((0, 0), (1, 2), (len(body), 1), (len(body) + 1, 0), (2**53, 2**53)):
            found[path, offset, length] = await _bytes(runner, request(path=path, offset=offset, length=length))
            expected[path, offset, length] = body[offset : offset + length if length else None]
    for what, body in expected.items():
        if found[what] != body:
            raise Failed(f"expected the files of {task} as they were made, but {what} is {str(found[what])[:200]}")
    return len(found)


async def _bytes(runner: Running, request: runner_pb2.GetArtifactRequest) -> bytes:
    return b"".join([part.chunk async for part in runner.stub.GetArtifact(request)])
