"""Events as they are stored and watched: core events to signoff.v1.Event and back.

The journal keeps the very message that watchers receive, so both come from one place; `as_told` has the one exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from runner_svc.codec.outages import outage_from_proto, outage_to_proto
from runner_svc.codec.settings import budget_from_proto, settings_from_proto, settings_to_proto
from runner_svc.codec.times import duration, seconds_of, timestamp
from runner_svc.codec.unread import unread_from_proto, unread_to_proto
from runner_svc.codec.usage import change_from_proto, change_to_proto
from runner_svc.codec.verdicts import by_of_verdict, by_to_proto
from runner_svc.core.model import events
from runner_svc.core.model.map import Map
from runner_svc.core.model.values import (
    NO_TASK,
    WHOLE,
    Content,
    CriterionResult,
    ExecutionId,
    FailureKind,
    LeaseId,
    ModelAt,
    Outcome,
    Phase,
    WorkerName,
)
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import plan_pb2


def event_to_proto(entry: events.Entry, plan: Map | None) -> pb.Event:
    """`plan` is None in the runner's own journal, whose events are about no task."""
    event = entry.event
    task_id = plan.task_ids[event.task] if plan is not None and event.task != NO_TASK else ""
    message = pb.Event(sequence=entry.sequence, at=timestamp(event.at), task_id=task_id)
    _TO[type(event)](message, event, plan)
    return message


def entry_from_proto(execution: ExecutionId, message: pb.Event, plan: Map | None) -> events.Entry:
    """Raises KeyError for a task or a kind of event that is not known: the journal is from a newer version."""
    kind = message.WhichOneof("kind")
    if kind is None:
        raise KeyError(f"event {message.sequence} of {execution or 'the runner'} is of a kind this version lacks")
    task = plan.numbers[message.task_id] if plan is not None and message.task_id else NO_TASK
    event = _FROM[kind](getattr(message, kind), plan, at=seconds_of(message.at), task=task)
    return events.Entry(execution, message.sequence, event)


def as_told(event: pb.Event) -> pb.Event:
    """Returns an event as watchers are told of it.

    That a validator was given a canary is told with its verdict, in CanaryJudged: a validator may watch as well.
    """
    # guard: watchers are told of canaries with their verdict -> if True:
    if not event.task_assigned.canary:
        return event
    shown = pb.Event()
    shown.CopyFrom(event)
    shown.task_assigned.ClearField("canary")
    return shown


def results_to_proto(results: Iterable[CriterionResult]) -> list[pb.CriterionResult]:
    return [
        pb.CriterionResult(
            criterion=result.criterion,
            outcome=pb.Outcome.ValueType(result.outcome),
            reason=result.reason,
            deterministic=result.deterministic,
            criterion_number=result.criterion_number,
            check_number=result.check_number,
        )
        for result in results
    ]


def results_from_proto(results: Iterable[pb.CriterionResult]) -> tuple[CriterionResult, ...]:
    """An outcome that is not known counts as an error: never as a pass."""
    return tuple(
        CriterionResult(
            criterion=result.criterion,
            outcome=Outcome(result.outcome) if result.outcome in (1, 2, 3) else Outcome.ERROR,
            reason=result.reason,
            deterministic=result.deterministic,
            criterion_number=result.criterion_number,
            check_number=result.check_number,
        )
        for result in results
    )


# ---------------------------------------------------------------- to proto


def _layout_set(m: pb.Event, v: events.LayoutSet, _: Map | None) -> None:
    m.layout_set.request_id, m.layout_set.plan_id, m.layout_set.map_digest = v.request_id, v.plan_id, v.map_digest


def _created(m: pb.Event, v: events.ExecutionCreated, _: Map | None) -> None:
    m.execution_created.CopyFrom(
        pb.ExecutionCreated(
            request_id=v.request_id,
            plan_id=v.plan_id,
            map_digest=v.map_digest,
            settings=settings_to_proto(v.settings),
            idea=v.idea,
            task_count=v.task_count,
            currency=v.currency,
        )
    )


def _started(m: pb.Event, v: events.ExecutionStarted, _: Map | None) -> None:
    m.execution_started.SetInParent()
    m.execution_started.request_id = v.request_id


