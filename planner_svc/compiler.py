"""The compiler: bytes of plan.json in, an execution map and diagnostics out. No files, no sockets, no clock.

    parse -> rules over the tree -> graph -> stages (or the cycles) -> artifacts -> map

Each step reports all problems it finds and hands on what is sound, so that one compile shows all problems.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

from planner_svc.diagnostics import Diagnostic, Diagnostics
from planner_svc.execution_map import ExecutionMap, Group
from planner_svc.graph import rules
from planner_svc.graph.artifacts import (
    find_readings,
    inferred_edges,
    not_waited_for,
    report_missing,
    report_too_many,
    with_inputs_instead,
)
from planner_svc.graph.cycles import report_cycles
from planner_svc.graph.graph import (
    NO_DATA,
    DataEdges,
    Graph,
    Levels,
    build_graph,
    compute_levels,
    natural_nesting,
    waits_for,
)
from planner_svc.graph.nesting import Nesting
from planner_svc.graph.plan_inputs import check_inputs
from planner_svc.graph.tree import Tree, build_tree
from planner_svc.model import Plan, Task
from planner_svc.read.parse import parse_plan
from planner_svc.wire.encoding import Encoded, encode

MAX_WAITS = 50_000_000  # entries of all tasks: a map takes memory and bytes on the wire for each
MAX_TASK_WAITS = 200_000  # entries of one task: with its texts they must fit in one frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """The outcome of compiling a plan."""

    diagnostics: tuple[Diagnostic, ...]
    map: ExecutionMap | None  #: None when one of the diagnostics is an error
    encoded: Encoded | None = None  #: the map as it is digested, stored and sent
    direct: Sequence[Sequence[int]] = ()  #: the nodes that each node of the map itself waits for

    @property
    def ok(self) -> bool:
        return self.map is not None


def compile_plan(data: bytes, *, plan_id: str = "", infer: bool = True) -> Compiled:
    """Compiles plan.json. The result depends on the arguments alone, and no plan makes it raise.

    `infer`: a producer that a task reads from, but does not wait for, is added as a data dependency.
    """
    diagnostics = Diagnostics()
    try:
        return _compile(data, plan_id, infer, diagnostics)
    except TOO_LARGE as error:
        diagnostics.add("too-large", f"plan.json: {too_large(error)}")
        return Compiled(diagnostics=diagnostics.in_order(), map=None)


TOO_LARGE = (MemoryError, RecursionError, OverflowError)  # raised by plans that no other bound has refused


def too_large(error: Exception) -> str:
    """Returns the message for one of `TOO_LARGE`."""
    reasons = {
        MemoryError: "it takes more memory than there is for it",
        RecursionError: "something in it is nested too deeply",
        OverflowError: "a number in it is too large",
    }
    reason = next(reason for kind, reason in reasons.items() if isinstance(error, kind))
    return f"expected a plan that can be compiled here, but {reason}"


def _compile(data: bytes, plan_id: str, infer: bool, diagnostics: Diagnostics) -> Compiled:
    plan = parse_plan(data, diagnostics)
    if plan is None:
        return Compiled(diagnostics=diagnostics.in_order(), map=None)
    tree, dependencies = _check_tree(plan, diagnostics)
    if diagnostics.has("nested-too-deep"):  # the next steps may take the square of the depth
        return Compiled(diagnostics=diagnostics.in_order(), map=None)
    built_graph = build_graph(tree, dependencies, MAX_WAITS)
    if built_graph is None:
        _report_waits(diagnostics)
        return Compiled(diagnostics=diagnostics.in_order(), map=None)
    graph, nodes = built_graph
    node_tasks = [tree.tasks[task] for task in nodes]
    check_inputs(plan, node_tasks[: graph.nesting.task_count], diagnostics)
    waiting = _find_waiting(graph, node_tasks, infer, diagnostics, {declared.name for declared in plan.inputs})
    if waiting is None or diagnostics.has_errors:
        return Compiled(diagnostics=diagnostics.in_order(), map=None)
    built = _build_map(plan, node_tasks, natural_nesting(graph, tree, nodes), waiting)
    built = replace(built, plan_id=plan_id, inferred=infer)
    encoded = encode(built)
    built = replace(built, digest=encoded.header.map_digest)
    return Compiled(diagnostics=diagnostics.in_order(), map=built, encoded=encoded, direct=graph.direct)


def _check_tree(plan: Plan, diagnostics: Diagnostics) -> tuple[Tree, list[tuple[int, ...]]]:
    by_id = rules.usable_tasks(plan, diagnostics)
    tasks, index = tuple(by_id.values()), {task_id: n for n, task_id in enumerate(by_id)}
    parents = rules.break_parent_cycles(tasks, rules.find_parents(tasks, index, diagnostics), diagnostics)
    tree = build_tree(tasks, index, parents)
    dependencies = rules.resolve_dependencies(tree, diagnostics)
    rules.check_nesting(tree, diagnostics)
    rules.check_leaves(tree, diagnostics)
    rules.check_some_atomic(tree, diagnostics)
    rules.check_criteria(tree, diagnostics)
    rules.check_seen_files(tree, diagnostics)
    return tree, dependencies


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """The dependencies of all tasks, the stages that follow from them, and the tasks with the inputs they can have."""

    waits_for: Sequence[Sequence[int]]
    data: DataEdges
    levels: Levels
    tasks: Sequence[Task]


def _find_waiting(
    graph: Graph, node_tasks: Sequence[Task], infer: bool, diagnostics: Diagnostics, given: Set[str]
) -> _Waiting | None:
    """Finds what each task waits for. Returns None after reporting a cycle, or too many dependencies.

    `given`: the names of the plan's inputs, which no task makes.
    """
    count = graph.nesting.task_count
    readings = find_readings(graph, node_tasks[:count], diagnostics, given=given)
    levels = compute_levels(graph)
    if not levels.acyclic:
        report_cycles(graph, levels, [task.task_id for task in node_tasks], diagnostics)
        return None
    waits = waits_for(graph, MAX_WAITS)
    if waits is None:
        _report_waits(diagnostics)
        return None
    missing = not_waited_for(graph, levels, waits, readings.found)
    data, refused = inferred_edges(graph, missing) if infer else (NO_DATA, [])
    report_missing(node_tasks, missing, refused, infer, diagnostics)
    del waits[count:]  # those of groups: their tasks have inherited them
    _check_each_task(node_tasks, waits, data, diagnostics)
    # guard: a task whose artifacts no task makes gets those of its dependencies -> tasks = node_tasks[:count]
    tasks = with_inputs_instead(node_tasks[:count], readings) if readings.unmade else node_tasks[:count]
    report_too_many(graph, tasks, waits, data, diagnostics)
    return _Waiting(waits_for=waits, data=data, levels=compute_levels(graph, data) if data else levels, tasks=tasks)


def _report_waits(diagnostics: Diagnostics) -> None:
    message = f"with what is inherited, tasks would wait for more than {MAX_WAITS:,} others in all: use groups"
    diagnostics.add("too-many-dependencies", message, path="tasks")


def _check_each_task(
    node_tasks: Sequence[Task], waits: Sequence[Sequence[int]], data: DataEdges, diagnostics: Diagnostics
) -> None:
    """too-many-dependencies: a task with its dependencies must fit in one message."""
    for node, waited in enumerate(waits):
        count = len(waited) + len(data.get(node, ()))
        if count > MAX_TASK_WAITS:
            task = node_tasks[node]
            message = f"{task.task_id} waits for {count:,} others, more than {MAX_TASK_WAITS:,}: use groups"
            path = f"tasks[{task.position}].dependencies"
            diagnostics.add(
                "too-many-dependencies", message, task_ids=[task.task_id], path=path, position=task.position
            )


def _build_map(plan: Plan, node_tasks: Sequence[Task], nesting: Nesting, waiting: _Waiting) -> ExecutionMap:
    """Builds the map, still without its id, its digest, and whether producers were inferred."""
    count = nesting.task_count
    return ExecutionMap(
        plan_id="",
        idea=plan.idea,
        on_failure=plan.on_failure,
        inputs=plan.inputs,
        digest="",
        inferred=False,
        stage_count=waiting.levels.stage_count,
        tasks=waiting.tasks,
        groups=[Group(task.task_id, task.description, task.budget) for task in node_tasks[count:]],
        nesting=nesting,
        stages=waiting.levels.ends[:count],
        waits_for=waiting.waits_for,
        data_dependencies=[waiting.data.get(task, ()) for task in range(count)],
    )
