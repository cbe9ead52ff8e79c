"""Execution maps and layouts as streams of MapPart, both ways, and the digest of a map."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from planner_svc.codec import spec_from_proto, spec_to_proto
from planner_svc.executionmap import ExecutionMap, Group
from planner_svc.layout import Edge, Layout
from planner_svc.nesting import NONE
from signoff.frames import runs
from signoff.v1 import plan_pb2


def map_digest(execution_map: ExecutionMap) -> str:
    """SHA-256 in hex over the header, the groups and the tasks, each with its length before it.

    How the map is cut into messages does not matter, nor does its plan id: the same work has the same digest anywhere.
    """
    digest = hashlib.sha256()
    header = _header_to_proto(execution_map)
    header.plan_id = header.map_digest = ""
    for message in (header, *_groups_to_proto(execution_map), *_tasks_to_proto(execution_map)):
        data = message.SerializeToString(deterministic=True)
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()


def map_to_proto(execution_map: ExecutionMap, layout: Layout | None = None) -> Iterator[plan_pb2.MapPart]:
    """The messages of a map in the order plan.proto promises, then those of its layout."""
    yield plan_pb2.MapPart(header=_header_to_proto(execution_map))
    for groups in runs(_groups_to_proto(execution_map)):
        yield plan_pb2.MapPart(groups=plan_pb2.MapGroups(groups=groups))
    for tasks in runs(_tasks_to_proto(execution_map)):
        yield plan_pb2.MapPart(tasks=plan_pb2.MapTasks(tasks=tasks))
    for part in _layout_to_proto(execution_map, layout) if layout is not None else ():
        yield plan_pb2.MapPart(layout=part)


def map_from_proto(parts: Iterable[plan_pb2.MapPart]) -> tuple[ExecutionMap, Layout | None]:
    """The map, and its layout when the stream has one. Raises ValueError when the stream is not a whole map."""
    header, groups, tasks, layout = _gathered(parts)
    if (len(tasks), len(groups)) != (header.task_count, header.group_count):
        got = f"{len(tasks):,} tasks and {len(groups):,} groups"
        raise ValueError(f"expected {header.task_count:,} tasks and {header.group_count:,} groups, but got {got}")
    nodes: list[plan_pb2.MapTask | plan_pb2.MapGroup] = [*tasks, *groups]
    execution_map = ExecutionMap(
        plan_id=header.plan_id,
        idea=header.idea,
        digest=header.map_digest,
        inferred=header.inferred,
        stage_count=header.stage_count,
        tasks=[spec_from_proto(task.spec) for task in tasks],
        groups=[Group(task_id=group.task_id, description=group.description) for group in groups],
        parents=[node.parent if node.HasField("parent") else NONE for node in nodes],
        stages=[task.stage for task in tasks],
        waits_for=[tuple(task.waits_for) for task in tasks],
        data_dependencies=[tuple(task.data_dependencies) for task in tasks],
    )
    return execution_map, _layout_from_proto(execution_map, layout)


def _gathered(
    parts: Iterable[plan_pb2.MapPart],
) -> tuple[plan_pb2.MapHeader, list[plan_pb2.MapGroup], list[plan_pb2.MapTask], plan_pb2.LayoutPart]:
    header = None
    groups: list[plan_pb2.MapGroup] = []
    tasks: list[plan_pb2.MapTask] = []
    layout = plan_pb2.LayoutPart()
    for part in parts:
        if part.HasField("header"):
            header = part.header
        groups.extend(part.groups.groups)
        tasks.extend(part.tasks.tasks)
        layout.MergeFrom(part.layout)
    if header is None:
        raise ValueError("expected a stream that begins with a header, but got none")
    return header, groups, tasks, layout


def _header_to_proto(execution_map: ExecutionMap) -> plan_pb2.MapHeader:
    return plan_pb2.MapHeader(
        plan_id=execution_map.plan_id,
        idea=execution_map.idea,
        map_digest=execution_map.digest,
        task_count=len(execution_map.tasks),
        group_count=len(execution_map.groups),
        stage_count=execution_map.stage_count,
        inferred=execution_map.inferred,
    )


def _groups_to_proto(execution_map: ExecutionMap) -> Iterator[plan_pb2.MapGroup]:
    parents = execution_map.parents[len(execution_map.tasks) :]
    for group, parent in zip(execution_map.groups, parents, strict=True):
        yield plan_pb2.MapGroup(
            task_id=group.task_id, description=group.description, parent=None if parent == NONE else parent
        )


def _tasks_to_proto(execution_map: ExecutionMap) -> Iterator[plan_pb2.MapTask]:
    for node, task in enumerate(execution_map.tasks):
        parent = execution_map.parents[node]
        yield plan_pb2.MapTask(
            spec=spec_to_proto(task),
            stage=execution_map.stages[node],
            parent=None if parent == NONE else parent,
            waits_for=execution_map.waits_for[node],
            data_dependencies=execution_map.data_dependencies[node],
        )


# ---------------------------------------------------------------- layout


def _layout_to_proto(execution_map: ExecutionMap, layout: Layout) -> Iterator[plan_pb2.LayoutPart]:
    for cells in runs(_cells_to_proto(execution_map, layout)):
        yield plan_pb2.LayoutPart(cells=cells)
    isolated = layout.isolated
    for first in range(0, len(isolated), _IDS_A_PART):
        names = [execution_map.name(task) for task in isolated[first : first + _IDS_A_PART]]
        yield plan_pb2.LayoutPart(isolated_task_ids=names)
    for nodes in runs(_nodes_to_proto(execution_map, layout)):
        yield plan_pb2.LayoutPart(nodes=nodes)
    for edges in runs(_edges_to_proto(execution_map, layout.edges)):
        yield plan_pb2.LayoutPart(edges=edges)


_IDS_A_PART = 8_000  # of at most 128 characters each: about a MiB


def _cells_to_proto(execution_map: ExecutionMap, layout: Layout) -> Iterator[plan_pb2.GridCell]:
    for task, row in enumerate(layout.rows):
        if row != NONE:
            column = execution_map.stages[task]
            yield plan_pb2.GridCell(task_id=execution_map.name(task), column=column, row=row)


def _nodes_to_proto(execution_map: ExecutionMap, layout: Layout) -> Iterator[plan_pb2.TreeNode]:
    count = len(execution_map.tasks)
    for node in layout.top_down:
        parent = execution_map.parents[node]
        described = execution_map.tasks[node] if node < count else execution_map.groups[node - count]
        yield plan_pb2.TreeNode(
            task_id=described.task_id,
            parent_id="" if parent == NONE else execution_map.name(parent),
            atomic=node < count,
            stage=layout.first_stages[node],
            description=described.description,
        )


def _edges_to_proto(execution_map: ExecutionMap, edges: Sequence[Edge]) -> Iterator[plan_pb2.TreeEdge]:
    for edge in edges:
        source, target = execution_map.name(edge.source), execution_map.name(edge.target)
        yield plan_pb2.TreeEdge(from_id=source, to_id=target, data=edge.data)


def _layout_from_proto(execution_map: ExecutionMap, part: plan_pb2.LayoutPart) -> Layout | None:
    if not part.nodes:
        return None
    number = {execution_map.name(node): node for node in range(len(execution_map.parents))}
    rows = [NONE] * len(execution_map.tasks)
    for cell in part.cells:
        rows[number[cell.task_id]] = cell.row
    first_stages = [0] * len(number)
    for node in part.nodes:
        first_stages[number[node.task_id]] = node.stage
    return Layout(
        rows=rows,
        top_down=[number[node.task_id] for node in part.nodes],
        first_stages=first_stages,
        edges=[Edge(source=number[edge.from_id], target=number[edge.to_id], data=edge.data) for edge in part.edges],
    )