def _paused(m: pb.Event, v: events.ExecutionPaused, _: Map | None) -> None:
    m.execution_paused.SetInParent()
    m.execution_paused.request_id, m.execution_paused.reason = v.request_id, v.reason


def _resumed(m: pb.Event, v: events.ExecutionResumed, _: Map | None) -> None:
    m.execution_resumed.SetInParent()
    m.execution_resumed.request_id = v.request_id


def _stopped(m: pb.Event, v: events.ExecutionStopped, _: Map | None) -> None:
    m.execution_stopped.SetInParent()
    m.execution_stopped.request_id, m.execution_stopped.reason = v.request_id, v.reason


def _succeeded(m: pb.Event, _v: events.ExecutionSucceeded, _: Map | None) -> None:
    m.execution_succeeded.SetInParent()


def _failed(m: pb.Event, v: events.ExecutionFailed, _: Map | None) -> None:
    m.execution_failed.SetInParent()
    m.execution_failed.reason = v.reason


def _budget_set(m: pb.Event, v: events.BudgetSet, plan: Map | None) -> None:
    assert plan is not None
    m.budget_set.request_id, m.budget_set.task_id = v.request_id, "" if v.node == WHOLE else plan.name(v.node)
    m.budget_set.budget.CopyFrom(plan_pb2.Budget(tokens=v.budget.tokens, cost_nanos=v.budget.cost_nanos))


def _noted(m: pb.Event, v: events.CommandNoted, _: Map | None) -> None:
    m.command_noted.SetInParent()
    m.command_noted.request_id, m.command_noted.command = v.request_id, v.command


def _assigned(m: pb.Event, v: events.TaskAssigned, _: Map | None) -> None:
    part = m.task_assigned
    part.lease_id, part.attempt, part.worker, part.canary = v.lease, v.attempt, v.worker, v.canary
    part.phase = pb.Phase.ValueType(v.phase)
    if v.model is not None:
        part.model = v.model


def _candidate(m: pb.Event, v: events.CandidateStored, _: Map | None) -> None:
    part, content = m.candidate_stored, v.content
    part.lease_id, part.attempt, part.digest, part.size_bytes = v.lease, content.attempt, content.digest, content.size
    part.media_type, part.maker, part.input_digest = content.media_type, content.maker, content.input_digest
    part.remark = content.remark
    if (unread := unread_to_proto(content.unread)) is not None:
        part.unread.CopyFrom(unread)


def _passed(m: pb.Event, v: events.VerdictPassed, _: Map | None) -> None:
    m.verdict_passed.lease_id, m.verdict_passed.attempt = v.lease, v.attempt
    m.verdict_passed.results.extend(results_to_proto(v.results))
    m.verdict_passed.request_id = v.request_id
    if (by := by_to_proto(v.by)) is not None:
        m.verdict_passed.by.CopyFrom(by)


def _person_asked(m: pb.Event, v: events.PersonAsked, _: Map | None) -> None:
    m.person_asked.lease_id, m.person_asked.attempt = v.lease, v.attempt
    m.person_asked.results.extend(results_to_proto(v.results))


def _rejected(m: pb.Event, v: events.VerdictFailed, _: Map | None) -> None:
    part = m.verdict_failed
    part.lease_id, part.attempt, part.feedback = v.lease, v.attempt, v.feedback
    part.retry_worthwhile, part.request_id = v.retry_worthwhile, v.request_id
    part.results.extend(results_to_proto(v.results))
    if (by := by_to_proto(v.by)) is not None:
        part.by.CopyFrom(by)


def _attempt_failed(m: pb.Event, v: events.AttemptFailed, _: Map | None) -> None:
    part = m.attempt_failed
    part.lease_id, part.attempt, part.message = v.lease, v.attempt, v.message
    part.kind = pb.FailureKind.ValueType(v.kind)
    part.fingerprint, part.model = v.fingerprint, v.model
    if v.retry_after is not None:
        part.retry_after.CopyFrom(duration(v.retry_after))


def _judge_failed(m: pb.Event, v: events.JudgeFailed, _: Map | None) -> None:
    part = m.judge_failed
    part.lease_id, part.attempt, part.message = v.lease, v.attempt, v.message
    part.retry_at.CopyFrom(timestamp(v.retry_at))


