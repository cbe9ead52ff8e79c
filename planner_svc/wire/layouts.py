"""The layout of a map as bytes of plan.proto."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner_svc.execution_map import ExecutionMap
from planner_svc.graph.nesting import NONE
from planner_svc.layout.drawn import Drawn
from planner_svc.layout.layout import Layout
from planner_svc.wire import protobuf as wire

_1, _2, _3, _4, _5, _6, _7 = map(wire.tag, range(1, 8))  # fields that have a length, by their numbers in plan.proto
_COLUMN, _ROW = b"\x10", b"\x18"  # GridCell, fields 2 and 3: numbers
_ATOMIC, _STAGE = b"\x18\x01", b"\x20"  # TreeNode.atomic, set; TreeNode.stage, a number
_DATA = b"\x18\x01"  # TreeEdge.data and DrawnEdge.data, set
_LONG = b"\x20\x01"  # DrawnEdge.long, set


def layout_to_bytes(execution_map: ExecutionMap, layout: Layout) -> Iterator[bytes]:
    """Yields the layout in pieces, each a serialized LayoutPart."""
    names = [name.encode() for name in execution_map.names()]
    own = [wire.delimited(_1, name) for name in names]  # every message here begins with an id
    yield from wire.runs(_cells(execution_map, layout, own))
    yield from wire.runs(wire.delimited(_2, names[task]) for task in layout.isolated)
    yield from wire.runs(_nodes(execution_map, layout, own))
    yield from wire.runs(_edges(layout, own))
    if layout.drawn is not None:
        yield from wire.runs(_drawn_nodes(execution_map, layout.drawn, own))
        yield from wire.runs(_drawn_edges(layout.drawn, own))
        yield from wire.runs(_drawn_boxes(layout.drawn, own))


def _cells(execution_map: ExecutionMap, layout: Layout, own: Sequence[bytes]) -> Iterator[bytes]:
    stages = [_COLUMN + wire.varint(stage) for stage in range(execution_map.stage_count + 1)]
    for task, row in enumerate(layout.rows):
        if row != NONE:
            place = stages[execution_map.stages[task]] + (_ROW + wire.varint(row) if row else b"")
            yield wire.delimited(_1, own[task] + place)


def _nodes(execution_map: ExecutionMap, layout: Layout, own: Sequence[bytes]) -> Iterator[bytes]:
    tasks, groups, parents = execution_map.tasks, execution_map.groups, execution_map.parents
    count = len(tasks)
    for node in layout.top_down:
        atomic = node < count
        description = tasks[node].description if atomic else groups[node - count].description
        head = own[node] if parents[node] == NONE else own[node] + _second(own[parents[node]])
        place = (_ATOMIC if atomic else b"") + _STAGE + wire.varint(layout.first_stages[node])
        drawn = _drawn_place(layout.drawn, node) if atomic and layout.drawn is not None else b""
        yield wire.delimited(_3, head + place + wire.text(_5, description) + drawn)


def _drawn_place(drawn: Drawn, task: int) -> bytes:
    return _number(6, drawn.node_of[task]) + _number(7, drawn.task_rows[task])


def _edges(layout: Layout, own: Sequence[bytes]) -> Iterator[bytes]:
    for source, target, data in layout.edges:
        yield wire.delimited(_4, own[source] + _second(own[target]) + (_DATA if data else b""))


def _drawn_nodes(execution_map: ExecutionMap, drawn: Drawn, own: Sequence[bytes]) -> Iterator[bytes]:
    for task, size, row in drawn.nodes:
        place = _number(2, size) + _number(3, execution_map.stages[task]) + _number(4, row)
        yield wire.delimited(_5, own[task] + place)


def _drawn_edges(drawn: Drawn, own: Sequence[bytes]) -> Iterator[bytes]:
    for source, target, data, is_long in drawn.edges:
        flags = (_DATA if data else b"") + (_LONG if is_long else b"")
        yield wire.delimited(_6, own[source] + _second(own[target]) + flags)


def _drawn_boxes(drawn: Drawn, own: Sequence[bytes]) -> Iterator[bytes]:
    for group, *places in drawn.boxes:
        yield wire.delimited(_7, own[group] + b"".join(map(_number, range(2, 8), places)))


def _number(field: int, value: int) -> bytes:
    """Encodes a number of a field below 16; nothing for 0, the default."""
    return bytes((field << 3,)) + wire.varint(value) if value else b""


def _second(name: bytes) -> bytes:
    """Returns an id that was encoded as the first field, encoded as the second field."""
    return _2 + name[1:]
