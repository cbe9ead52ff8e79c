"""The compiler: the bytes of plan.json in, an execution map and diagnostics out. No files, no sockets, no clock.

    parse -> rules over the tree -> graph -> stages (or the cycles) -> artifacts -> map

Each step reports all problems it finds and hands on what is sound, so that one look shows them all.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from planner_svc.graph.graph import NO_DATA, DataEdges, Graph, Levels, build_graph, levels, natural_nesting, waits_for
from planner_svc.graph.nesting import Nesting
from planner_svc.graph.tree import Tree, build_tree
from planner_svc.model import Plan, Task
from planner_svc.read.parse import parse_plan
from planner_svc.wire.encoding import Encoded, encode

MAX_WAITS = 50_000_000  # entries of all tasks: they are what a map costs in memory and on the wire
MAX_TASK_WAITS = 200_000  # entries of one task: with its texts they must fit in one frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """What became of a plan."""

    diagnostics: tuple[Diagnostic, ...]
    map: ExecutionMap | None  #: None when one of the diagnostics is an error
    encoded: Encoded | None = None  #: the map as it is digested, stored and sent
    own: Sequence[Sequence[int]] = ()  #: what each node of the map waits for itself, for the layout's edges

    @property
    def ok(self) -> bool:
        return self.map is not None


def compile_plan(data: bytes, *, plan_id: str = "", infer: bool = True) -> Compiled:
    """Compiles plan.json. Never raises for what the plan contains; deterministic.

    `infer` adds the producers that a task reads from but does not wait for as data dependencies.
    """
    report = Diagnostics()
    try:
        return _compiled(data, plan_id, infer, report)
    except TOO_LARGE as error:
        report.add("too-large", f"plan.json: {too_large(error)}")
        return Compiled(diagnostics=report.diagnostics(), map=None)


TOO_LARGE = (MemoryError, RecursionError, OverflowError)  # what no bound has foreseen


def too_large(error: Exception) -> str:
    """Returns what one of `TOO_LARGE` says of a plan."""
    reasons = {
        MemoryError: "it takes more memory than there is for it",
        RecursionError: "something in it is nested too deeply",
        OverflowError: "a number in it is too large",
    }
    reason = next(reason for kind, reason in reasons.items() if isinstance(error, kind))
    return f"expected a plan that can be compiled here, but {reason}"


def _compiled(data: bytes, plan_id: str, infer: bool, report: Diagnostics) -> Compiled:
    plan = parse_plan(data, report)
    if plan is None:
        return Compiled(diagnostics=report.diagnostics(), map=None)
    tree, dependencies = _checked_tree(plan, report)
    if report.has("nested-too-deep"):  # what follows may take the square of the depth
        return Compiled(diagnostics=report.diagnostics(), map=None)
    built_graph = build_graph(tree, dependencies, MAX_WAITS)
    if built_graph is None:
        _report_waits(report)
        return Compiled(diagnostics=report.diagnostics(), map=None)
    graph, nodes = built_graph
    named = [tree.tasks[task] for task in nodes]
    waiting = _waiting(graph, named, infer, report)
    if waiting is None or report.has_errors:
        return Compiled(diagnostics=report.diagnostics(), map=None)
    built = _map(plan, named, natural_nesting(graph, tree, nodes), waiting)
    built = replace(built, plan_id=plan_id, inferred=infer)
    encoded = encode(built)
    built = replace(built, digest=encoded.header.map_digest)
    return Compiled(diagnostics=report.diagnostics(), map=built, encoded=encoded, own=graph.own)


def _checked_tree(plan: Plan, report: Diagnostics) -> tuple[Tree, list[tuple[int, ...]]]:
    by_id = rules.usable_tasks(plan, report)
    tasks, index = tuple(by_id.values()), {task_id: n for n, task_id in enumerate(by_id)}
    parents = rules.break_parent_cycles(tasks, rules.find_parents(tasks, index, report), report)
    tree = build_tree(tasks, index, parents)
    dependencies = rules.resolve_dependencies(tree, report)
    rules.check_nesting(tree, report)
    rules.check_leaves(tree, report)
    rules.check_some_atomic(tree, report)
    rules.check_criteria(tree, report)
    return tree, dependencies


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """What each task waits for, the stages that follow from it, and the tasks with the inputs they can have."""

    waits_for: Sequence[Sequence[int]]
    data: DataEdges
    flow: Levels
    tasks: Sequence[Task]


def _waiting(graph: Graph, named: Sequence[Task], infer: bool, report: Diagnostics) -> _Waiting | None:
    """None when there is no order to run the tasks in, or too much to wait for; both are reported."""
    count = graph.nesting.task_count
    readings = find_readings(graph, named[:count], report)
    flow = levels(graph)
    if not flow.acyclic:
        report_cycles(graph, flow, [task.task_id for task in named], report)
        return None
    waits = waits_for(graph, MAX_WAITS)
    if waits is None:
        _report_waits(report)
        return None
    missing = not_waited_for(graph, flow, waits, readings.found)
    data, refused = inferred_edges(graph, missing) if infer else (NO_DATA, [])
    report_missing(named, missing, refused, infer, report)
    del waits[count:]  # what groups wait for, their tasks have inherited
    _check_each_task(named, waits, data, report)
    # guard: a task whose artifacts no task makes gets those of its dependencies -> tasks = named[:count]
    tasks = with_inputs_instead(named[:count], readings) if readings.unmade else named[:count]
    report_too_many(graph, tasks, waits, data, report)
    return _Waiting(waits_for=waits, data=data, flow=levels(graph, data) if data else flow, tasks=tasks)


def _report_waits(report: Diagnostics) -> None:
    message = f"with what is inherited, tasks would wait for more than {MAX_WAITS:,} others in all: use groups"
    report.add("too-many-dependencies", message, path="tasks")


def _check_each_task(
    named: Sequence[Task], waits: Sequence[Sequence[int]], data: DataEdges, report: Diagnostics
) -> None:
    """too-many-dependencies: a task travels in one message."""
    for node, waited in enumerate(waits):
        count = len(waited) + len(data.get(node, ()))
        if count > MAX_TASK_WAITS:
            task = named[node]
            message = f"{task.task_id} waits for {count:,} others, more than {MAX_TASK_WAITS:,}: use groups"
            path = f"tasks[{task.position}].dependencies"
            report.add("too-many-dependencies", message, task_ids=[task.task_id], path=path, position=task.position)


def _map(plan: Plan, named: Sequence[Task], nesting: Nesting, waiting: _Waiting) -> ExecutionMap:
    """The map without what the plan does not say: its id, whether producers were inferred, its digest."""
    count = nesting.task_count
    return ExecutionMap(
        plan_id="",
        idea=plan.idea,
        on_failure=plan.on_failure,
        digest="",
        inferred=False,
        stage_count=waiting.flow.stage_count,
        tasks=waiting.tasks,
        groups=[Group(task.task_id, task.description, task.budget) for task in named[count:]],
        nesting=nesting,
        stages=waiting.flow.ends[:count],
        waits_for=waiting.waits_for,
        data_dependencies=[waiting.data.get(task, ()) for task in range(count)],
    )
