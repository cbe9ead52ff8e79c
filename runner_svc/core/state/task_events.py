"""Applies the events of a task to its record; lifecycle.py has those of the execution as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar

from runner_svc.core.model import events
from runner_svc.core.model.usage import add, add_open
from runner_svc.core.model.values import (
    LONGEST_RETRY,
    FailureKind,
    LeaseId,
    Outcome,
    Phase,
    RollbackScope,
    Settings,
)
from runner_svc.core.state.attempts import NONE_FAILED
from runner_svc.core.state.task_record import EndedLease, Lease, Rejection, TaskRecord

MOST_SETTLED = 16  # leases of a task whose repetitions are known as such, besides the last ones
MOST_ENDED = 16  # leases of a task that brought no result, and whose workers may still say something

#: By the event: the function that applies it.
HANDLERS: dict[type[events.Event], Callable[[TaskRecord, Any, Settings], None]] = {}

_E = TypeVar("_E", bound=events.Event)
_Handler: TypeAlias = Callable[[TaskRecord, _E, Settings], None]


def _on(kind: type[_E]) -> Callable[[_Handler[_E]], _Handler[_E]]:
    """Registers the function that applies a kind of event."""

    def register(handler: _Handler[_E]) -> _Handler[_E]:
        HANDLERS[kind] = handler
        return handler

    return register


def apply(record: TaskRecord, event: events.Event, settings: Settings) -> None:
    """Applies an event of the record's task."""
    HANDLERS[type(event)](record, event, settings)


@_on(events.TaskAssigned)
def _assigned(record: TaskRecord, event: events.TaskAssigned, _: Settings) -> None:
    record.lease = Lease(event.lease, event.phase, event.worker, event.canary, event.model)
    record.retry_at = 0.0
    record.attempt = event.attempt
    record.canary_given = record.canary_given or event.canary > 0
    record.first_assigned_at = record.first_assigned_at or event.at


@_on(events.CandidateStored)
def _candidate_stored(record: TaskRecord, event: events.CandidateStored, _: Settings) -> None:
    _executed(record, event.lease)
    # guard: a candidate ends its checkpoint -> record.candidate, record.canary_given = event.content, False
    record.candidate, record.checkpoint, record.canary_given = event.content, None, False
    record.judge_errors, record.outages, record.avoid = 0, 0, None
    record.fingerprint = ""
    _want_no_orphan(record)


@_on(events.PersonAsked)
def _person_asked(record: TaskRecord, event: events.PersonAsked, _: Settings) -> None:
    _judged(record, event.lease)
    record.results, record.judged_by, record.awaits_person = event.results, event.judged_by, True


@_on(events.VerdictPassed)
def _passed(record: TaskRecord, event: events.VerdictPassed, _: Settings) -> None:
    _decided(record, event)
    candidate = record.candidate
    # guard: a verdict names who gave it -> by = None
    by = event.by
    record.artifact = candidate.signed_off(by, event.at) if candidate is not None else None
    record.candidate = None
    record.withdrawn = None
    record.results = event.results
    if event.lease:  # else a person has added to what a validator found
        record.judged_by = event.judged_by
    record.last_failure = ""
    _forget_attempts(record)


def _decided(record: TaskRecord, event: events.VerdictPassed | events.VerdictFailed) -> None:
    record.awaits_person, record.outages = False, 0
    if event.lease:  # else a person has decided
        _judged(record, event.lease)


def _judged(record: TaskRecord, lease: LeaseId) -> None:
    _settled(record, lease, record.judged_under)
    record.judged_under = lease


def _executed(record: TaskRecord, lease: LeaseId) -> None:
    _settled(record, lease, record.executed_under)
    record.executed_under = lease


def _settled(record: TaskRecord, lease: LeaseId, before: LeaseId | None) -> None:
    """Ends a lease that has brought its result: results that still come under it are repetitions.

    More costs may come under a lease that was cut off before its worker had finished (_cut_off).
    """
    record.lease = None
    if before is not None:
        record.settled_before = (*record.settled_before, before)[-MOST_SETTLED:]
    if record.open_usage is not None and all(ended.id != lease for ended in record.ended):
        record.open_usage.pop(lease, None)
        record.open_usage = record.open_usage or None


@_on(events.VerdictFailed)
def _rejected(record: TaskRecord, event: events.VerdictFailed, _: Settings) -> None:
    _decided(record, event)
    record.failures += 1
    record.rejected, record.candidate = record.candidate, None
    failed = frozenset(result.criterion for result in event.results if result.outcome is not Outcome.PASS)
    rejection = Rejection(record.rejected.digest if record.rejected else "", failed)
    record.no_progress = rejection == record.rejection
    record.rejection = rejection
    record.results = event.results
    _did_not_count(record, event.attempt, event.feedback)


