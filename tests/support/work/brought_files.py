"""Files of candidates, brought and named by hand."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping

from signoff.manifest.manifest import MANIFEST_TYPE, FileEntry, Manifest, manifest_to_json
from signoff.v1 import runner_pb2, worker_pb2
from tests.support.servers.runner import Running

CHUNK = 512 * 1024


def digest_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def entry_of(path: str, body: bytes, media_type: str = "text/plain") -> FileEntry:
    return FileEntry(path=path, media_type=media_type, size=len(body), digest=digest_of(body))


def manifest_body(files: Mapping[str, bytes], main: str = "") -> bytes:
    """Returns the manifest of files by their paths, whether or not it keeps the rules."""
    entries = tuple(entry_of(path, files[path]) for path in sorted(files))
    return manifest_to_json(Manifest(main=main or min(files), files=entries))


async def messages(lease_id: str, bodies: Iterable[bytes]) -> AsyncIterator[runner_pb2.UploadFilesRequest]:
    """Yields an upload: each file in chunks, as a worker sends it."""
    for number, body in enumerate(bodies):
        yield runner_pb2.UploadFilesRequest(
            lease_id="" if number else lease_id, digest=digest_of(body), size_bytes=len(body), chunk=body[:CHUNK]
        )
        for start in range(CHUNK, len(body), CHUNK):
            yield runner_pb2.UploadFilesRequest(chunk=body[start : start + CHUNK])


async def bring(runner: Running, lease_id: str, files: Mapping[str, bytes]) -> runner_pb2.UploadFilesResponse:
    return await runner.stub.UploadFiles(messages(lease_id, files.values()))


def candidate_of(lease_id: str, body: bytes) -> worker_pb2.Candidate:
    """Returns the candidate that names files by a manifest."""
    return worker_pb2.Candidate(
        lease_id=lease_id,
        inline=body,
        size_bytes=len(body),
        digest=digest_of(body),
        media_type=MANIFEST_TYPE,
        maker="m1",
    )


async def files_in(runner: Running, request: runner_pb2.GetArtifactRequest) -> dict[str, bytes]:
    """Reads all files of an artifact."""
    request.all_files = True
    found = dict[str, bytes]()
    path = ""
    async for part in runner.stub.GetArtifact(request):
        if part.HasField("file"):
            path = part.file.path
            found[path] = b""
        if path:
            found[path] += part.chunk
    return found
