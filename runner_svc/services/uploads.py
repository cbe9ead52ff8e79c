"""Uploads of candidates in chunks, until the last chunk has come.

An upload is collected only under a lease that its session holds. Unfinished uploads have a bound in bytes, for each
session and for all together: beyond it the oldest is given up. Its bytes are dropped, but its further chunks are still
counted, so that the order of later chunks can be checked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from runner_svc.core.model.values import LeaseId, SessionId

MIB = 1024 * 1024
MOST_OF_A_SESSION = 128 * MIB  # bytes
MOST_OF_ALL = 1024 * MIB  # bytes


@dataclass(slots=True, kw_only=True)
class CandidateUpload:
    """An unfinished upload of one candidate."""

    session: SessionId
    lease: LeaseId
    number: int  #: grows with each upload that is begun
    problem: str = ""  #: why its bytes are not kept; empty while they are
    size: int = 0  #: bytes that have come, kept or not
    body: bytearray = field(default_factory=bytearray)


@dataclass(slots=True)
class _SessionUploads:
    """The uploads of one session, the oldest first."""

    uploads: dict[LeaseId, CandidateUpload] = field(default_factory=dict)
    kept: int = 0  # bytes


class CandidateUploads:
    """The unfinished uploads of all sessions."""

    def __init__(self, most_of_a_session: int = MOST_OF_A_SESSION, most_of_all: int = MOST_OF_ALL) -> None:
        """`most_of_a_session`, `most_of_all`: bytes."""
        self._most_of_a_session = most_of_a_session
        self._most_of_all = most_of_all
        self._sessions: dict[SessionId, _SessionUploads] = {}
        self._kept = 0
        self._begun = 0

    @property
    def kept_bytes(self) -> int:
        return self._kept

    def find(self, session: SessionId, lease: LeaseId) -> CandidateUpload | None:
        own = self._sessions.get(session)
        return own.uploads.get(lease) if own is not None else None

    def begin(self, session: SessionId, lease: LeaseId, most: int, problem: str = "") -> None:
        """Begins an upload anew. Beyond `most` uploads of a session the oldest is dropped."""
        self.take(session, lease)
        own = self._sessions.setdefault(session, _SessionUploads())
        # guard: uploads are bounded -> if False:
        if len(own.uploads) >= most:
            self.take(session, next(iter(own.uploads)))
        self._begun += 1
        own.uploads[lease] = CandidateUpload(session=session, lease=lease, number=self._begun, problem=problem)

    def add(self, upload: CandidateUpload, data: bytes) -> list[CandidateUpload]:
        """Adds the next bytes. Returns the uploads that the caller must give up now, the oldest first."""
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
        """Drops an upload's bytes, and keeps none of its further ones."""
        self._forget_bytes(self._sessions[upload.session], upload)
        upload.problem, upload.body = problem, bytearray()

    def take(self, session: SessionId, lease: LeaseId) -> CandidateUpload | None:
        """Removes and returns an upload; None when there is none."""
        own = self._sessions.get(session)
        upload = own.uploads.pop(lease, None) if own is not None else None
        if own is not None and upload is not None:
            self._forget_bytes(own, upload)
        return upload

    def forget(self, session: SessionId) -> None:
        """Drops the uploads of a session that has ended."""
        own = self._sessions.pop(session, _SessionUploads())
        self._kept -= own.kept

    def _forget_bytes(self, own: _SessionUploads, upload: CandidateUpload) -> None:
        self._kept, own.kept = self._kept - len(upload.body), own.kept - len(upload.body)


def _oldest(uploads: Iterable[CandidateUpload], size: int) -> list[CandidateUpload]:
    """Returns the oldest uploads with bytes, as many as free `size` bytes."""
    chosen = []
    for upload in sorted((upload for upload in uploads if upload.body), key=lambda upload: upload.number):
        if size <= 0:
            break
        chosen.append(upload)
        size -= len(upload.body)
    return chosen
