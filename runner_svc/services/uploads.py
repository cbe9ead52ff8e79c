"""Candidates that come in chunks, until the last one is there.

An upload is collected only under a lease that its session holds. The bytes of all that are unfinished have a bound, for
each session and for all together: beyond it the oldest is given up. Nothing more of it is kept then, but its chunks are
still counted, so that the order of what follows can be told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from runner_svc.core.model.values import LeaseId, SessionId

MIB = 1024 * 1024
MOST_OF_A_SESSION = 128 * MIB
MOST_OF_ALL = 1024 * MIB


@dataclass(slots=True, kw_only=True)
class CandidateUpload:
    """What has come of one candidate."""

    session: SessionId
    lease: LeaseId
    number: int  #: grows with each that is begun
    problem: str = ""  #: why nothing of it is kept; empty while it is
    size: int = 0  #: bytes that came, kept or not
    body: bytearray = field(default_factory=bytearray)


@dataclass(slots=True)
class _Own:
    """Those of one session, the oldest first."""

    uploads: dict[LeaseId, CandidateUpload] = field(default_factory=dict)
    kept: int = 0  # bytes


class CandidateUploads:
    """All unfinished uploads."""

    def __init__(self, most_of_a_session: int = MOST_OF_A_SESSION, most_of_all: int = MOST_OF_ALL) -> None:
        """`most_of_a_session`, `most_of_all`: bytes."""
        self._most_of_a_session = most_of_a_session
        self._most_of_all = most_of_all
        self._sessions: dict[SessionId, _Own] = {}
        self._kept = 0
        self._begun = 0

    @property
    def kept_bytes(self) -> int:
        return self._kept

    def find(self, session: SessionId, lease: LeaseId) -> CandidateUpload | None:
        own = self._sessions.get(session)
        return own.uploads.get(lease) if own is not None else None

    def begin(self, session: SessionId, lease: LeaseId, most: int, problem: str = "") -> None:
        """Begins one anew. Beyond `most` of a session the oldest makes room, as if its worker had given it up."""
        self.take(session, lease)
        own = self._sessions.setdefault(session, _Own())
        # guard: uploads are bounded -> if False:
        if len(own.uploads) >= most:
            self.take(session, next(iter(own.uploads)))
        self._begun += 1
        own.uploads[lease] = CandidateUpload(session=session, lease=lease, number=self._begun, problem=problem)

    def add(self, upload: CandidateUpload, data: bytes) -> list[CandidateUpload]:
        """Adds the next bytes. Returns the uploads that are too much now, the oldest first: give them up."""
        upload.size += len(data)
        if upload.problem:
            return []
        upload.body += data
        own = self._sessions[upload.session]
        self._kept, own.kept = self._kept + len(data), own.kept + len(data)
        # guard: uploads of a session are bounded -> if False:
        if own.kept > self._most_of_a_session:
            return _oldest(own.uploads.values(), own.kept - self._most_of_a_session)
        # guard: uploads of all are bounded -> if False:
        if self._kept > self._most_of_all:
            every = (upload for own in self._sessions.values() for upload in own.uploads.values())
            return _oldest(every, self._kept - self._most_of_all)
        return []

    def give_up(self, upload: CandidateUpload, problem: str) -> None:
        """Forgets what has come of it, and keeps nothing of what will."""
        self._forget_bytes(self._sessions[upload.session], upload)
        upload.problem, upload.body = problem, bytearray()

    def take(self, session: SessionId, lease: LeaseId) -> CandidateUpload | None:
        """Takes out an upload that is finished or begun anew; None when there is none."""
        own = self._sessions.get(session)
        upload = own.uploads.pop(lease, None) if own is not None else None
        if own is not None and upload is not None:
            self._forget_bytes(own, upload)
        return upload

    def forget(self, session: SessionId) -> None:
        """Drops the uploads of a session that has ended."""
        own = self._sessions.pop(session, _Own())
        self._kept -= own.kept

    def _forget_bytes(self, own: _Own, upload: CandidateUpload) -> None:
        self._kept, own.kept = self._kept - len(upload.body), own.kept - len(upload.body)


def _oldest(uploads: Iterable[CandidateUpload], size: int) -> list[CandidateUpload]:
    """The oldest of those that are kept, as many as it takes for so many bytes."""
    chosen = []
    for upload in sorted((upload for upload in uploads if upload.body), key=lambda upload: upload.number):
        if size <= 0:
            break
        chosen.append(upload)
        size -= len(upload.body)
    return chosen
