"""GetCandidate: a candidate of a task and its fate, read from the journal.

A task's record keeps only the last candidates. The journal has all, also those of executions that have ended. It is
read in pages, and only the requested candidate stays in memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from google.protobuf import timestamp_pb2

from runner_svc.codec.verdicts import by_of_verdict, by_to_proto
from runner_svc.services.task_journal import JournalOfTask, events_of
from runner_svc.store.port import Store
from signoff.errors import CandidateNotFound
from signoff.v1 import execution_pb2 as pb

MOST_ATTEMPTS = 1_000  # attempts that an answer names: 5 KiB
NAMED = 20  # attempts that an error names


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateQuery(JournalOfTask):
    """A request for a candidate, with the sequence up to which the journal is read."""

    artifact: str  #: the name of the task's artifact
    attempt: int  #: 0: the last one that made a candidate


async def find_candidate(store: Store, query: CandidateQuery) -> pb.CandidateInfo:
    """Returns a candidate as of the query's sequence. Raises CandidateNotFound."""
    candidates = Candidates(query.attempt)
    async for event in events_of(store, query):
        candidates.take(event)
    if candidates.info is None:
        raise CandidateNotFound(_not_found(query, candidates.attempts))
    info = candidates.info
    info.attempts.extend(candidates.attempts)
    info.artifact.name, info.artifact.task_id = query.artifact, query.task_id
    return info


def _not_found(query: CandidateQuery, attempts: Sequence[int]) -> str:
    if not attempts:
        return f"expected a candidate of {query.task_id}, but no attempt has made one yet"
    named = ", ".join(map(str, list(attempts)[-NAMED:]))
    last = f"the last {NAMED} that did are" if len(attempts) > NAMED else "those that did are"
    return f"expected an attempt of {query.task_id} that made a candidate, but got {query.attempt}: {last} {named}"


class Candidates:
    """The fold of a task's events into the requested candidate and the numbers of all attempts that made one."""

    def __init__(self, attempt: int) -> None:
        """`attempt`: 0 for the last."""
        self.info: pb.CandidateInfo | None = None
        self.attempts: deque[int] = deque(maxlen=MOST_ATTEMPTS)
        self._wanted = attempt
        self._present = False  # whether the task's events are about the requested candidate
        self._worker = ""  # the worker of the last lease

    def take(self, event: pb.Event) -> None:
        kind = event.WhichOneof("kind") or ""
        if kind == "task_assigned":
            self._worker = event.task_assigned.worker
        elif kind == "candidate_stored":
            self._stored(event.candidate_stored, event.at)
        elif kind in ("artifact_reused", "candidate_reused"):
            self._reused(event)
        elif kind == "orphan_adopted":
            self._worker = event.orphan_adopted.worker
            self._stored(event.orphan_adopted.candidate, event.at)
        elif kind == "artifact_kept":
            self._kept(event.artifact_kept)
        elif self.info is not None and self._present and kind in _CHANGES:
            _CHANGES[kind](self.info, event, self._worker)

    def _stored(self, made: pb.CandidateStored, at: timestamp_pb2.Timestamp) -> None:
        self.attempts.append(made.attempt)
        # guard: rejected candidates stay readable -> self._present = True
        self._present = self._wanted in (0, made.attempt)
        if not self._present:
            return
        artifact = pb.ArtifactInfo(
            attempt=made.attempt,
            size_bytes=made.size_bytes,
            digest=made.digest,
            media_type=made.media_type,
            unread=made.unread if made.HasField("unread") else None,
            file_count=made.file_count,
            files_bytes=made.files_bytes,
        )
        self.info = pb.CandidateInfo(
            artifact=artifact,
            state=pb.CANDIDATE_STATE_WAITS_FOR_VALIDATOR,
            worker=self._worker,
            maker=made.maker,
            remark=made.remark,
            made_at=at,
        )

    def _reused(self, event: pb.Event) -> None:
        """Takes a result of an earlier execution: as a candidate, or with its evidence as an artifact."""
        reused = event.artifact_reused if event.HasField("artifact_reused") else event.candidate_reused
        self._stored(reused.candidate, event.at)
        if self.info is None or not self._present:
            return
        self.info.artifact.kept_from.CopyFrom(reused.kept_from)
        if isinstance(reused, pb.ArtifactReused):
            verdict = reused.verdict
            self.info.state = pb.CANDIDATE_STATE_SIGNED_OFF
            _take_results(self.info, verdict)
            self.info.validator = verdict.by.validator
            self.info.decided_by.CopyFrom(verdict.by)
            self.info.artifact.signed_off_by.CopyFrom(verdict.by)
            self.info.decided_at.CopyFrom(reused.kept_from.signed_off_at)

    def _kept(self, event: pb.ArtifactKept) -> None:
        """Takes an earlier artifact that counts again; it may be another candidate than the last one."""
        self._present = self.info is not None and self.info.artifact.attempt == event.attempt
        if self.info is not None and self._present:
            self.info.state = pb.CANDIDATE_STATE_SIGNED_OFF


def _asked_person(info: pb.CandidateInfo, event: pb.Event, worker: str) -> None:
    # guard: people see what they judge -> (removed)
    info.state, info.validator = pb.CANDIDATE_STATE_WAITS_FOR_PERSON, worker
    _take_results(info, event.person_asked)


def _passed(info: pb.CandidateInfo, event: pb.Event, worker: str) -> None:
    _decide(info, event, event.verdict_passed, worker)
    info.state = pb.CANDIDATE_STATE_SIGNED_OFF
    if info.HasField("decided_by"):
        info.artifact.signed_off_by.CopyFrom(info.decided_by)


def _rejected(info: pb.CandidateInfo, event: pb.Event, worker: str) -> None:
    _decide(info, event, event.verdict_failed, worker)
    info.state, info.feedback = pb.CANDIDATE_STATE_REJECTED, event.verdict_failed.feedback


def _decide(info: pb.CandidateInfo, event: pb.Event, verdict: pb.VerdictPassed | pb.VerdictFailed, worker: str) -> None:
    _take_results(info, verdict)
    info.decided_at.CopyFrom(event.at)
    if verdict.lease_id:
        info.validator = worker
    by = by_to_proto(by_of_verdict(verdict)) or pb.VerdictBy(validator=worker)
    info.decided_by.CopyFrom(by)


def _take_results(info: pb.CandidateInfo, verdict: pb.PersonAsked | pb.VerdictPassed | pb.VerdictFailed) -> None:
    del info.results[:]
    info.results.extend(verdict.results)


def _withdrawn(info: pb.CandidateInfo, _event: pb.Event, _worker: str) -> None:
    if info.state != pb.CANDIDATE_STATE_REJECTED:
        info.state = pb.CANDIDATE_STATE_WITHDRAWN


_CHANGES: Mapping[str, Callable[[pb.CandidateInfo, pb.Event, str], None]] = MappingProxyType(
    {
        "person_asked": _asked_person,
        "verdict_passed": _passed,
        "verdict_failed": _rejected,
        "task_rolled_back": _withdrawn,
        "task_retried": _withdrawn,
    }
)
