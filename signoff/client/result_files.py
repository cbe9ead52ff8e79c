"""Reading results of several files: their manifest, and their files, which stream through memory piece by piece.

    artifact = await client.artifact(ref, "3")
    manifest = files_of(artifact)                       # None: it is one content
    result = ResultOf(ref=ref, task_id="3")
    async for piece in client.file(result, manifest.by_path["charts/sales.png"]):
        ...
    await client.save_files(result, manifest, Path("out"))

Each file is compared with the digest that the manifest has for it, and the manifest with the digest of the result.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from signoff.client.runner_connection import RunnerConnection
from signoff.client.values import Artifact, Candidate, Ref
from signoff.errors import Unavailable
from signoff.files.folders import Inside
from signoff.manifest.manifest import BadManifest, FileEntry, Manifest, manifest_from_json
from signoff.v1 import execution_pb2, runner_pb2

Pieces = AsyncGenerator[bytes, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultOf:
    """A reference to a result: the artifact of a task, or the candidate of one of its attempts."""

    ref: Ref
    task_id: str
    attempt: int | None = None  #: None: the artifact. 0: the last candidate that was made

    def __str__(self) -> str:
        if self.attempt is None:
            return f"the artifact of {self.task_id}"
        return f"the candidate of attempt {self.attempt or 'the last one'} of {self.task_id}"


def files_of(found: Artifact | Candidate) -> Manifest | None:
    """Returns the files of a result; None when it is one content. Raises Unavailable for a manifest that is broken."""
    info = info_of(found)
    if not info.file_count:
        return None
    try:
        return manifest_from_json(found.content)
    except BadManifest as error:
        raise Unavailable(f"the manifest of {info.task_id} cannot be read: {error}") from None


def info_of(found: Artifact | Candidate) -> execution_pb2.ArtifactInfo:
    """Returns the description of a result."""
    return found.info if isinstance(found, Artifact) else found.info.artifact


class RunnerFiles:
    """The part of the client that reads the files of results."""

    _runner: RunnerConnection

    async def file(self, result: ResultOf, entry: FileEntry, *, offset: int = 0, length: int = 0) -> Pieces:
        """Yields the bytes of a file, from `offset` on, at most `length` unless that is 0.

        Raises Unavailable when the runner has another file under the path by now, and after the last piece when a whole
        file has another size or digest than its entry says.
        """
        async with aclosing(self._told(result, path=entry.path, offset=offset, length=length)) as answers:
            first = await anext(answers, None)
            _check_begins(result, entry, first)
            pieces = _chunks(first, answers)
            async for piece in pieces if offset or length else checked(entry, pieces):
                yield piece

    async def files(self, result: ResultOf, manifest: Manifest) -> AsyncGenerator[tuple[FileEntry, Pieces], None]:
        """Yields all files of a result, in the order of their paths, in one stream: each with its bytes.

        The bytes of one are to be read before the next is asked for. They raise Unavailable as `file` does.
        """
        async with aclosing(self._told(result, all_files=True)) as answers:
            stream = _Files(answers)
            for entry in manifest.files:
                _check_begins(result, entry, await stream.next_file())
                yield entry, checked(entry, stream.pieces())
                await stream.skip()

    async def save_files(self, result: ResultOf, manifest: Manifest, folder: Path) -> None:
        """Writes all files of a result below a folder, each atomically; never outside, also where links are in the way.

        Raises OSError when the disk refuses; the files so far are whole.
        """
        with Inside(folder, hidden=True) as inside:
            async with aclosing(self.files(result, manifest)) as files:
                async for entry, pieces in files:
                    with inside.writing(*entry.path.split("/")) as file:
                        async for piece in pieces:
                            file.write(piece)

    def _told(self, result: ResultOf, **wanted: Any) -> AsyncGenerator[Any, None]:
        if result.attempt is None:
            artifact = runner_pb2.GetArtifactRequest(ref=result.ref, task_id=result.task_id, **wanted)
            return self._runner.answers(lambda runner: runner.GetArtifact, artifact)
        candidate = runner_pb2.GetCandidateRequest(
            ref=result.ref, task_id=result.task_id, attempt=result.attempt, **wanted
        )
        return self._runner.answers(lambda runner: runner.GetCandidate, candidate)


def entry_of(told: runner_pb2.FileEntry) -> FileEntry:
    """Returns a file as the manifest has it."""
    return FileEntry(path=told.path, media_type=told.media_type, size=told.size_bytes, digest=told.digest)


def _check_begins(result: ResultOf, entry: FileEntry, answer: Any) -> None:
    """Raises Unavailable unless an answer begins just this file."""
    if answer is None or not answer.HasField("file"):
        raise Unavailable(f"expected the file {entry.path} of {result}, but the runner sent none")
    if answer.file.path != entry.path or answer.file.digest != entry.digest:
        raise Unavailable(f"{result} was replaced while {entry.path} was read: read it again")


async def _chunks(first: Any, answers: AsyncIterator[Any]) -> Pieces:
    if first.chunk:
        yield first.chunk
    async for answer in answers:
        yield answer.chunk


def checked(entry: FileEntry, pieces: Pieces) -> Pieces:
    """Yields the pieces of a whole file as `checked_content` does."""
    return checked_content(f"the file {entry.path}", entry.size, entry.digest, pieces)


async def checked_content(what: str, expected: int, digest: str, pieces: Pieces) -> Pieces:
    """Yields the pieces of a whole content of `expected` bytes, the last one once all are known to be right.

    Raises Unavailable when they are too many, too few, or another file's: no reader takes what came for the whole then.
    """
    found, size, held = hashlib.sha256(), 0, b""
    async with aclosing(pieces):
        async for piece in pieces:
            size += len(piece)
            if size > expected:
                break  # a lie about the size must not fill a disk
            found.update(piece)
            if held:
                yield held
            held = piece
    # guard: files arrive whole -> if False:
    if size != expected or found.hexdigest() != digest:
        raise Unavailable(f"{what} arrived damaged: {size:,} of {expected:,} bytes, or others")
    if held:
        yield held


class _Files:
    """The answers to a request for all files, cut where one begins."""

    def __init__(self, answers: AsyncIterator[Any]) -> None:
        self._answers = answers
        self._begun: Any = None  # the first answer of the next file, which ended the one before

    async def next_file(self) -> Any:
        """Returns the answer that begins the next file; None at the end. What is before any file has no chunks."""
        while self._begun is None:
            answer = await anext(self._answers, None)
            if answer is None:
                return None
            if answer.HasField("file"):
                self._begun = answer
        begun, self._begun = self._begun, None
        self._first = begun
        return begun

    async def pieces(self) -> Pieces:
        first, self._first = self._first, None
        if first is not None and first.chunk:
            yield first.chunk
        async for answer in self._answers:
            if answer.HasField("file"):
                self._begun = answer
                return
            yield answer.chunk

    async def skip(self) -> None:
        """Passes over what is left of a file."""
        while self._begun is None:
            answer = await anext(self._answers, None)
            if answer is None:
                return
            if answer.HasField("file"):
                self._begun = answer
