"""A runner between a worker and the kit: it passes calls about files and artifacts on, with a fault in between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeAlias

import grpc.aio

from signoff.rpc.server import Server
from signoff.rpc.statuses import error_from_rpc
from signoff.v1 import runner_pb2, runner_pb2_grpc

Upload: TypeAlias = runner_pb2.UploadFilesRequest
Uploaded: TypeAlias = runner_pb2.UploadFilesResponse
Question: TypeAlias = runner_pb2.ListMissingContentsRequest
Missing: TypeAlias = runner_pb2.ListMissingContentsResponse
Wanted: TypeAlias = runner_pb2.GetArtifactRequest
Fetched: TypeAlias = runner_pb2.GetArtifactResponse

_ANY_SIZE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class KitCalls:
    """The kit's own answers. Raises the SignoffErrors that it raises."""

    def __init__(self, address: str, channel: grpc.aio.Channel) -> None:
        self._address = address
        self._stub: Any = runner_pb2_grpc.RunnerServiceStub(channel)
        self._left: list[Any] = []  # calls whose answer is not waited for

    async def missing(self, request: Question) -> Missing:
        try:
            answer: Missing = await self._stub.ListMissingContents(request)
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error, "kit", self._address) from None
        return answer

    async def upload(self, messages: list[Upload]) -> Uploaded:
        try:
            answer: Uploaded = await self._stub.UploadFiles(iter(messages))
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error, "kit", self._address) from None
        return answer

    def upload_unheard(self, messages: list[Upload]) -> None:
        """Sends files without waiting for the answer."""
        self._left.append(self._stub.UploadFiles(iter(messages)))

    async def fetch(self, request: Wanted) -> list[Fetched]:
        try:
            return [answer async for answer in self._stub.GetArtifact(request)]
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error, "kit", self._address) from None


class Meddler(Protocol):
    """A fault of the calls about files."""

    async def missing(self, request: Question, kit: KitCalls) -> Missing: ...

    async def upload(self, messages: list[Upload], kit: KitCalls) -> Uploaded: ...

    async def fetch(self, request: Wanted, kit: KitCalls) -> list[Fetched]: ...


class _Between(runner_pb2_grpc.RunnerServiceServicer):
    def __init__(self, kit: KitCalls, meddler: Meddler) -> None:
        self._kit = kit
        self._meddler = meddler

    async def ListMissingContents(self, request: Question, context: Any) -> Missing:
        return await self._meddler.missing(request, self._kit)

    async def UploadFiles(self, request_iterator: AsyncIterator[Upload], context: Any) -> Uploaded:
        return await self._meddler.upload([message async for message in request_iterator], self._kit)

    async def GetArtifact(self, request: Wanted, context: Any) -> AsyncIterator[Fetched]:
        for answer in await self._meddler.fetch(request, self._kit):
            yield answer


@asynccontextmanager
async def runner_between(address: str, meddler: Meddler) -> AsyncIterator[str]:
    """Listens until the end of the block. Yields the address for the worker."""
    server = Server()
    async with grpc.aio.insecure_channel(address, options=_ANY_SIZE) as channel:
        between = _Between(KitCalls(address, channel), meddler)  # type: ignore[abstract]
        server.add(runner_pb2_grpc.add_RunnerServiceServicer_to_server, between, "signoff.v1.RunnerService")
        try:
            yield await server.start("127.0.0.1:0")
        finally:
            await server.stop(0)
