"""Checkpoints: the runner's state as it is kept beside the journal, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Any

from runner_svc.codec.canaries import tallies_from_proto, tallies_to_proto
from runner_svc.codec.criterion_results import results_from_proto, results_to_proto
from runner_svc.codec.files import files_from_proto, files_to_proto
from runner_svc.codec.inputs import given_from_proto, given_to_proto
from runner_svc.codec.makers import (
    kept_from_from_proto,
    kept_from_to_proto,
    maker_from_proto,
    maker_to_proto,
    makers_from_proto,
    makers_to_proto,
)
from runner_svc.codec.outages import outage_from_proto
from runner_svc.codec.settings import budget_from_proto, settings_from_proto
from runner_svc.codec.times import optional_seconds, seconds_of
from runner_svc.codec.unread import unread_from_proto, unread_to_proto
from runner_svc.codec.usage import (
    currencies_from_proto,
    currencies_to_proto,
    total_from_proto,
    total_to_proto,
    totals_from_proto,
)
from runner_svc.codec.verdicts import by_from_proto, by_to_proto
from runner_svc.codec.views import whole_overview_to_proto
from runner_svc.core.decide.turn import State
from runner_svc.core.model.states import ExecutionState, TaskStatus
from runner_svc.core.model.usage import OpenUsage, in_order
from runner_svc.core.model.values import (
    RUNNER,
    WHOLE,
    AcceptedRequest,
    Content,
    ExecutionId,
    LeaseId,
    Phase,
    WorkerName,
)
from runner_svc.core.state.attempts import NONE_FAILED, FailedAttempts
from runner_svc.core.state.overview import Overview, Spending
from runner_svc.core.state.task_record import EndedLease, Lease, Rejection, TaskRecord
from signoff.v1 import checkpoint_pb2 as pb
from signoff.v1 import execution_pb2

_COUNTS = ("attempt", "failures", "losses", "judge_errors", "rollbacks", "outages")
_STATES = ("no_progress", "given_up", "awaits_person", "canary_given", "is_fresh")
_TEXTS = ("last_failure", "feedback", "fingerprint")
_PLAIN = (*_COUNTS, *_STATES, *_TEXTS, "retry_at", "first_assigned_at", "changed_at")
_CONTENTS = ("candidate", "artifact", "withdrawn", "rejected", "checkpoint")
_plain_of, _contents_of = attrgetter(*_PLAIN), attrgetter(*_CONTENTS)


def runner_to_proto(state: State) -> pb.RunnerCheckpoint:
    layouts = [pb.LayoutCheckpoint(plan_id=plan_id, map_key=key) for plan_id, key in state.layouts.items()]
    own = [_request_to_proto(request) for request in state.requests.values() if request.execution == RUNNER]
    return pb.RunnerCheckpoint(
        sequence=state.sequence,
        layouts=layouts,
        requests=own,
        pruned_usage=currencies_to_proto(state.pruned.usage),
        pruned_canaries=tallies_to_proto(tuple(state.pruned.canaries.items())),
    )


def restore_runner(state: State, message: pb.RunnerCheckpoint) -> None:
    """Takes all that belongs to no execution into a new state: layouts, request ids, sums over what was pruned."""
    state.sequence = message.sequence
    state.pruned.add(currencies_from_proto(message.pruned_usage), tallies_from_proto(message.pruned_canaries))
    state.layouts.update((layout.plan_id, layout.map_key) for layout in message.layouts)
    state.requests.update((request.id, request) for request in _requests(RUNNER, message))


def _request_to_proto(request: AcceptedRequest) -> pb.RequestCheckpoint:
    return pb.RequestCheckpoint(request_id=request.id, command=request.command, about=request.about)


def _requests(
    execution: ExecutionId, message: pb.RunnerCheckpoint | pb.ExecutionCheckpoint
) -> Iterator[AcceptedRequest]:
    """Yields the accepted commands. An earlier version kept their ids alone."""
    for request_id in message.request_ids:
        yield AcceptedRequest(id=request_id, execution=execution)
    for kept in message.requests:
        yield AcceptedRequest(id=kept.request_id, execution=execution, command=kept.command, about=kept.about)


def execution_to_proto(overview: Overview, *, settled: bool) -> pb.ExecutionCheckpoint:
    return pb.ExecutionCheckpoint(
        execution=whole_overview_to_proto(overview),
        settled=settled,
        requests=map(_request_to_proto, overview.requests),
        budgets=[
            pb.BudgetCheckpoint(
                node=None if spending.node == WHOLE else spending.node,
                spent=total_to_proto(Phase.EXECUTE, "", spending.spent),
            )
            for spending in overview.budgets
        ],
        largest=[total_to_proto(phase, done_by, usage) for (phase, done_by), usage in overview.largest],
        candidates=overview.candidates,
        canaries_given=overview.canaries_given,
        inputs=map(given_to_proto, overview.inputs),
    )


def overview_from_proto(checkpoint: pb.ExecutionCheckpoint) -> Overview:
    message, counts = checkpoint.execution, checkpoint.execution.counts
    return Overview(
        id=ExecutionId(message.execution_id),
        plan_id=message.plan_id,
        map_digest=message.map_digest,
        idea=message.idea,
        settings=settings_from_proto(message.settings),
        state=ExecutionState(message.state),
        reason=message.reason,
        sequence=message.sequence,
        created_at=seconds_of(message.created_at),
        started_at=optional_seconds(message, "started_at"),
        ended_at=optional_seconds(message, "ended_at"),
        active_since=optional_seconds(message, "active_since"),
        outages=tuple(map(outage_from_proto, message.outages)),
        counts=(message.not_asked, *(getattr(counts, status.name.lower()) for status in TaskStatus)),
        awaiting_person=message.awaiting_person,
        currency=message.currency,
        usage=tuple(map(total_from_proto, message.usage)),
        budgets=tuple(_spendings(checkpoint)),
        largest=tuple(((phase, by), usage) for phase, by, usage in map(total_from_proto, checkpoint.largest)),
        candidates=checkpoint.candidates,
        canaries_given=checkpoint.canaries_given,
        canaries=tallies_from_proto(message.canaries),
        requests=tuple(_requests(ExecutionId(message.execution_id), checkpoint)),
        pruned_at=optional_seconds(message, "pruned_at"),
        inputs=given_from_proto(checkpoint.inputs),
        inputs_digest=message.inputs_digest,
    )


def _spendings(checkpoint: pb.ExecutionCheckpoint) -> Iterator[Spending]:
    for shown, kept in zip(checkpoint.execution.budgets, checkpoint.budgets, strict=True):
        yield Spending(
            node=kept.node if kept.HasField("node") else WHOLE,
            name=shown.task_id,
            budget=budget_from_proto(shown.budget),
            spent=total_from_proto(kept.spent)[2],
        )


def task_to_proto(status: int, record: TaskRecord) -> pb.TaskCheckpoint:
    plain = zip(_PLAIN, _plain_of(record), strict=True)
    contents = zip(_CONTENTS, _contents_of(record), strict=True)
    parts: dict[str, Any] = {name: value for name, value in plain if value}
    parts |= {name: content_to_proto(content) for name, content in contents if content is not None}
    message = pb.TaskCheckpoint(
        status=execution_pb2.TaskStatus.ValueType(status),
        executed_under=record.executed_under or "",
        judged_under=record.judged_under or "",
        avoid=record.avoid or "",
        settled_before=record.settled_before,
        ended=map(_ended_to_proto, record.ended),
        too_small=record.too_small,
        **parts,
    )
    if record.failed_attempts.lines:
        failed = pb.FailedAttemptsCheckpoint(lines=record.failed_attempts.lines, dropped=record.failed_attempts.dropped)
        message.failed_attempts.CopyFrom(failed)
    if record.lease is not None:
        lease = record.lease
        phase = execution_pb2.Phase.ValueType(lease.phase)
        kept = pb.LeaseCheckpoint(
            lease_id=lease.id, phase=phase, worker=lease.worker, canary=lease.canary, model=lease.model
        )
        message.lease.CopyFrom(kept)
    if record.rejection is not None:
        message.rejection.SetInParent()
        message.rejection.digest = record.rejection.digest
        message.rejection.failed.extend(sorted(record.rejection.failed))
    if record.usage:
        message.usage.extend(total_to_proto(*total) for total in in_order(record.usage))
    if record.open_usage:
        message.open_usage.extend(_open_usage_to_proto(record.open_usage))
    if record.results:
        message.results.extend(results_to_proto(record.results))
    if record.judged_by:
        message.judged_by.extend(makers_to_proto(record.judged_by))
    if any(record.evidence):
        results, makers = record.evidence
        message.evidence.results.extend(results_to_proto(results))
        message.evidence.judged_by.extend(makers_to_proto(makers))
    return message


def status_from_bytes(body: bytes) -> TaskStatus:
    """Reads the status of a serialized TaskCheckpoint. Raises DecodeError for other bytes."""
    return TaskStatus(pb.TaskCheckpoint.FromString(body).status)


def record_from_bytes(body: bytes) -> TaskRecord:
    """Reads the record of a serialized TaskCheckpoint."""
    message = pb.TaskCheckpoint.FromString(body)
    record = TaskRecord(
        lease=_lease_from_proto(message.lease) if message.HasField("lease") else None,
        executed_under=LeaseId(message.executed_under) if message.executed_under else None,
        judged_under=LeaseId(message.judged_under) if message.judged_under else None,
        settled_before=tuple(map(LeaseId, message.settled_before)),
        ended=tuple(map(_ended_from_proto, message.ended)),
        avoid=WorkerName(message.avoid) if message.avoid else None,
        rejection=_rejection_from_proto(message.rejection) if message.HasField("rejection") else None,
        results=results_from_proto(message.results),
        judged_by=makers_from_proto(message.judged_by),
        evidence=(results_from_proto(message.evidence.results), makers_from_proto(message.evidence.judged_by)),
        usage=totals_from_proto(message.usage) or None,
        open_usage=_open_usage_from_proto(message.open_usage) or None,
        failed_attempts=_failed_attempts_from_proto(message.failed_attempts),
        too_small=tuple(message.too_small),
        **{name: getattr(message, name) for name in _PLAIN},
    )
    for name in _CONTENTS:
        if message.HasField(name):  # type: ignore[arg-type]
            setattr(record, name, content_from_proto(getattr(message, name)))
    return record


def _failed_attempts_from_proto(message: pb.FailedAttemptsCheckpoint) -> FailedAttempts:
    return FailedAttempts(tuple(message.lines), message.dropped) if message.lines else NONE_FAILED


def _open_usage_to_proto(open_usage: OpenUsage) -> Iterator[pb.UsageCheckpoint]:
    for lease, of_lease in open_usage.items():
        for model, usage in of_lease.items():
            yield pb.UsageCheckpoint(lease_id=lease, total=total_to_proto(Phase.EXECUTE, model, usage))


def _open_usage_from_proto(messages: Iterable[pb.UsageCheckpoint]) -> OpenUsage:
    open_usage: OpenUsage = {}
    for message in messages:
        _, model, usage = total_from_proto(message.total)
        open_usage.setdefault(LeaseId(message.lease_id), {})[model] = usage
    return open_usage


def content_to_proto(content: Content) -> pb.ContentCheckpoint:
    return pb.ContentCheckpoint(
        digest=content.digest,
        size_bytes=content.size,
        media_type=content.media_type,
        attempt=content.attempt,
        maker=content.maker,
        input_digest=content.input_digest,
        remark=content.remark,
        unread=unread_to_proto(content.unread),
        signed_off_by=by_to_proto(content.signed_off_by),
        signed_off_at=content.signed_off_at,
        made_by=maker_to_proto(content.made_by),
        kept_from=kept_from_to_proto(content.kept_from),
        **files_to_proto(content.files),
    )


def content_from_proto(message: pb.ContentCheckpoint) -> Content:
    return Content(
        digest=message.digest,
        size=message.size_bytes,
        media_type=message.media_type,
        attempt=message.attempt,
        maker=message.maker,
        input_digest=message.input_digest,
        remark=message.remark,
        unread=unread_from_proto(message.unread),
        signed_off_by=by_from_proto(message.signed_off_by),
        signed_off_at=message.signed_off_at,
        made_by=maker_from_proto(message.made_by),
        kept_from=kept_from_from_proto(message.kept_from),
        files=files_from_proto(message),
    )


def _lease_from_proto(message: pb.LeaseCheckpoint) -> Lease:
    return Lease(
        LeaseId(message.lease_id),
        Phase(message.phase),
        WorkerName(message.worker),
        message.canary,
        message.model if message.HasField("model") else None,
    )


def _ended_to_proto(lease: EndedLease) -> pb.EndedLeaseCheckpoint:
    phase = execution_pb2.Phase.ValueType(lease.phase)
    return pb.EndedLeaseCheckpoint(
        lease_id=lease.id,
        phase=phase,
        worker=lease.worker,
        orphaned=lease.orphaned,
        reports=lease.reports,
        input_digest=lease.input_digest,
    )


def _ended_from_proto(message: pb.EndedLeaseCheckpoint) -> EndedLease:
    return EndedLease(
        LeaseId(message.lease_id),
        Phase(message.phase),
        WorkerName(message.worker),
        message.orphaned,
        message.reports,
        message.input_digest,
    )


def _rejection_from_proto(message: pb.RejectionCheckpoint) -> Rejection:
    return Rejection(message.digest, frozenset(message.failed))
