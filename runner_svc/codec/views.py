"""Views of the state for clients: executions, tasks and artifacts as messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from runner_svc.codec.canaries import tallies_to_proto
from runner_svc.codec.files import files_to_proto
from runner_svc.codec.makers import kept_from_to_proto
from runner_svc.codec.outages import outage_to_proto
from runner_svc.codec.settings import budget_to_proto, settings_to_proto
from runner_svc.codec.shown import MOST_BUDGETS, first, inputs_shown, outages_shown, settings_shown
from runner_svc.codec.times import duration, timestamp
from runner_svc.codec.unread import unread_to_proto
from runner_svc.codec.usage import amount_to_proto, total_to_proto
from runner_svc.codec.verdicts import by_to_proto
from runner_svc.core.decide.turn import State
from runner_svc.core.explain.why_waiting import MAX_NAMED, Reasons
from runner_svc.core.model.states import DONE
from runner_svc.core.model.usage import Usage, in_order
from runner_svc.core.model.values import NO_TASK, Content, Phase
from runner_svc.core.state.execution import Execution
from runner_svc.core.state.overview import Overview, Spending
from signoff.v1 import execution_pb2 as pb


def overview_to_proto(overview: Overview) -> pb.Execution:
    """Returns an execution as clients are shown it. Each part is bounded, as shown.py says."""
    return _overview_to_proto(
        overview,
        settings=settings_shown(overview.settings),
        usage=first(map(_total_to_proto, overview.usage)),
        budgets=first(map(_spending_to_proto, overview.budgets[:MOST_BUDGETS])),
        canaries=first(tallies_to_proto(overview.canaries)),
        outages=outages_shown(overview.outages),
        inputs=inputs_shown(overview.inputs),
    )


def whole_overview_to_proto(overview: Overview) -> pb.Execution:
    """Returns an execution as checkpoints keep it: all of it, but for the inputs, which they keep besides."""
    return _overview_to_proto(
        overview,
        settings=settings_to_proto(overview.settings),
        usage=map(_total_to_proto, overview.usage),
        budgets=map(_spending_to_proto, overview.budgets),
        canaries=tallies_to_proto(overview.canaries),
        outages=map(outage_to_proto, overview.outages),
    )


def _overview_to_proto(overview: Overview, **parts: Any) -> pb.Execution:
    message = pb.Execution(
        execution_id=overview.id,
        plan_id=overview.plan_id,
        idea=overview.idea,
        map_digest=overview.map_digest,
        state=pb.ExecutionState.ValueType(overview.state),
        reason=overview.reason,
        sequence=overview.sequence,
        created_at=timestamp(overview.created_at),
        counts=_counts(overview),
        not_asked=overview.counts[0],
        awaiting_person=overview.awaiting_person,
        currency=overview.currency,
        inputs_digest=overview.inputs_digest,
        **parts,
    )
    if overview.started_at is not None:
        message.started_at.CopyFrom(timestamp(overview.started_at))
    if overview.active_since is not None:
        message.active_since.CopyFrom(timestamp(overview.active_since))
    if overview.pruned_at is not None:
        message.pruned_at.CopyFrom(timestamp(overview.pruned_at))
    if overview.ended_at is not None:
        message.ended_at.CopyFrom(timestamp(overview.ended_at))
    return message


def _spending_to_proto(spending: Spending) -> pb.BudgetState:
    spent, kept = spending.spent, spending.kept
    return pb.BudgetState(
        task_id=spending.name,
        budget=budget_to_proto(spending.budget),
        spent_tokens=amount_to_proto(spent.tokens),
        spent_cost_nanos=amount_to_proto(spent.cost),
        unpriced_tokens=amount_to_proto(spent.unpriced_tokens),
        estimated_tokens=amount_to_proto(spent.estimated_tokens),
        estimated_cost_nanos=amount_to_proto(spent.estimated_cost_nanos),
        reserved_tokens=amount_to_proto(kept.tokens),
        reserved_cost_nanos=amount_to_proto(kept.cost_nanos),
    )


def _total_to_proto(total: tuple[Phase, str, Usage]) -> pb.UsageTotal:
    return total_to_proto(*total)


def _counts(overview: Overview) -> pb.TaskCounts:
    _, undone, doing, validating, done, execution_failed, validation_failed = overview.counts
    return pb.TaskCounts(
        undone=undone,
        doing=doing,
        validating=validating,
        done=done,
        execution_failed=execution_failed,
        validation_failed=validation_failed,
    )


WORK_A_TURN = 25_000  # units of work that one turn of the loop may do, in 15 ms: 500 tasks, or fewer that wait for much
WORK_OF_TASK = 50  # units for a task; 1 for each node that it waits for


def tasks_for_one_turn(execution: Execution, tasks: Iterable[int]) -> Iterator[int]:
    """Yields the first of the tasks, as many as one turn of the loop can convert."""
    left = WORK_A_TURN
    for task in tasks:
        yield task
        left -= WORK_OF_TASK + (len(execution.map.waits_for[task]) if execution.waiting[task] else 0)
        if left <= 0:
            return


def tasks_to_proto(state: State, execution: Execution, tasks: Iterable[int], at: float) -> Iterator[pb.TaskState]:
    """Yields the tasks as they are at one moment."""
    reasons = Reasons(state, execution, at)
    for task in tasks:
        yield task_to_proto(execution, task, reasons)


def task_to_proto(execution: Execution, task: int, reasons: Reasons) -> pb.TaskState:
    record = execution.record(task)
    message = pb.TaskState(
        task_id=execution.map.task_ids[task],
        stage=execution.map.stages[task],
        status=pb.TaskStatus.ValueType(execution.status[task]),
        attempt=record.attempt,
        failures=record.failures,
        losses=record.losses,
        judge_errors=record.judge_errors,
        rollbacks=record.rollbacks,
        worker=record.lease.worker if record.lease else "",
        last_failure=record.last_failure,
        earlier_failures=record.failed_attempts.before_the_last,
        waiting=_waiting(execution, task, reasons),
        usage=[total_to_proto(*total) for total in in_order(record.usage or {})],
    )
    if record.changed_at:
        message.changed_at.CopyFrom(timestamp(record.changed_at))
    if record.artifact is not None and execution.status[task] == DONE:
        message.artifact.CopyFrom(artifact_to_proto(execution, task, record.artifact))
        message.took.CopyFrom(duration(max(0.0, record.changed_at - (record.first_assigned_at or record.changed_at))))
    return message


def _waiting(execution: Execution, task: int, reasons: Reasons) -> pb.Waiting | None:
    waiting = reasons.of(task)
    if waiting is None:
        return None
    return pb.Waiting(
        waiting_for=pb.WaitingFor.ValueType(waiting.what),
        message=waiting.message,
        task_ids=[execution.map.name(node) for node in waiting.nodes[:MAX_NAMED]],
        until=timestamp(waiting.until) if waiting.until is not None else None,
    )


def artifact_to_proto(execution: Execution, task: int, content: Content) -> pb.ArtifactInfo:
    is_made = task != NO_TASK  # otherwise it is an input of the plan
    return pb.ArtifactInfo(
        name=execution.map.makes[task] if is_made else "",
        task_id=execution.map.task_ids[task] if is_made else "",
        attempt=content.attempt,
        size_bytes=content.size,
        digest=content.digest,
        media_type=content.media_type,
        unread=unread_to_proto(content.unread),
        signed_off_by=by_to_proto(content.signed_off_by),
        kept_from=kept_from_to_proto(content.kept_from),
        **files_to_proto(content.files),
    )
