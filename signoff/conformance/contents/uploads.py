"""The files that a worker brings under each lease, and the kit's answers: those of a runner, or faults."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc

from signoff.conformance.messages import digest_of
from signoff.errors import InvalidField, SignoffError, StaleLease
from signoff.rpc.channel import MAX_FRAME_BYTES
from signoff.v1 import runner_pb2

Message = runner_pb2.UploadFilesRequest


class StreamBreaks(Exception):
    """A stream of files is to end with a status that no runner gives."""

    def __init__(self, code: grpc.StatusCode) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The end of one call of UploadFiles, when so many files have come."""

    error: SignoffError | StreamBreaks
    after: int = 0  #: files, which are kept


@dataclass(slots=True, eq=False)
class Brought:
    """The questions and files of a worker under one lease."""

    kept: set[str] = field(default_factory=set)  #: digests that the runner has
    faults: deque[Fault] = field(default_factory=deque)  #: of the next calls of UploadFiles, one each
    away: int = 0  #: for so many calls of ListMissingContents there is no runner
    calls: list[float] = field(default_factory=list)  #: when each call of UploadFiles began
    questions: int = 0  #: calls of ListMissingContents
    sent: list[str] = field(default_factory=list)  #: the digest of each file that was begun
    problems: list[str] = field(default_factory=list)  #: rules of the stream that were broken


class Uploads:
    """Answers to ListMissingContents and UploadFiles."""

    def __init__(self) -> None:
        self.strays: list[str] = []  #: calls under no lease, or under one whose work makes no files
        self.unreadable: list[str] = []  #: first messages of streams that are out of their bounds
        self._leases: dict[str, Brought] = {}
        self._changed = asyncio.Event()
        self._open = asyncio.Event()  # no upload is answered before
        self._open.set()

    def expect(self, lease: str) -> Brought:
        """Returns the book of a lease whose work makes files. Others may bring none, which is noted from here on."""
        self.strays.clear()
        self.unreadable.clear()
        return self._leases.setdefault(lease, Brought())

    @contextmanager
    def unanswered(self) -> Iterator[None]:
        """Takes files, but answers no upload until the end of the block."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    async def until(self, is_so: Callable[[], bool], seconds: float) -> bool:
        """Waits until something is so that calls of the worker can change. Returns whether it was, in time."""
        try:
            async with asyncio.timeout(seconds):
                while not is_so():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    # ------------------------------------------------------------ calls

    async def missing(self, request: runner_pb2.ListMissingContentsRequest) -> list[str]:
        """Returns what of some digests is missing. Raises UNAVAILABLE while the runner is to be away."""
        brought = self._leases.get(request.lease_id)
        if brought is None:
            self.strays.append(f"ListMissingContents under {_named(request.lease_id)}")
            return list(dict.fromkeys(request.digests))
        brought.questions += 1
        self._changed.set()
        if brought.away:
            brought.away -= 1
            raise StreamBreaks(grpc.StatusCode.UNAVAILABLE)
        return [digest for digest in dict.fromkeys(request.digests) if digest not in brought.kept]

    async def take(self, messages: AsyncIterator[Message]) -> runner_pb2.UploadFilesResponse:
        """Takes a stream of files. Raises StaleLease, InvalidField as a runner does, or the fault that was set."""
        try:
            first = await anext(messages, None)
        except InvalidField as problem:
            self.unreadable.append(str(problem))
            raise
        lease = first.lease_id if first is not None else ""
        brought = self._leases.get(lease)
        if brought is None or first is None:
            self.strays.append(f"UploadFiles under {_named(lease)}")
            raise StaleLease(f"expected the lease of an executor that is held, but got {lease!r}")
        brought.calls.append(asyncio.get_running_loop().time())
        self._changed.set()
        stream = _Stream(brought, brought.faults.popleft() if brought.faults else None)
        try:
            stream.take(first)
            async for message in messages:
                stream.take(message)
                self._changed.set()
            stream.end()
        except InvalidField as problem:
            if stream.fault is None or problem is not stream.fault.error:
                brought.problems.append(str(problem))
            raise
        self._changed.set()
        await self._open.wait()
        return runner_pb2.UploadFilesResponse(files=stream.files, size_bytes=stream.size)


class _Stream:
    """One call of UploadFiles: holds it to its rules, and ends it when a fault is due."""

    def __init__(self, brought: Brought, fault: Fault | None) -> None:
        self.files = 0
        self.size = 0
        self._brought = brought
        self.fault = fault
        self._begun: Message | None = None
        self._body = bytearray()

    def take(self, message: Message) -> None:
        if message.ByteSize() > MAX_FRAME_BYTES:
            raise InvalidField("chunk", f"a message of at most {MAX_FRAME_BYTES:,} bytes", f"{message.ByteSize():,}")
        if message.digest:
            self._finish()
            self._break_if_due()
            self._begun = message
            self._brought.sent.append(message.digest)
        elif self._begun is None:
            raise InvalidField("digest", "the SHA-256 of a file that begins", "nothing")
        elif message.size_bytes or message.lease_id:
            raise InvalidField("size_bytes", "a size and a lease only with a digest", "one without")
        self._body += message.chunk
        self.size += len(message.chunk)

    def end(self) -> None:
        self._finish()
        if self.fault is not None:
            raise self.fault.error

    def _finish(self) -> None:
        """Keeps the file that was begun last."""
        begun, body = self._begun, bytes(self._body)
        self._begun, self._body = None, bytearray()
        if begun is None:
            return
        if len(body) != begun.size_bytes:
            raise InvalidField("chunk", f"{begun.size_bytes:,} bytes of file {begun.digest}", f"{len(body):,}")
        if digest_of(body) != begun.digest:
            raise InvalidField("chunk", f"bytes with SHA-256 {begun.digest}", f"some with {digest_of(body)}")
        self.files += 1
        self._brought.kept.add(begun.digest)

    def _break_if_due(self) -> None:
        if self.fault is not None and self.files >= self.fault.after:
            raise self.fault.error


def _named(lease: str) -> str:
    return f"{lease}, whose work makes no files" if lease else "no lease"
