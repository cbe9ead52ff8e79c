"""The planner's MapParts, as the core's Map.

A planner's answer is checked whole when it is fetched (`fetched_map`). A map in a store was checked then, by this
version or an earlier one: reading it runs only the checks without which the core would hang or break.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from runner_svc.codec.canaries import take_canaries
from runner_svc.codec.fill import fill_spec, places_of
from runner_svc.codec.inputs import declared_from_proto
from runner_svc.codec.requirements import demands_of, requirements_of, with_files
from runner_svc.codec.settings import budget_from_proto, on_failure_from_proto
from runner_svc.codec.spec_parts import spec_parts
from runner_svc.core.model.map import NO_PARENT, Map
from runner_svc.core.model.requirements import USUAL
from runner_svc.core.model.values import Budget
from signoff.bounds import check, quoted
from signoff.errors import InvalidField, PlanInvalid
from signoff.plan.inputs import is_input_name
from signoff.plan.limits import MAX_INPUTS, MAX_NESTING
from signoff.schemas.numbers import exact_json
from signoff.v1 import plan_pb2 as pb

MOST_BYTES = 4 << 30  # of all parts: a plan has at most 1 GiB, and its map little more
MOST_PARTS = 1 << 20
MOST_WAITS = 50_000_000  # entries of all tasks: more would fill the memory, and no planner compiles them

_ORDER = {"header": 0, "groups": 1, "tasks": 1, "layout": 2}
_IN_ORDER = "the header first, then groups and tasks, then the layout"


def fetched_map(plan_id: str, parts: Sequence[pb.MapPart]) -> Map:
    """Reads a planner's answer. Raises PlanInvalid, with the place, for anything that a planner must not send."""
    for number, part in enumerate(parts):
        try:
            # guard: an answer of a planner is checked -> pass
            check(part, "parts", number)
        except InvalidField as wrong:
            raise PlanInvalid(str(wrong)) from None
    _check_parts(plan_id, parts)
    _check_declared(parts[0].header.inputs)
    plan = map_from_parts(parts)
    _check_names(plan)
    _check_nesting(plan)
    _check_waits(plan)
    _check_inputs(plan)
    return plan


def map_from_parts(parts: Iterable[pb.MapPart]) -> Map:
    """Reads a map and prepares it for executions; layout parts are passed over. Call it in a thread.

    Raises PlanInvalid when the parts do not make a map: another number of tasks or groups than the header says, a node
    number that does not exist, groups that are within each other, or a task that waits for a later stage.
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
    if makers := [number for number, task in enumerate(tasks) if task.spec.output.files]:
        plan = _with_files(plan, makers)
    plan.prepare()
    return plan


def _map(header: pb.MapHeader, tasks: list[pb.MapTask], groups: list[pb.MapGroup]) -> Map:
    # First: what follows keeps the specs as they go to the workers.
    canaries = {number: taken for number, task in enumerate(tasks) if (taken := take_canaries(task.spec))}
    return Map(
        plan_id=header.plan_id,
        idea=header.idea,
        digest=header.map_digest,
        on_failure=on_failure_from_proto(header.on_failure),
        task_ids=tuple(task.spec.task_id for task in tasks),
        group_ids=tuple(group.task_id for group in groups),
        parents=tuple(node.parent if node.HasField("parent") else NO_PARENT for node in _nodes(tasks, groups)),
        waits_for=tuple((*task.waits_for, *task.data_dependencies) for task in tasks),
        stages=tuple(task.stage for task in tasks),
        reads=tuple(tuple(task.spec.input.artifacts) for task in tasks),
        makes=tuple(task.spec.output.artifact for task in tasks),
        specs=tuple(task.spec.SerializeToString(deterministic=True) for task in tasks),
        with_dependencies=frozenset(n for n, task in enumerate(tasks) if task.spec.input.with_dependencies),
        budgets=dict(_budgets(tasks, groups)),
        canaries=canaries,
        demands=tuple(demands_of(task.spec) for task in tasks),
        read_parts=spec_parts,
        inputs=declared_from_proto(header.inputs),
        read_places=places_of,
        fill=fill_spec,
        requirements={
            number: own for number, task in enumerate(tasks) if (own := requirements_of(task.spec)) is not USUAL
        },
    )


def _with_files(plan: Map, makers: Sequence[int]) -> Map:
    """Returns the map, with what its tasks ask of workers that make or read results of several files."""
    names = {plan.makes[maker] for maker in makers if plan.makes[maker]}
    concerned = {*makers, *(task for task, read in enumerate(plan.reads) if not names.isdisjoint(read))}
    # guard (3 lines): who reads files can read them -> (removed)
    for maker in makers:
        for node in plan.with_groups(maker):
            concerned |= {task for task in plan.waiters[node] if plan.takes_all(task)}
    own = {task: with_files(plan.requirements_of(task)) for task in sorted(concerned)}
    return replace(plan, requirements={**plan.requirements, **own})


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
    depths_of_groups(plan)
    levels = _levels(plan)
    for task, waits in enumerate(plan.waits_for):
        for node in waits:
            if node >= nodes or levels[node] >= plan.stages[task]:
                raise PlanInvalid(f"{plan.name(task)}: expected to wait for an earlier stage, but it waits for {node}")


def _levels(plan: Map) -> list[int]:
    """Returns a level for each node: a task's stage; for a group, the largest stage below it.

    The tasks of the largest stage come first, so that each group is climbed to once.
    """
    levels = [*plan.stages, *[0] * len(plan.group_ids)]
    for task in sorted(range(plan.task_count), key=plan.stages.__getitem__, reverse=True):
        group = plan.parents[task]
        while group != NO_PARENT and not levels[group]:
            levels[group] = plan.stages[task]
            group = plan.parents[group]
    return levels


def depths_of_groups(plan: Map) -> list[int]:
    """Returns the depth of each group: 1 for one in no other. Raises PlanInvalid for groups within each other."""
    count = plan.task_count
    depths = [0] * len(plan.group_ids)  # 0: not known; -1: on the way up from it
    for start in range(len(depths)):
        path, group = [], start
        while group != NO_PARENT and not depths[group]:
            depths[group] = -1
            path.append(group)
            parent = plan.parents[count + group]
            group = parent - count if parent != NO_PARENT else NO_PARENT
        # guard: groups within each other -> if False:
        if group != NO_PARENT and depths[group] < 0:
            raise PlanInvalid(f"{quoted(plan.group_ids[group])}: expected groups above it, but it is above itself")
        depth = depths[group] if group != NO_PARENT else 0
        for number in reversed(path):
            depth += 1
            depths[number] = depth
    return depths


# ---------------------------------------------------------------- what a planner answered


def _check_parts(plan_id: str, parts: Sequence[pb.MapPart]) -> None:
    """Checks the order of the parts, and that the map is the plan's."""
    reached = -1
    for number, part in enumerate(parts):
        kind = part.WhichOneof("part")
        place = _ORDER.get(kind or "", -1)
        if place < reached or (place, reached) == (0, 0) or (reached < 0) != (kind == "header"):
            raise PlanInvalid(f"parts[{number}]: expected {_IN_ORDER}, but got {kind or 'an empty part'}")
        reached = place
    if not parts or parts[0].header.plan_id != plan_id:
        got = quoted(parts[0].header.plan_id) if parts else "nothing"
        raise PlanInvalid(f"parts[0].header.plan_id: expected {quoted(plan_id)}, but got {got}")


