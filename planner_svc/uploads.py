"""Uploads of plans: streamed into files without names, bounded in number, in size, and in time.

A plan may have 1 GiB, and any number of clients may send one at once, so memory never holds more of each than a message
and a piece. The planner gives up on a client that stalls or trickles.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from planner_svc.processes.job import default_plan_id
from signoff.errors import InvalidField, PlannerBusy, PlanTooLarge, StorageFailed
from signoff.rpc.timely import STALL, first_of, timely
from signoff.v1 import planner_pb2

MAX_PLAN_BYTES = 1 << 30
UPLOADS_AT_ONCE = 64  # each holds a message of up to 4 MiB, and a piece
SPOOLED_BYTES = 8 << 30  # of all uploads together, on the disk
PIECE_BYTES = 1 << 20  # written at a time, in a thread: the disk may be slow

UploadMessage = planner_pb2.CheckPlanRequest | planner_pb2.CompilePlanRequest


@dataclass(slots=True, kw_only=True)
class PlanUpload:
    """A plan that a client has uploaded."""

    file: BinaryIO
    plan_id: str = ""  #: as the client gave it; empty: it gave none
    infer: bool = True
    size: int = 0
    _digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    @property
    def named(self) -> str:
        """Returns the plan's id: the one that the client gave, or one made from the plan's bytes."""
        return self.plan_id or default_plan_id(self._digest.hexdigest())

    def write(self, piece: bytes) -> None:
        """Writes a piece of plan.json. Blocks, so call it in a thread. Raises StorageFailed when the disk refuses."""
        try:
            self.file.write(piece)
            self.file.flush()
        except OSError as error:
            raise StorageFailed(f"cannot take a plan in: {error.strerror or error}") from error
        self._digest.update(piece)


class PlanUploads:
    """Receives plans of at most `most_bytes` each into files in `folder`; in the system's own when it is missing."""

    def __init__(self, folder: Path, most_bytes: int, *, stall: float = STALL) -> None:
        self._folder, self._most_bytes, self._stall = folder, most_bytes, stall
        self._count = self._spooled = 0

    @asynccontextmanager
    async def received(self, messages: AsyncIterator[UploadMessage]) -> AsyncIterator[PlanUpload]:
        """Receives a plan. Its file exists until the context is left.

        Raises InvalidField for options in a later message, PlanTooLarge, UploadStalled, and PlannerBusy when there are
        too many uploads at once.
        """
        first = await first_of(messages, self._stall)
        if first is None:
            raise InvalidField("plan_json", "at least one message", "a stream without any")
        if self._count >= UPLOADS_AT_ONCE:
            raise PlannerBusy(f"expected at most {UPLOADS_AT_ONCE} plans at once, but got one more: retry later")
        self._count += 1
        try:
            with self.temporary() as file:
                upload = PlanUpload(file=file)
                try:
                    await self._receive(upload, first, messages)
                    yield upload
                finally:
                    self._spooled -= upload.size
        finally:
            self._count -= 1

    def temporary(self) -> BinaryIO:
        """Returns a file that is gone once it is closed."""
        try:
            return cast(BinaryIO, tempfile.TemporaryFile(dir=self._folder if self._folder.is_dir() else None))
        except OSError as error:
            raise StorageFailed(f"cannot take a plan in: {error.strerror or error}") from error

    async def _receive(self, upload: PlanUpload, first: UploadMessage, messages: AsyncIterator[UploadMessage]) -> None:
        _take_options(upload, first)
        self._count_bytes(upload, len(first.plan_json))
        piece = bytearray(first.plan_json)
        async for message in timely(messages, lambda: upload.size, self._stall):
            _check_options(message)
            self._count_bytes(upload, len(message.plan_json))
            piece += message.plan_json
            if len(piece) >= PIECE_BYTES:
                await asyncio.to_thread(upload.write, bytes(piece))
                piece.clear()
        await asyncio.to_thread(upload.write, bytes(piece))

    def _count_bytes(self, upload: PlanUpload, more: int) -> None:
        if upload.size + more > self._most_bytes:
            raise PlanTooLarge(f"expected a plan of at most {self._most_bytes:,} bytes, but got more")
        if self._spooled + more > SPOOLED_BYTES:
            raise PlannerBusy(f"expected at most {SPOOLED_BYTES:,} bytes of plans at once, but got more: retry later")
        upload.size += more
        self._spooled += more


def _take_options(upload: PlanUpload, first: UploadMessage) -> None:
    upload.plan_id, upload.infer = _plan_id_of(first), not first.no_infer


def _check_options(later: UploadMessage) -> None:
    """Raises InvalidField when a message after the first one has options."""
    if later.no_infer or _plan_id_of(later):
        field = "no_infer" if later.no_infer else "plan_id"
        raise InvalidField(field, "options in the first message only", "one in a later message")


def _plan_id_of(message: UploadMessage) -> str:
    return message.plan_id if isinstance(message, planner_pb2.CompilePlanRequest) else ""