@_on(events.AttemptFailed)
def _attempt_failed(record: TaskRecord, event: events.AttemptFailed, _: Settings) -> None:
    # guard (2 lines): costs after a time-out -> (removed)
    if event.kind is FailureKind.TIMEOUT:
        _cut_off(record, event.input_digest)
    _executed(record, event.lease)
    record.failures += 1
    record.outages, record.avoid = 0, None
    record.results = ()
    # guard: the same failure twice is no progress -> record.no_progress = False
    record.no_progress = event.fingerprint != "" and event.fingerprint == record.fingerprint
    record.fingerprint = event.fingerprint
    if event.kind is FailureKind.TOO_SMALL:
        record.too_small = (*record.too_small, event.model)
    _did_not_count(record, event.attempt, event.message)


def _did_not_count(record: TaskRecord, attempt: int, reason: str) -> None:
    record.last_failure = record.feedback = reason
    record.failed_attempts = record.failed_attempts.and_one(attempt, reason)


def _forget_attempts(record: TaskRecord) -> None:
    """Forgets the failed attempts, because the next attempt does other work."""
    record.failed_attempts, record.feedback, record.fingerprint, record.too_small = NONE_FAILED, "", "", ()


@_on(events.JudgeFailed)
def _judge_failed(record: TaskRecord, event: events.JudgeFailed, settings: Settings) -> None:
    record.avoid = record.lease.worker if record.lease else None
    _cut_off(record)  # it may have run out of time
    _judged(record, event.lease)
    record.judge_errors += 1
    record.outages = 0
    record.retry_at = _in_bounds(event.retry_at, event.at)
    record.last_failure = event.message
    record.given_up = record.judge_errors >= settings.max_judge_errors


@_on(events.OutageMet)
def _outage_met(record: TaskRecord, event: events.OutageMet, _: Settings) -> None:
    record.avoid = record.lease.worker if record.lease else None
    if event.phase is Phase.EXECUTE:
        _executed(record, event.lease)
        record.attempt -= 1  # the model has not seen it
    else:
        _judged(record, event.lease)
    if event.away.tries == 1:
        record.outages += 1
    record.last_failure = event.away.message


@_on(events.CanaryJudged)
def _canary_judged(record: TaskRecord, event: events.CanaryJudged, _: Settings) -> None:
    if event.outcome is Outcome.ERROR:
        _cut_off(record)
    _judged(record, event.lease)


@_on(events.LeaseLost)
def _lease_lost(record: TaskRecord, event: events.LeaseLost, settings: Settings) -> None:
    _end(record, event.input_digest)
    record.losses += 1
    record.last_failure = event.reason
    if event.phase is Phase.VALIDATE:
        record.given_up = record.losses >= settings.max_losses


@_on(events.LeaseReturned)
def _lease_returned(record: TaskRecord, event: events.LeaseReturned, _: Settings) -> None:
    _end(record, event.input_digest)
    if event.phase is Phase.EXECUTE:
        record.attempt -= 1  # it was never begun


def _end(record: TaskRecord, input_digest: str) -> None:
    """Ends the lease without a result."""
    if record.lease is not None:
        lease = record.lease
        _keep_ended(record, EndedLease(lease.id, lease.phase, lease.worker, input_digest=input_digest))
    record.lease = None


def _cut_off(record: TaskRecord, input_digest: str = "") -> None:
    """Notes that more costs may come under the lease, and no result but a candidate, if `input_digest` is given."""
    if record.lease is not None:
        lease = record.lease
        _keep_ended(record, EndedLease(lease.id, lease.phase, lease.worker, orphaned=True, input_digest=input_digest))


def _want_no_orphan(record: TaskRecord) -> None:
    """Notes that no late candidate will do any more: there is a better one, or the task's work is another."""
    # guard (2 lines): a late candidate is adopted only while there is nothing better -> return
    if any(ended.input_digest for ended in record.ended):
        record.ended = tuple(replace(ended, input_digest="") for ended in record.ended)


def _keep_ended(record: TaskRecord, lease: EndedLease) -> None:
    """Adds an ended lease. The costs of leases that are dropped are forgotten too: no more are taken in under them."""
    record.ended = (*record.ended, lease)[-MOST_ENDED:]
    if record.open_usage is not None:
        known = {ended.id for ended in record.ended}
        record.open_usage = {lease: usage for lease, usage in record.open_usage.items() if lease in known} or None


@_on(events.RetryScheduled)
def _retry_scheduled(record: TaskRecord, event: events.RetryScheduled, _: Settings) -> None:
    record.retry_at = _in_bounds(event.retry_at, event.at)


def _in_bounds(retry_at: float, at: float) -> float:
    """Returns the time of a retry within LONGEST_RETRY: old journals have retries in a million years."""
    return min(retry_at, at + LONGEST_RETRY)


