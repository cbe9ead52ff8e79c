"""Brings the files of a candidate to the runner, under the lease of the attempt that has made them.

The worker asks which of them are missing, sends those, and asks again, until none is. When the runner is away or a
stream breaks, it pauses and asks again: what had come is there. So the files stay on this disk until all are kept.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import structlog

from signoff.errors import SignoffError, StaleLease
from signoff.manifest.manifest import BadManifest, FileEntry, manifest_of, manifest_to_json
from signoff.rpc.addresses import Route
from signoff.rpc.ends import FirstEnd
from signoff.rpc.statuses import error_from_rpc
from signoff.v1 import runner_pb2
from worker_svc.assignment import LeaseEnded
from worker_svc.files.aside import Tick, aside
from worker_svc.files.collecting import FilesLimit
from worker_svc.files.measuring import measured
from worker_svc.files.opening import FilesRefused, opened_file, pieces_of
from worker_svc.link.patience import Patience

log = structlog.get_logger(__name__)

ASKED_AT_ONCE = 1_000  # digests in one ListMissingContents
MOST_ROUNDS = 5  # uploads after which a runner that still misses files is not believed
_BATCH_BYTES = 1024 * 1024  # of messages that are read from the disk at once
_BATCH = 256  # messages


class Uploads:
    """The uploads of one lease to the runner of a route."""

    def __init__(self, route: Route, lease_id: str, patience: Patience | None = None) -> None:
        self._route = route
        self._lease_id = lease_id
        self._patience = patience or Patience()

    async def bring(
        self, folder: Path, paths: Sequence[str], main: str, limit: FilesLimit, progress: Callable[[], None]
    ) -> bytes:
        """Returns the manifest once the runner has all files. Raises as Report.files does, but for LeaseEnded."""
        entries = await aside(lambda tick: measured(folder, paths, tick), progress)
        try:
            manifest = manifest_of(entries, main)
        except BadManifest as problem:
            raise FilesRefused(str(problem)) from None
        _check_limit(len(manifest.files), manifest.size, limit)
        try:
            await self._until_kept(folder, manifest.files, progress)
        finally:
            await self._route.close()
        return await asyncio.to_thread(manifest_to_json, manifest)

    async def _until_kept(self, folder: Path, files: Sequence[FileEntry], progress: Callable[[], None]) -> None:
        by_digest = {file.digest: file for file in files}  # equal files are sent once
        rounds = 0
        while True:
            try:
                # guard: only what is missing is sent -> missing = [] if rounds else list(by_digest)
                missing = await self._missing(tuple(by_digest))
                progress()
                if not missing:
                    return
                if rounds == MOST_ROUNDS:
                    raise FilesRefused(f"the runner misses {len(missing):,} files that were sent {rounds} times")
                await self._send(folder, [by_digest[digest] for digest in missing], progress)
                rounds += 1
                self._patience.succeeded()
            except SignoffError as error:
                await self._bear(error)

    async def _bear(self, error: SignoffError) -> None:
        """Pauses before the next try. Raises LeaseEnded or FilesRefused when there is to be none."""
        # guard: a lease that has ended ends its uploads -> if False:
        if isinstance(error, StaleLease):
            raise LeaseEnded from error
        log.warning("upload_interrupted", lease=self._lease_id, problem=str(error))
        await self._route.lost()
        try:
            await self._patience.after(error)
        except SignoffError:
            raise FilesRefused(f"the runner took no files: {error}") from error

    # ------------------------------------------------------------ calls

    async def _missing(self, digests: Sequence[str]) -> list[str]:
        missing = list[str]()
        stub = await self._route.stub()
        for start in range(0, len(digests), ASKED_AT_ONCE):
            asked = digests[start : start + ASKED_AT_ONCE]
            request = runner_pb2.ListMissingContentsRequest(digests=asked, lease_id=self._lease_id)
            try:
                missing += (await stub.ListMissingContents(request)).digests
            except grpc.RpcError as error:
                raise error_from_rpc(error, "runner", self._route.address) from None
        known = set(digests)
        return [digest for digest in dict.fromkeys(missing) if digest in known]

    async def _send(self, folder: Path, files: Sequence[FileEntry], progress: Callable[[], None]) -> None:
        """Sends files in one stream. A broken stream is the runner's error, as far as it has said one."""
        call: Any = (await self._route.stub()).UploadFiles()
        end = FirstEnd(call)
        messages = _messages(folder, files, self._lease_id)
        try:
            with suppress(asyncio.InvalidStateError):  # it has ended before everything was written: its end says why
                while batch := await aside(lambda tick: _taken(messages, tick), progress):
                    for message in batch:
                        await call.write(message)
                    progress()
                await call.done_writing()
            await call
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(await end.told(error), "runner", self._route.address) from None
        finally:
            call.cancel()


def _check_limit(count: int, size: int, limit: FilesLimit) -> None:
    if count > limit.files:
        raise FilesRefused(f"expected at most {limit.files:,} files, but got {count:,}")
    if size > limit.size:
        raise FilesRefused(f"expected at most {limit.size:,} bytes in all files, but got {size:,}")


def _messages(folder: Path, files: Iterable[FileEntry], lease_id: str) -> Iterator[runner_pb2.UploadFilesRequest]:
    """Yields the stream: a message begins a file and has its first bytes, so a small file is one message."""
    for file in files:
        begun = runner_pb2.UploadFilesRequest(lease_id=lease_id, digest=file.digest, size_bytes=file.size)
        lease_id = ""  # only in the first message
        with opened_file(folder, file.path) as descriptor:
            if os.fstat(descriptor).st_size != file.size:
                raise FilesRefused(f"{file.path!r} was changed after it was read: expected {file.size:,} bytes")
            for piece in pieces_of(descriptor, file.size, file.path):
                begun.chunk = piece
                yield begun
                begun = runner_pb2.UploadFilesRequest()
        if not file.size:
            yield begun


def _taken(messages: Iterator[runner_pb2.UploadFilesRequest], tick: Tick) -> list[runner_pb2.UploadFilesRequest]:
    """Takes some messages from a stream. Blocks, for they are read from the disk."""
    taken, size = list[runner_pb2.UploadFilesRequest](), 0
    for message in messages:
        tick()
        taken.append(message)
        size += len(message.chunk)
        if size >= _BATCH_BYTES or len(taken) >= _BATCH:
            break
    return taken
