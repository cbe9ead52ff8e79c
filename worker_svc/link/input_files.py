"""Fetches the files of inputs and candidates that have several, into a folder that lives as long as the work.

The files of one artifact come in one stream, in the order of its manifest. Whatever the runner sends is compared with
the manifest, whose own digest the assignment names.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import structlog

from signoff.errors import SignoffError
from signoff.manifest.manifest import BadManifest, Manifest, is_manifest, manifest_from_json
from signoff.rpc.addresses import Route, RunnerStub
from signoff.v1 import runner_pb2, worker_pb2
from worker_svc.assignment import Artifact, Assignment
from worker_svc.files.receiving import ReceivedFiles
from worker_svc.files.scratch import new_folder
from worker_svc.link.patience import Pauses, patiently
from worker_svc.uncut import to_its_end

log = structlog.get_logger(__name__)

BATCH_BYTES = 1024 * 1024  # that are written at once: a thread for each of 10,000 small files would take seconds
_BATCH = 256  # messages


class FetchFiles(Protocol):
    """Fetches all files of one artifact into a folder, and calls `progress` now and then.

    Raises StaleLease, or another SignoffError.
    """

    async def __call__(
        self, artifact: Artifact, manifest: Manifest, folder: Path, progress: Callable[[], None]
    ) -> None: ...


def files_fetcher(route: Route, assign: worker_pb2.Assign, pauses: Pauses | None = None) -> FetchFiles:
    """Returns a FetchFiles for one assignment. It waits for a runner that is away, and then begins anew."""

    async def fetch(artifact: Artifact, manifest: Manifest, folder: Path, progress: Callable[[], None]) -> None:
        request = runner_pb2.GetArtifactRequest(
            ref=runner_pb2.ExecutionRef(execution_id=assign.execution_id),
            task_id=artifact.task_id,
            lease_id=assign.lease_id,
            digest=artifact.digest,
            all_files=True,
        )

        async def receive(stub: RunnerStub) -> None:
            await asyncio.to_thread(_empty, folder)
            answers = stub.GetArtifact(request)
            try:
                with ReceivedFiles(folder, manifest) as received:
                    async for batch in _batches(answers):
                        await to_its_end(asyncio.to_thread(received.take, batch))
                        progress()
                    received.end()
            finally:
                answers.cancel()

        try:
            await patiently(route, receive, pauses)
        except OSError as error:
            problem = f"{manifest.size:,} bytes in {len(manifest.files):,} files could not be kept on the disk"
            raise SignoffError(f"{problem}: {error}") from error
        finally:
            await route.close()

    return fetch


def _empty(folder: Path) -> None:
    """Makes a folder as new: an earlier try may have left files in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()


async def _batches(
    answers: AsyncIterable[runner_pb2.GetArtifactResponse],
) -> AsyncIterator[list[runner_pb2.GetArtifactResponse]]:
    batch, size = list[runner_pb2.GetArtifactResponse](), 0
    async for answer in answers:
        batch.append(answer)
        size += len(answer.chunk)
        if size >= BATCH_BYTES or len(batch) >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def has_files(assignment: Assignment) -> bool:
    """Tells whether an artifact of an assignment has files, which are to be fetched."""
    return any(is_manifest(artifact.media_type) for artifact in _artifacts_of(assignment))


@contextlib.asynccontextmanager
async def with_files(
    assignment: Assignment, fetch: FetchFiles, progress: Callable[[], None]
) -> AsyncIterator[Assignment]:
    """Yields the assignment with the files of its artifacts on the disk, which are removed at the end of the block.

    Raises StaleLease, or another SignoffError when they did not come.
    """
    folder = await asyncio.to_thread(_new_folder)
    try:
        yield await _WithFiles(folder, fetch, progress).of(assignment)
    finally:
        # guard: files of inputs are gone with the work -> pass
        await to_its_end(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))


def _new_folder() -> Path:
    try:
        return new_folder()
    except OSError as error:
        raise SignoffError(f"no folder for files can be made on this machine: {error}") from error


def _artifacts_of(assignment: Assignment) -> list[Artifact]:
    feedback = assignment.feedback
    others = assignment.candidate, feedback.previous_candidate if feedback is not None else None
    return [*assignment.inputs, *filter(None, others)]


class _WithFiles:
    """Gives artifacts their files, in a folder each."""

    def __init__(self, folder: Path, fetch: FetchFiles, progress: Callable[[], None]) -> None:
        self._folder = folder
        self._fetch = fetch
        self._progress = progress
        self._count = 0

    async def of(self, assignment: Assignment) -> Assignment:
        inputs = tuple([await self._one(artifact) for artifact in assignment.inputs])
        candidate, feedback = assignment.candidate, assignment.feedback
        if candidate is not None:
            candidate = await self._one(candidate)
        if feedback is not None and feedback.previous_candidate is not None:
            feedback = replace(feedback, previous_candidate=await self._one(feedback.previous_candidate))
        return replace(assignment, inputs=inputs, candidate=candidate, feedback=feedback)

    async def _one(self, artifact: Artifact) -> Artifact:
        if not is_manifest(artifact.media_type):
            return artifact
        try:
            manifest = await asyncio.to_thread(manifest_from_json, artifact.whole())
        except BadManifest as problem:
            raise SignoffError(f"the manifest of {artifact.name or artifact.task_id} is broken: {problem}") from None
        self._count += 1
        folder = self._folder / str(self._count)
        await self._fetch(artifact, manifest, folder, self._progress)
        return replace(artifact, manifest=manifest, folder=folder)