@_on(events.TaskRolledBack)
def _rolled_back(record: TaskRecord, event: events.TaskRolledBack, settings: Settings) -> None:
    _start_anew(record, keep=not event.make_anew)
    if event.cause != event.task:
        _forget_attempts(record)
        _want_no_orphan(record)
        return
    # guard: the same failure after a rollback is the end ->
    #     record.rollbacks, record.fingerprint = record.rollbacks + 1, ""
    record.rollbacks += 1
    if settings.rollback_scope is RollbackScope.PRODUCERS:
        record.too_small = ()  # its inputs may be shorter now


@_on(events.TaskFailed)
def _task_failed(record: TaskRecord, event: events.TaskFailed, _: Settings) -> None:
    record.given_up = True
    record.last_failure = event.reason


@_on(events.TaskRetried)
def _task_retried(record: TaskRecord, _event: events.TaskRetried, _: Settings) -> None:
    has_failed = record.given_up and record.candidate is None  # not for lack of a judge
    lessons = (record.failed_attempts, record.feedback) if has_failed else (NONE_FAILED, "")
    _start_anew(record, keep=False)
    _forget_attempts(record)
    _want_no_orphan(record)
    record.failed_attempts, record.feedback = lessons
    record.rollbacks = 0


@_on(events.OrphanStored)
def _orphan_stored(record: TaskRecord, event: events.OrphanStored, _: Settings) -> None:
    """Marks the lease, so that no second orphan is kept under it. The task does not move."""
    record.ended = tuple(replace(ended, orphaned=True) if ended.id == event.lease else ended for ended in record.ended)


@_on(events.OrphanAdopted)
def _orphan_adopted(record: TaskRecord, event: events.OrphanAdopted, _: Settings) -> None:
    _executed(record, event.lease)
    record.candidate, record.attempt, record.checkpoint = event.content, event.content.attempt, None
    record.judge_errors, record.outages, record.avoid, record.retry_at = 0, 0, None, 0.0
    record.canary_given, record.fingerprint = False, ""
    record.ended = tuple(replace(ended, orphaned=True) if ended.id == event.lease else ended for ended in record.ended)
    _want_no_orphan(record)


@_on(events.UsageRecorded)
def _usage_recorded(record: TaskRecord, event: events.UsageRecorded, _: Settings) -> None:
    if record.usage is None:
        record.usage = {}
    if record.open_usage is None:
        record.open_usage = {}
    add(record.usage, event.phase, event.model, event.usage)
    add_open(record.open_usage, event.lease, event.model, event.usage)
    if record.lease is None or record.lease.id != event.lease:
        record.ended = tuple(
            replace(ended, reports=ended.reports + 1) if ended.id == event.lease else ended for ended in record.ended
        )


@_on(events.CheckpointStored)
def _checkpoint_stored(record: TaskRecord, event: events.CheckpointStored, _: Settings) -> None:
    record.checkpoint = event.content


@_on(events.PromptKept)
def _prompt_kept(_record: TaskRecord, _event: events.PromptKept, _: Settings) -> None:
    """Changes nothing: people read the prompts from the journal."""


@_on(events.ArtifactKept)
def _artifact_kept(record: TaskRecord, event: events.ArtifactKept, _: Settings) -> None:
    record.artifact, record.withdrawn = record.withdrawn, None
    record.results, record.judged_by = record.evidence
    record.attempt = event.attempt


@_on(events.ArtifactReused)
def _artifact_reused(record: TaskRecord, event: events.ArtifactReused, _: Settings) -> None:
    record.artifact, record.attempt = event.content, event.content.attempt
    record.results, record.judged_by = event.results, event.judged_by
    record.last_failure = ""


@_on(events.CandidateReused)
def _candidate_reused(record: TaskRecord, event: events.CandidateReused, _: Settings) -> None:
    record.candidate, record.attempt, record.canary_given = event.content, event.content.attempt, False


def _start_anew(record: TaskRecord, *, keep: bool) -> None:
    record.withdrawn = record.artifact if keep else None
    record.is_fresh = record.is_fresh or not keep
    record.evidence = (record.results, record.judged_by) if record.withdrawn is not None else ((), ())
    # guard: a retry forgets checkpoints ->
    #     record.artifact = record.candidate = record.rejected = record.rejection = record.avoid = None
    record.artifact = record.candidate = record.rejected = record.rejection = record.avoid = record.checkpoint = None
    record.failures = record.losses = record.judge_errors = record.outages = 0
    record.no_progress = record.given_up = record.awaits_person = False
    record.results = record.judged_by = ()
    record.retry_at = record.first_assigned_at = 0.0


def offer_again(record: TaskRecord) -> None:
    """Offers a candidate to validators again, after a person has looked at why no judge could answer."""
    record.given_up, record.judge_errors, record.losses, record.retry_at = False, 0, 0, 0.0
