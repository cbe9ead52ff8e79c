"""Uploads of the files that inputs of plans consist of, by their digests, before a start names them.

An upload is held in memory until its last message, so few are taken at once, and none for long.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence

from runner_svc.contents import Contents
from runner_svc.core.model.inputs import GivenInput
from signoff.errors import InputNotUploaded, InputsInvalid, InvalidField
from signoff.plan.limits import MAX_INPUT_FILE_BYTES
from signoff.rpc.concurrency import ConcurrencyLimit
from signoff.rpc.timely import STALL, first_of, timely
from signoff.v1 import runner_pb2

AT_ONCE = 4  # each holds up to MAX_INPUT_FILE_BYTES
NAMED = 5  # files that an error names


class ContentUploads:
    """Takes contents into the store, and tells which are there."""

    def __init__(self, contents: Contents, *, stall: float = STALL) -> None:
        self._contents = contents
        self._stall = stall
        self._slots = ConcurrencyLimit(AT_ONCE, "uploads of inputs")

    async def missing(self, digests: Iterable[str], lease: str = "") -> Sequence[str]:
        """Returns the digests of contents that are not in the store, each once. `lease`: as in Store.renew_contents."""
        wanted = list(dict.fromkeys(digests))
        # Made young, so that no prune drops them before an event names them.
        known = await self._contents.sizes(wanted, lease)
        return [digest for digest in wanted if digest not in known]

    async def check_uploaded(self, inputs: Sequence[GivenInput]) -> None:
        """Raises InputNotUploaded for files that are not in the store, InputsInvalid for those of another size."""
        files = [(each.name, file) for each in inputs for file in each.files]
        known = await self._contents.sizes([file.content.digest for _, file in files])
        # guard: a start names what is there -> missing = []
        missing = [f"{name}/{file.path}".rstrip("/") for name, file in files if file.content.digest not in known]
        if missing:
            more = f" and {len(missing) - NAMED:,} more" if len(missing) > NAMED else ""
            names = ", ".join(missing[:NAMED])
            raise InputNotUploaded(f"expected files of inputs to be uploaded before a start, but {names}{more} are not")
        for name, file in files:
            if (size := known[file.content.digest]) != file.content.size:
                raise InputsInvalid(
                    f"input {name}: expected {file.path} to have {size:,} bytes, as what was uploaded as its digest, "
                    f"but got {file.content.size:,}"
                )

    async def take(self, messages: AsyncIterator[runner_pb2.UploadContentRequest]) -> int:
        """Stores the bytes of a stream. Returns their number.

        Raises InvalidField, UploadStalled, or TooManyStreams when other uploads take too long.
        """
        first = await first_of(messages, self._stall)
        if first is None:
            raise InvalidField("digest", "at least one message", "a stream without any")
        if not first.digest:
            raise InvalidField("digest", "the SHA-256 of all bytes in the first message", "nothing")
        async with self._slots.slot():
            digest, body = first.digest, await self._received(first, messages)
            found = await asyncio.to_thread(lambda: hashlib.sha256(body).hexdigest())
            # guard: contents have their digests -> if False:
            if found != digest:
                raise InvalidField("digest", f"the SHA-256 of the {len(body):,} bytes that came, {found}", digest)
            if digest not in await self._contents.sizes([digest]):
                await self._contents.put(digest, body)
            return len(body)

    async def _received(
        self,
        first: runner_pb2.UploadContentRequest,
        messages: AsyncIterator[runner_pb2.UploadContentRequest],
    ) -> bytes:
        body = bytearray(first.chunk)
        async for message in timely(messages, body.__len__, self._stall):
            if message.digest:
                raise InvalidField("digest", "a digest in the first message only", "one in a later message")
            # guard: an upload of an input is bounded -> if False:
            if len(body) + len(message.chunk) > MAX_INPUT_FILE_BYTES:
                raise InvalidField("chunk", f"at most {MAX_INPUT_FILE_BYTES:,} bytes in all", "more")
            body += message.chunk
        return bytes(body)
