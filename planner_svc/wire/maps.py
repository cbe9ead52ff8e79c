"""Conversion of execution maps and layouts to and from streams of MapPart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from planner_svc.execution_map import ExecutionMap, Group, natural_nodes
from planner_svc.graph.nesting import NONE, nest
from planner_svc.layout.drawn import Drawn, DrawnBox, DrawnEdge, DrawnNode
from planner_svc.layout.layout import Edge, Layout
from planner_svc.wire import protobuf as wire
from planner_svc.wire.encoding import Encoded
from planner_svc.wire.layouts import layout_to_bytes
from planner_svc.wire.plan import budget_from_proto, input_from_proto, on_failure_from_proto, spec_from_proto
from signoff.v1 import plan_pb2


def map_to_bytes(execution_map: ExecutionMap, encoded: Encoded, layout: Layout | None = None) -> Iterator[bytes]:
    """Yields serialized MapParts in the order that plan.proto promises: the map first, then its layout."""
    yield plan_pb2.MapPart(header=encoded.header).SerializeToString()
    for groups in wire.runs(wire.delimited(_GROUPS, group) for group in encoded.groups):
        yield wire.delimited(_PART_GROUPS, groups)
    for tasks in wire.runs(wire.delimited(_TASKS, task) for task in encoded.tasks):
        yield wire.delimited(_PART_TASKS, tasks)
    for part in layout_to_bytes(execution_map, layout) if layout is not None else ():
        yield wire.delimited(_PART_LAYOUT, part)


_PART_GROUPS, _PART_TASKS, _PART_LAYOUT = map(wire.tag, (2, 3, 4))  # fields of MapPart
_GROUPS = _TASKS = wire.tag(1)  # MapGroups.groups, MapTasks.tasks


def map_from_proto(parts: Iterable[plan_pb2.MapPart]) -> tuple[ExecutionMap, Layout | None]:
    """Returns the map, and its layout if the stream has one. Raises ValueError when the stream is not a whole map."""
    header, groups, tasks, layout = _collect(parts)
    if (len(tasks), len(groups)) != (header.task_count, header.group_count):
        got = f"{len(tasks):,} tasks and {len(groups):,} groups"
        raise ValueError(f"expected {header.task_count:,} tasks and {header.group_count:,} groups, but got {got}")
    nodes: list[plan_pb2.MapTask | plan_pb2.MapGroup] = [*tasks, *groups]
    parents = [node.parent if node.HasField("parent") else NONE for node in nodes]
    specs = [spec_from_proto(task.spec) for task in tasks]
    named = [
        Group(group.task_id, group.description, budget_from_proto(group.budget) if group.HasField("budget") else None)
        for group in groups
    ]
    execution_map = ExecutionMap(
        plan_id=header.plan_id,
        idea=header.idea,
        on_failure=on_failure_from_proto(header.on_failure),
        inputs=[input_from_proto(declared) for declared in header.inputs],
        digest=header.map_digest,
        inferred=header.inferred,
        stage_count=header.stage_count,
        tasks=specs,
        groups=named,
        nesting=nest(len(specs), parents, natural_nodes(specs, named)),
        stages=[task.stage for task in tasks],
        waits_for=[tuple(task.waits_for) for task in tasks],
        data_dependencies=[tuple(task.data_dependencies) for task in tasks],
    )
    return execution_map, _layout_from_proto(execution_map, layout)


def _collect(
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
        drawn=_drawn_from_proto(number, part) if part.drawn_nodes else None,
    )


def _drawn_from_proto(number: Mapping[str, int], part: plan_pb2.LayoutPart) -> Drawn:
    tasks = sorted(((number[node.task_id], node) for node in part.nodes if node.atomic), key=lambda task: task[0])
    return Drawn(
        nodes=[DrawnNode(number[node.task_id], node.task_count, node.row) for node in part.drawn_nodes],
        node_of=[node.drawn_node for _, node in tasks],
        task_rows=[node.task_row for _, node in tasks],
        edges=[DrawnEdge(number[edge.from_id], number[edge.to_id], edge.data, edge.long) for edge in part.drawn_edges],
        boxes=[_box_from_proto(number, box) for box in part.drawn_boxes],
    )


def _box_from_proto(number: Mapping[str, int], box: plan_pb2.DrawnBox) -> DrawnBox:
    return DrawnBox(
        group=number[box.group_id],
        first_column=box.first_column,
        last_column=box.last_column,
        first_row=box.first_row,
        last_row=box.last_row,
        first_task_row=box.first_task_row,
        last_task_row=box.last_task_row,
    )
