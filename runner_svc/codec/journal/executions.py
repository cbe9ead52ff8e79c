"""The life of an execution, its commands and its budgets; the layout of a plan."""

from __future__ import annotations

from runner_svc.codec.canaries import tallies_from_proto, tallies_to_proto
from runner_svc.codec.inputs import given_from_proto, given_to_proto
from runner_svc.codec.journal.kind import AnyKind, Head, Kind
from runner_svc.codec.settings import budget_from_proto, budget_to_proto, settings_from_proto, settings_to_proto
from runner_svc.codec.usage import currencies_from_proto, currencies_to_proto
from runner_svc.core.model import events
from runner_svc.core.model.map import Map
from runner_svc.core.model.values import WHOLE, ModelAt
from signoff.v1 import execution_pb2 as pb


def _budget_set_to_proto(event: events.BudgetSet, plan: Map | None) -> pb.BudgetSet:
    assert plan is not None
    task_id = "" if event.node == WHOLE else plan.name(event.node)
    return pb.BudgetSet(request_id=event.request_id, task_id=task_id, budget=budget_to_proto(event.budget))


def _budget_set_from_proto(message: pb.BudgetSet, plan: Map | None, head: Head) -> events.BudgetSet:
    assert plan is not None
    node = plan.node(message.task_id) if message.task_id else WHOLE
    if node is None:
        raise KeyError(f"a budget of {message.task_id}, which {plan.plan_id} does not have")
    return events.BudgetSet(request_id=message.request_id, node=node, budget=budget_from_proto(message.budget), **head)


KINDS: tuple[AnyKind, ...] = (
    Kind(
        events.LayoutSet,
        pb.LayoutSet,
        lambda e, _: pb.LayoutSet(request_id=e.request_id, plan_id=e.plan_id, map_digest=e.map_digest),
        lambda m, _, head: events.LayoutSet(
            request_id=m.request_id, plan_id=m.plan_id, map_digest=m.map_digest, **head
        ),
    ),
    Kind(
        events.ExecutionsPruned,
        pb.ExecutionsPruned,
        lambda e, _: pb.ExecutionsPruned(
            removed=e.removed,
            pruned_to_artifacts=e.pruned_to_artifacts,
            usage=currencies_to_proto(e.usage),
            canaries=tallies_to_proto(e.canaries),
        ),
        lambda m, _, head: events.ExecutionsPruned(
            removed=m.removed,
            pruned_to_artifacts=m.pruned_to_artifacts,
            usage=currencies_from_proto(m.usage),
            canaries=tallies_from_proto(m.canaries),
            **head,
        ),
    ),
    Kind(
        events.ExecutionCreated,
        pb.ExecutionCreated,
        lambda e, _: pb.ExecutionCreated(
            request_id=e.request_id,
            plan_id=e.plan_id,
            map_digest=e.map_digest,
            settings=settings_to_proto(e.settings),
            idea=e.idea,
            task_count=e.task_count,
            currency=e.currency,
            inputs=map(given_to_proto, e.inputs),
        ),
        lambda m, _, head: events.ExecutionCreated(
            request_id=m.request_id,
            plan_id=m.plan_id,
            map_digest=m.map_digest,
            settings=settings_from_proto(m.settings),
            idea=m.idea,
            task_count=m.task_count,
            currency=m.currency,
            inputs=given_from_proto(m.inputs),
            **head,
        ),
    ),
    Kind(
        events.ExecutionStarted,
        pb.ExecutionStarted,
        lambda e, _: pb.ExecutionStarted(request_id=e.request_id),
        lambda m, _, head: events.ExecutionStarted(request_id=m.request_id, **head),
    ),
    Kind(
        events.ExecutionPaused,
        pb.ExecutionPaused,
        lambda e, _: pb.ExecutionPaused(request_id=e.request_id, reason=e.reason),
        lambda m, _, head: events.ExecutionPaused(request_id=m.request_id, reason=m.reason, **head),
    ),
    Kind(
        events.ExecutionResumed,
        pb.ExecutionResumed,
        lambda e, _: pb.ExecutionResumed(request_id=e.request_id),
        lambda m, _, head: events.ExecutionResumed(request_id=m.request_id, **head),
    ),
    Kind(
        events.ExecutionStopped,
        pb.ExecutionStopped,
        lambda e, _: pb.ExecutionStopped(request_id=e.request_id, reason=e.reason),
        lambda m, _, head: events.ExecutionStopped(request_id=m.request_id, reason=m.reason, **head),
    ),
    Kind(
        events.ExecutionSucceeded,
        pb.ExecutionSucceeded,
        lambda _e, _: pb.ExecutionSucceeded(),
        lambda _m, _, head: events.ExecutionSucceeded(**head),
    ),
    Kind(
        events.ExecutionFailed,
        pb.ExecutionFailed,
        lambda e, _: pb.ExecutionFailed(reason=e.reason),
        lambda m, _, head: events.ExecutionFailed(reason=m.reason, **head),
    ),
    Kind(
        events.CommandNoted,
        pb.CommandNoted,
        lambda e, _: pb.CommandNoted(request_id=e.request_id, command=e.command),
        lambda m, _, head: events.CommandNoted(request_id=m.request_id, command=m.command, **head),
    ),
    Kind(events.BudgetSet, pb.BudgetSet, _budget_set_to_proto, _budget_set_from_proto),
    Kind(
        events.OutageEnded,
        pb.OutageEnded,
        lambda e, _: pb.OutageEnded(model=e.model.model, endpoint=e.model.endpoint),
        lambda m, _, head: events.OutageEnded(model=ModelAt(m.model, m.endpoint), **head),
    ),
)