def _check_declared(inputs: Sequence[pb.PlanInput]) -> None:
    """Checks the inputs of a plan: their names and kinds, and that JSON is JSON."""
    seen = set[str]()
    for number, declared in enumerate(inputs):
        place = f"parts[0].header.inputs[{number}]"
        if not is_input_name(declared.name) or declared.name in seen:
            raise PlanInvalid(f"{place}.name: expected a name of its own, but got {quoted(declared.name)}")
        if not declared.kind or declared.kind not in pb.InputKind.values():
            raise PlanInvalid(f"{place}.kind: expected an InputKind, but got {declared.kind}")
        seen.add(declared.name)
        try:
            exact_json(declared.json or "null")
        except ValueError as error:
            raise PlanInvalid(f"{place}.json: expected JSON, but {error}") from None


def _check_names(plan: Map) -> None:
    """Checks that each task and each group has an id of its own, and that the map has a digest."""
    seen = {""}
    for name in (*plan.task_ids, *plan.group_ids):
        if name in seen:
            raise PlanInvalid(f"{quoted(name)}: expected an id of its own for each task and group, but got it again")
        seen.add(name)
    if made := plan.inputs.keys() & set(plan.makes):
        raise PlanInvalid(f"{quoted(min(made))}: expected no task to make an input of the plan, but one does")
    if not plan.digest:
        raise PlanInvalid("parts[0].header.map_digest: expected a SHA-256, but got nothing")


def _check_nesting(plan: Map) -> None:
    """Checks that groups nest within the limit, and that each has a task below it, which alone can open it."""
    for group, depth in enumerate(depths_of_groups(plan)):
        if depth > MAX_NESTING:
            name = quoted(plan.group_ids[group])
            raise PlanInvalid(f"{name}: expected at most {MAX_NESTING:,} groups in each other, but got more")
    for group, level in enumerate(_levels(plan)[plan.task_count :]):
        if not level:
            raise PlanInvalid(f"{quoted(plan.group_ids[group])}: expected a task below each group, but there is none")


def _check_waits(plan: Map) -> None:
    """Checks that no task waits for a node twice, and that all together wait for no more than the limit."""
    if sum(map(len, plan.waits_for)) > MOST_WAITS:
        raise PlanInvalid(f"expected tasks to wait for at most {MOST_WAITS:,} others in all, but got more")
    for task, waits in enumerate(plan.waits_for):
        if len(set(waits)) < len(waits):
            raise PlanInvalid(f"{plan.name(task)}: expected to wait for each task or group once, but one comes twice")


def _check_inputs(plan: Map) -> None:
    """Checks that no task receives more artifacts than one assignment can name."""
    for task, count in enumerate(plan.input_counts):
        if count > MAX_INPUTS and (count := plan.count_inputs(task)) > MAX_INPUTS:
            most = f"expected a task to receive at most {MAX_INPUTS:,} artifacts, but it receives {count:,}"
            raise PlanInvalid(f"{quoted(plan.name(task))}: {most}")
