"""The planner's MapParts, as the core's Map."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runner_svc.codec.canaries import take_canaries
from runner_svc.codec.settings import budget_from_proto
from runner_svc.codec.terms import terms_of
from runner_svc.core.plan import NO_PARENT, Map
from runner_svc.core.terms import USUAL
from runner_svc.core.values import Budget
from signoff.errors import PlanInvalid
from signoff.v1 import plan_pb2 as pb


def map_from_parts(parts: Iterable[pb.MapPart]) -> Map:
    """Reads a map and prepares it for executions; layout parts are passed over. Call it in a thread.

    Raises PlanInvalid when the parts do not make a map: another number of tasks or groups than the header says, a node
    number that does not exist, or a task that waits for a later stage.
    """
    iterator = iter(parts)
    first = next(iterator, None)
    if first is None or first.WhichOneof("part") != "header":
        raise PlanInvalid("expected a map to begin with its header")
    tasks: list[pb.MapTask] = []
    groups: list[pb.MapGroup] = []
    for part in iterator:
        tasks.extend(part.tasks.tasks)
        groups.extend(part.groups.groups)
    plan = _map(first.header, tasks, groups)
    _check(plan, first.header)
    plan.prepare()
    return plan


def _map(header: pb.MapHeader, tasks: list[pb.MapTask], groups: list[pb.MapGroup]) -> Map:
    # First: what follows keeps the specs as they go to the workers.
    canaries = {number: taken for number, task in enumerate(tasks) if (taken := take_canaries(task.spec))}
    return Map(
        plan_id=header.plan_id,
        idea=header.idea,
        digest=header.map_digest,
        task_ids=tuple(task.spec.task_id for task in tasks),
        group_ids=tuple(group.task_id for group in groups),
        parents=tuple(node.parent if node.HasField("parent") else NO_PARENT for node in _nodes(tasks, groups)),
        waits_for=tuple((*task.waits_for, *task.data_dependencies) for task in tasks),
        stages=tuple(task.stage for task in tasks),
        reads=tuple(tuple(task.spec.input.artifacts) for task in tasks),
        makes=tuple(task.spec.output.artifact for task in tasks),
        specs=tuple(task.spec.SerializeToString(deterministic=True) for task in tasks),
        budgets=dict(_budgets(tasks, groups)),
        canaries=canaries,
        terms={number: terms for number, task in enumerate(tasks) if (terms := terms_of(task.spec)) is not USUAL},
    )


def _budgets(tasks: list[pb.MapTask], groups: list[pb.MapGroup]) -> Iterator[tuple[int, Budget]]:
    for number, task in enumerate(tasks):
        if task.spec.HasField("budget"):
            yield number, budget_from_proto(task.spec.budget)
    for number, group in enumerate(groups, start=len(tasks)):
        if group.HasField("budget"):
            yield number, budget_from_proto(group.budget)


def _nodes(tasks: list[pb.MapTask], groups: list[pb.MapGroup]) -> Iterator[pb.MapTask | pb.MapGroup]:
    yield from tasks
    yield from groups


def _check(plan: Map, header: pb.MapHeader) -> None:
    found = (plan.task_count, len(plan.group_ids))
    if found != (header.task_count, header.group_count):
        said = (header.task_count, header.group_count)
        raise PlanInvalid(f"expected {said} tasks and groups, as the map's header says, but got {found}")
    nodes = len(plan.parents)
    for node, parent in enumerate(plan.parents):
        if parent != NO_PARENT and not plan.task_count <= parent < nodes:
            raise PlanInvalid(f"{plan.name(node)}: expected the number of a group as parent, but got {parent}")
    levels = _levels(plan)
    for task, waits in enumerate(plan.waits_for):
        for node in waits:
            if node >= nodes or levels[node] >= plan.stages[task]:
                raise PlanInvalid(f"{plan.name(task)}: expected to wait for an earlier stage, but it waits for {node}")


def _levels(plan: Map) -> list[int]:
    """Of each node: its stage; of a group the largest stage below it."""
    levels = [*plan.stages, *[0] * len(plan.group_ids)]
    for task, stage in enumerate(plan.stages):
        for group in plan.with_groups(task):
            if levels[group] >= stage and group != task:
                break
            levels[group] = stage
    return levels
