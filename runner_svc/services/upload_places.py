"""The places and the bounds of uploads of files: how many a worker may send at once, and how much under one lease."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from runner_svc.core.decide.turn import State
from runner_svc.core.model.values import LeaseId, WorkerName
from signoff.errors import InvalidField, TooManyStreams
from signoff.manifest.manifest import MAX_FILES, MAX_FILES_BYTES
from signoff.rpc.concurrency import ConcurrencyLimit

AT_ONCE = 8  # uploads; each holds some megabytes
OF_A_WORKER = 2  # uploads at once: the others of its leases wait for those, not for a place
MOST_OPEN = 16  # uploads of a worker, those that wait included; each of them holds a message
MOST_TIMES = 2  # as much as a result may have may come under a lease: some may have to come again

_WHAT = "uploads of files"


@dataclass(slots=True)
class _Worker:
    """The uploads of one worker."""

    sending: ConcurrencyLimit = field(default_factory=lambda: ConcurrencyLimit(OF_A_WORKER, f"{_WHAT} of one worker"))
    open: int = 0


@dataclass(slots=True)
class Brought:
    """The files and bytes that came under a lease, in all its uploads."""

    files: int = 0
    size: int = 0  #: bytes

    def check(self, files: int, size: int) -> None:
        """Raises InvalidField when so many files and bytes more would be too many."""
        most_files, most_bytes = MAX_FILES * MOST_TIMES, MAX_FILES_BYTES * MOST_TIMES
        # guard: what a lease brings is bounded -> if False:
        if self.files + files > most_files or self.size + size > most_bytes:
            rule = f"at most {most_files:,} files and {most_bytes:,} bytes in all uploads under a lease"
            got = f"{self.files + files:,} files and {self.size + size:,} bytes"
            raise InvalidField("size_bytes", rule, got)


class UploadPlaces:
    """The places of uploads. What leases have brought is known until they end."""

    def __init__(self) -> None:
        self._sending = ConcurrencyLimit(AT_ONCE, _WHAT)
        self._workers: dict[WorkerName, _Worker] = {}
        self._brought: dict[LeaseId, Brought] = {}

    @asynccontextmanager
    async def place(self, worker: WorkerName) -> AsyncIterator[None]:
        """Holds a place for the length of the block. Raises TooManyStreams when none is free for too long."""
        own = self._workers.setdefault(worker, _Worker())
        # guard: a worker has few uploads -> if False:
        if own.open >= MOST_OPEN:
            raise TooManyStreams(f"expected at most {MOST_OPEN} {_WHAT} of one worker to be open, but got one more")
        own.open += 1
        try:
            # guard: a worker leaves places to others -> async with self._sending.slot():
            async with own.sending.slot(), self._sending.slot():
                yield
        finally:
            own.open -= 1
            if not own.open:
                del self._workers[worker]

    def brought(self, lease: LeaseId) -> Brought:
        """Returns what has come under a lease, to be counted on."""
        return self._brought.setdefault(lease, Brought())

    def forget_ended(self, state: State) -> None:
        """Forgets what came under leases that have ended."""
        for lease in [lease for lease in self._brought if lease not in state.roster.leases]:
            del self._brought[lease]