def _outage_met(m: pb.Event, v: events.OutageMet, _: Map | None) -> None:
    part = m.outage_met
    part.lease_id, part.attempt = v.lease, v.attempt
    part.phase, part.kind = pb.Phase.ValueType(v.phase), pb.FailureKind.ValueType(v.kind)
    part.outage.CopyFrom(outage_to_proto(v.away))


def _outage_ended(m: pb.Event, v: events.OutageEnded, _: Map | None) -> None:
    m.outage_ended.SetInParent()
    m.outage_ended.model, m.outage_ended.endpoint = v.model.model, v.model.endpoint


def _lease_lost(m: pb.Event, v: events.LeaseLost, _: Map | None) -> None:
    part = m.lease_lost
    part.lease_id, part.attempt, part.reason = v.lease, v.attempt, v.reason
    part.phase = pb.Phase.ValueType(v.phase)


def _lease_returned(m: pb.Event, v: events.LeaseReturned, _: Map | None) -> None:
    part = m.lease_returned
    part.lease_id, part.attempt, part.reason = v.lease, v.attempt, v.reason
    part.phase = pb.Phase.ValueType(v.phase)


def _retry_scheduled(m: pb.Event, v: events.RetryScheduled, _: Map | None) -> None:
    m.retry_scheduled.retry_at.CopyFrom(timestamp(v.retry_at))


def _rolled_back(m: pb.Event, v: events.TaskRolledBack, plan: Map | None) -> None:
    assert plan is not None
    m.task_rolled_back.cause_task_id, m.task_rolled_back.make_anew = plan.task_ids[v.cause], v.make_anew


def _task_failed(m: pb.Event, v: events.TaskFailed, _: Map | None) -> None:
    m.task_failed.SetInParent()
    m.task_failed.reason = v.reason


def _task_retried(m: pb.Event, v: events.TaskRetried, _: Map | None) -> None:
    m.task_retried.SetInParent()
    m.task_retried.request_id = v.request_id


def _orphan(m: pb.Event, v: events.OrphanStored, _: Map | None) -> None:
    part = m.orphan_stored
    part.lease_id, part.worker, part.what, part.digest, part.size_bytes = v.lease, v.worker, v.what, v.digest, v.size


def _kept(m: pb.Event, v: events.ArtifactKept, _: Map | None) -> None:
    m.artifact_kept.attempt = v.attempt


def _usage(m: pb.Event, v: events.UsageRecorded, _: Map | None) -> None:
    part = m.usage_recorded
    part.lease_id, part.attempt, part.worker, part.model = v.lease, v.attempt, v.worker, v.model
    part.phase = pb.Phase.ValueType(v.phase)
    change_to_proto(v.usage, part)


def _checkpoint(m: pb.Event, v: events.CheckpointStored, _: Map | None) -> None:
    part, content = m.checkpoint_stored, v.content
    part.lease_id, part.attempt, part.digest, part.size_bytes = v.lease, content.attempt, content.digest, content.size
    part.input_digest = content.input_digest


def _canary(m: pb.Event, v: events.CanaryJudged, _: Map | None) -> None:
    part = m.canary_judged
    part.lease_id, part.canary, part.good, part.reason = v.lease, v.canary, v.good, v.reason
    part.outcome = pb.Outcome.ValueType(v.outcome)
    part.worker, part.model = v.worker, v.model
    part.labels.update(v.labels)


_TO: dict[type[events.Event], Callable[..., None]] = {
    events.LayoutSet: _layout_set,
    events.ExecutionCreated: _created,
    events.ExecutionStarted: _started,
    events.ExecutionPaused: _paused,
    events.ExecutionResumed: _resumed,
    events.ExecutionStopped: _stopped,
    events.ExecutionSucceeded: _succeeded,
    events.ExecutionFailed: _failed,
    events.CommandNoted: _noted,
    events.BudgetSet: _budget_set,
    events.TaskAssigned: _assigned,
    events.CandidateStored: _candidate,
    events.VerdictPassed: _passed,
    events.PersonAsked: _person_asked,
    events.VerdictFailed: _rejected,
    events.AttemptFailed: _attempt_failed,
    events.JudgeFailed: _judge_failed,
    events.OutageMet: _outage_met,
    events.OutageEnded: _outage_ended,
    events.LeaseLost: _lease_lost,
    events.LeaseReturned: _lease_returned,
    events.RetryScheduled: _retry_scheduled,
    events.TaskRolledBack: _rolled_back,
    events.TaskFailed: _task_failed,
    events.TaskRetried: _task_retried,
    events.OrphanStored: _orphan,
    events.ArtifactKept: _kept,
    events.UsageRecorded: _usage,
    events.CheckpointStored: _checkpoint,
    events.CanaryJudged: _canary,
}


