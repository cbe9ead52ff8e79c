"""The files of a scripted runner: what workers bring it, and what they fetch, with faults that a test asks for."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import grpc
import grpc.aio

from signoff.errors import ArtifactNotFound, InvalidField, SignoffError
from signoff.manifest.manifest import FileEntry, manifest_of, manifest_to_json
from signoff.v1 import execution_pb2, runner_pb2

Response = runner_pb2.GetArtifactResponse
CHUNK = 100_000  # bytes


def entry_of(path: str, content: bytes, media_type: str = "text/plain") -> FileEntry:
    return FileEntry(path=path, media_type=media_type, size=len(content), digest=hashlib.sha256(content).hexdigest())


class ScriptedFiles:
    """Keeps files by their digests. A test may put faults into the way of both directions."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}  #: by digest
        self.results: dict[str, dict[str, bytes]] = {}  #: the files of results by their paths, by the manifest's digest
        self.asked: list[runner_pb2.ListMissingContentsRequest] = []
        self.uploads: list[list[runner_pb2.UploadFilesRequest]] = []  #: the messages of each stream
        self.faults: list[SignoffError | int] = []  #: an error, or a number of messages; one an upload
        self.forgets = False  #: what is brought is not kept
        self.garbled: Callable[[list[Response]], Iterable[Response]] = list  #: changes what is sent

    def put(self, files: dict[str, bytes], main: str) -> bytes:
        """Keeps a result with files; returns its manifest."""
        manifest = manifest_to_json(manifest_of([entry_of(path, content) for path, content in files.items()], main))
        self.results[hashlib.sha256(manifest).hexdigest()] = files
        return manifest

    async def sent(self, request: runner_pb2.GetArtifactRequest) -> AsyncIterator[Response]:
        if request.digest not in self.results:
            raise ArtifactNotFound(f"no artifact {request.digest}")
        answers = [Response(info=execution_pb2.ArtifactInfo(task_id=request.task_id, digest=request.digest))]
        for path, content in sorted(self.results[request.digest].items()):
            digest = hashlib.sha256(content).hexdigest()
            answers.append(Response(file=runner_pb2.FileEntry(path=path, size_bytes=len(content), digest=digest)))
            answers += [Response(chunk=content[at : at + CHUNK]) for at in range(0, len(content), CHUNK)]
        for answer in self.garbled(answers):
            yield answer

    def missing(self, request: runner_pb2.ListMissingContentsRequest) -> runner_pb2.ListMissingContentsResponse:
        self.asked.append(request)
        missing = [digest for digest in request.digests if digest not in self.kept]
        return runner_pb2.ListMissingContentsResponse(digests=missing)

    async def received(
        self, messages: AsyncIterator[runner_pb2.UploadFilesRequest], context: grpc.aio.ServicerContext[Any, Any]
    ) -> runner_pb2.UploadFilesResponse:
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, SignoffError):
            raise fault
        stream, files = list[runner_pb2.UploadFilesRequest](), list[list[runner_pb2.UploadFilesRequest]]()
        self.uploads.append(stream)
        async for message in messages:
            stream.append(message)
            if message.digest:
                self._keep(files)
                files.append([])
            files[-1].append(message)
            if fault == len(stream):
                await context.abort(grpc.StatusCode.UNAVAILABLE, "the stream broke")
        self._keep(files)
        return runner_pb2.UploadFilesResponse(files=len(files))

    def _keep(self, files: list[list[runner_pb2.UploadFilesRequest]]) -> None:
        """Keeps the file that has come last, if it is whole."""
        if not files:
            return
        content = b"".join(message.chunk for message in files[-1])
        begun = files[-1][0]
        if (len(content), hashlib.sha256(content).hexdigest()) != (begun.size_bytes, begun.digest):
            raise InvalidField("digest", f"the file {begun.digest}", f"{len(content)} other bytes")
        if not self.forgets:
            self.kept[begun.digest] = content
