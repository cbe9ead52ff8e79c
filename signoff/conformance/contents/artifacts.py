"""The contents that workers can fetch from the kit, with their files, and the requests for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping

from signoff.errors import ArtifactNotFound, SignoffError
from signoff.manifest.manifest import FileEntry, Manifest
from signoff.rpc.channel import CHUNK_BYTES
from signoff.v1 import execution_pb2, runner_pb2

Answer = runner_pb2.GetArtifactResponse


class Artifacts:
    """Answers to GetArtifact, by digest."""

    def __init__(self) -> None:
        self.asked: list[runner_pb2.GetArtifactRequest] = []
        self.open = asyncio.Event()  #: nothing is answered before
        self.open.set()
        self._found: dict[str, bytes | SignoffError] = {}
        self._files: dict[str, list[tuple[FileEntry, bytes]] | SignoffError] = {}
        self._changed = asyncio.Event()

    def put(self, digest: str, found: bytes | SignoffError) -> None:
        """Sets the answer to requests for this digest: bytes, or an error."""
        self._found[digest] = found

    def put_files(self, digest: str, manifest: Manifest, bodies: Mapping[str, bytes]) -> None:
        """Sets the answer to requests for the files of a manifest: the bytes of each, by its path."""
        self._files[digest] = [(entry, bodies[entry.path]) for entry in manifest.files]

    def refuse_files(self, digest: str, error: SignoffError) -> None:
        """Sets an error as the answer to requests for the files of a manifest."""
        self._files[digest] = error

    def request_for(self, digest: str) -> runner_pb2.GetArtifactRequest | None:
        """Returns the last request for this digest; None when there was none."""
        return next((request for request in reversed(self.asked) if request.digest == digest), None)

    def file_requests(self, digest: str) -> list[runner_pb2.GetArtifactRequest]:
        """Returns the requests for files of the manifest with this digest: for all of them, or for one by its path."""
        return [request for request in self.asked if request.digest == digest and (request.all_files or request.path)]

    async def asked_for(self, digest: str, seconds: float, *, behind: int) -> bool:
        """Waits for a request for a digest behind so many requests. Returns whether one came, in time."""
        try:
            async with asyncio.timeout(seconds):
                while not any(request.digest == digest for request in self.asked[behind:]):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def answer(self, request: runner_pb2.GetArtifactRequest) -> AsyncIterator[Answer]:
        """Yields the answer to a request. Raises the error that was set, or ArtifactNotFound."""
        self.asked.append(request)
        self._changed.set()
        await self.open.wait()
        if request.all_files or request.path:
            answers = self._answers_with_files(request)
        else:
            answers = _whole(request, self._body(request.digest))
        for answer in answers:
            yield answer

    def _body(self, digest: str) -> bytes:
        found = self._found.get(digest, ArtifactNotFound(f"the kit keeps no artifact {digest!r}"))
        if isinstance(found, SignoffError):
            raise found
        return found

    def _answers_with_files(self, request: runner_pb2.GetArtifactRequest) -> Iterator[Answer]:
        missing = ArtifactNotFound(f"the kit keeps no files of an artifact {request.digest!r}")
        files = self._files.get(request.digest, missing)
        if isinstance(files, SignoffError):
            raise files
        wanted = [file for file in files if request.all_files or file[0].path == request.path]
        if not wanted:
            raise ArtifactNotFound(f"the artifact {request.digest!r} has no file {request.path!r}")
        yield Answer(info=_info(request, sum(len(body) for _, body in files)))
        for entry, body in wanted:
            yield Answer(file=_to_proto(entry))
            end = request.offset + request.length if request.length else len(body)
            yield from _chunks(body[request.offset : end])


def _whole(request: runner_pb2.GetArtifactRequest, body: bytes) -> Iterator[Answer]:
    yield Answer(info=_info(request, len(body)))
    yield from _chunks(body)


def _chunks(body: bytes) -> Iterator[Answer]:
    return (Answer(chunk=body[start : start + CHUNK_BYTES]) for start in range(0, len(body), CHUNK_BYTES))


def _info(request: runner_pb2.GetArtifactRequest, size: int) -> execution_pb2.ArtifactInfo:
    return execution_pb2.ArtifactInfo(task_id=request.task_id, digest=request.digest, size_bytes=size)


def _to_proto(entry: FileEntry) -> runner_pb2.FileEntry:
    return runner_pb2.FileEntry(
        path=entry.path, media_type=entry.media_type, size_bytes=entry.size, digest=entry.digest
    )