# ---------------------------------------------------------------- from proto


def _read_created(m: pb.ExecutionCreated, _: Map | None, **head: Any) -> events.Event:
    return events.ExecutionCreated(
        request_id=m.request_id,
        plan_id=m.plan_id,
        map_digest=m.map_digest,
        settings=settings_from_proto(m.settings),
        idea=m.idea,
        task_count=m.task_count,
        currency=m.currency,
        **head,
    )


def _read_budget_set(m: pb.BudgetSet, plan: Map | None, **head: Any) -> events.Event:
    assert plan is not None
    node = plan.node(m.task_id) if m.task_id else WHOLE
    if node is None:
        raise KeyError(f"a budget of {m.task_id}, which {plan.plan_id} does not have")
    return events.BudgetSet(request_id=m.request_id, node=node, budget=budget_from_proto(m.budget), **head)


def _read_candidate(m: pb.CandidateStored, _: Map | None, **head: Any) -> events.Event:
    content = Content(
        digest=m.digest,
        size=m.size_bytes,
        media_type=m.media_type,
        attempt=m.attempt,
        maker=m.maker,
        input_digest=m.input_digest,
        remark=m.remark,
        unread=unread_from_proto(m.unread),
    )
    return events.CandidateStored(lease=LeaseId(m.lease_id), content=content, **head)


def _read_rejected(m: pb.VerdictFailed, _: Map | None, **head: Any) -> events.Event:
    return events.VerdictFailed(
        lease=LeaseId(m.lease_id),
        attempt=m.attempt,
        results=results_from_proto(m.results),
        feedback=m.feedback,
        retry_worthwhile=m.retry_worthwhile,
        request_id=m.request_id,
        by=by_of_verdict(m),
        **head,
    )


def _read_attempt_failed(m: pb.AttemptFailed, _: Map | None, **head: Any) -> events.Event:
    return events.AttemptFailed(
        lease=LeaseId(m.lease_id),
        attempt=m.attempt,
        kind=FailureKind(m.kind),
        message=m.message,
        retry_after=seconds_of(m.retry_after) if m.HasField("retry_after") else None,
        fingerprint=m.fingerprint,
        model=m.model,
        **head,
    )


def _read_outage_met(m: pb.OutageMet, _: Map | None, **head: Any) -> events.Event:
    return events.OutageMet(
        lease=LeaseId(m.lease_id),
        attempt=m.attempt,
        phase=Phase(m.phase),
        kind=FailureKind(m.kind),
        away=outage_from_proto(m.outage),
        **head,
    )


def _read_outage_ended(m: pb.OutageEnded, _: Map | None, **head: Any) -> events.Event:
    return events.OutageEnded(model=ModelAt(m.model, m.endpoint), **head)


def _read_judge_failed(m: pb.JudgeFailed, _: Map | None, **head: Any) -> events.Event:
    return events.JudgeFailed(
        lease=LeaseId(m.lease_id), attempt=m.attempt, message=m.message, retry_at=seconds_of(m.retry_at), **head
    )


def _read_rolled_back(m: pb.TaskRolledBack, plan: Map | None, **head: Any) -> events.Event:
    assert plan is not None
    return events.TaskRolledBack(cause=plan.numbers[m.cause_task_id], make_anew=m.make_anew, **head)


def _read_orphan(m: pb.OrphanStored, _: Map | None, **head: Any) -> events.Event:
    return events.OrphanStored(
        lease=LeaseId(m.lease_id),
        worker=WorkerName(m.worker),
        what=m.what,
        digest=m.digest,
        size=m.size_bytes,
        **head,
    )


def _read_usage(m: pb.UsageRecorded, _: Map | None, **head: Any) -> events.Event:
    return events.UsageRecorded(
        lease=LeaseId(m.lease_id),
        attempt=m.attempt,
        phase=Phase(m.phase),
        worker=WorkerName(m.worker),
        model=m.model,
        usage=change_from_proto(m),
        **head,
    )


def _read_checkpoint(m: pb.CheckpointStored, _: Map | None, **head: Any) -> events.Event:
    content = Content(digest=m.digest, size=m.size_bytes, media_type="", attempt=m.attempt, input_digest=m.input_digest)
    return events.CheckpointStored(lease=LeaseId(m.lease_id), content=content, **head)


def _read_canary(m: pb.CanaryJudged, _: Map | None, **head: Any) -> events.Event:
    return events.CanaryJudged(
        lease=LeaseId(m.lease_id),
        canary=m.canary,
        good=m.good,
        outcome=Outcome(m.outcome),
        reason=m.reason,
        worker=WorkerName(m.worker),
        model=m.model,
        labels=frozenset(m.labels.items()),
        **head,
    )


def _ended(kind: type[events.LeaseLost] | type[events.LeaseReturned]) -> Callable[..., events.Event]:
    def read(m: pb.LeaseLost | pb.LeaseReturned, _: Map | None, **head: Any) -> events.Event:
        return kind(lease=LeaseId(m.lease_id), attempt=m.attempt, phase=Phase(m.phase), reason=m.reason, **head)

    return read


_FROM: dict[str, Callable[..., events.Event]] = {
    "layout_set": lambda m, _, **head: events.LayoutSet(
        request_id=m.request_id, plan_id=m.plan_id, map_digest=m.map_digest, **head
    ),
    "execution_created": _read_created,
    "execution_started": lambda m, _, **head: events.ExecutionStarted(request_id=m.request_id, **head),
    "execution_paused": lambda m, _, **head: events.ExecutionPaused(request_id=m.request_id, reason=m.reason, **head),
    "execution_resumed": lambda m, _, **head: events.ExecutionResumed(request_id=m.request_id, **head),
    "execution_stopped": lambda m, _, **head: events.ExecutionStopped(request_id=m.request_id, reason=m.reason, **head),
    "execution_succeeded": lambda _m, _, **head: events.ExecutionSucceeded(**head),
    "execution_failed": lambda m, _, **head: events.ExecutionFailed(reason=m.reason, **head),
    "command_noted": lambda m, _, **head: events.CommandNoted(request_id=m.request_id, command=m.command, **head),
    "budget_set": _read_budget_set,
    "task_assigned": lambda m, _, **head: events.TaskAssigned(
        lease=LeaseId(m.lease_id),
        attempt=m.attempt,
        phase=Phase(m.phase),
        worker=WorkerName(m.worker),
        canary=m.canary,
        model=m.model if m.HasField("model") else None,
        **head,
    ),
    "candidate_stored": _read_candidate,
    "verdict_passed": lambda m, _, **head: events.VerdictPassed(
        lease=LeaseId(m.lease_id),
        attempt=m.attempt,
        results=results_from_proto(m.results),
        request_id=m.request_id,
        by=by_of_verdict(m),
        **head,
    ),
    "person_asked": lambda m, _, **head: events.PersonAsked(
        lease=LeaseId(m.lease_id), attempt=m.attempt, results=results_from_proto(m.results), **head
    ),
    "verdict_failed": _read_rejected,
    "attempt_failed": _read_attempt_failed,
    "judge_failed": _read_judge_failed,
    "outage_met": _read_outage_met,
    "outage_ended": _read_outage_ended,
    "lease_lost": _ended(events.LeaseLost),
    "lease_returned": _ended(events.LeaseReturned),
    "retry_scheduled": lambda m, _, **head: events.RetryScheduled(retry_at=seconds_of(m.retry_at), **head),
    "task_rolled_back": _read_rolled_back,
    "task_failed": lambda m, _, **head: events.TaskFailed(reason=m.reason, **head),
    "task_retried": lambda m, _, **head: events.TaskRetried(request_id=m.request_id, **head),
    "orphan_stored": _read_orphan,
    "usage_recorded": _read_usage,
    "checkpoint_stored": _read_checkpoint,
    "canary_judged": _read_canary,
    "artifact_kept": lambda m, _, **head: events.ArtifactKept(attempt=m.attempt, **head),
}
