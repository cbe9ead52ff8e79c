"""The drawn graph of a plan as the forms need it: nodes by stage and row, groups, and what each waits for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from signoff.v1 import plan_pb2


class Task(NamedTuple):
    """An atomic task."""

    task_id: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A task, or a class of equal ones."""

    tasks: Sequence[Task]
    stage: int
    row: int
    group_id: str  #: empty at the top

    @property
    def task_id(self) -> str:
        """The id of its first task, by which edges name it."""
        return self.tasks[0].task_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group, around nodes and other groups."""

    group_id: str
    description: str
    parent_id: str  #: empty at the top
    first_stage: int
    last_stage: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """An edge: a node or group waits for another one."""

    source_id: str
    target_id: str
    is_inferred: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A plan, drawn."""

    plan_id: str
    idea: str
    task_count: int
    stage_count: int
    nodes: Sequence[Node]  #: by stage, then row
    groups: Mapping[str, Group]  #: by id, groups before those in them
    waits: Sequence[Wait]

    def groups_around(self, group_id: str) -> list[Group]:
        """Returns a group and those around it, the outermost first; none for the empty id."""
        around = []
        while group_id:
            around.append(self.groups[group_id])
            group_id = around[-1].parent_id
        return around[::-1]


def picture_from_proto(header: plan_pb2.MapHeader, layout: plan_pb2.LayoutPart, *, classes: bool) -> Picture:
    """Reads a layout that has a drawn graph. Without `classes`, each task is a node, with the edges of the tree."""
    nodes = _class_nodes(layout) if classes else _task_nodes(layout)
    edges: Iterable[plan_pb2.DrawnEdge | plan_pb2.TreeEdge] = layout.drawn_edges if classes else layout.edges
    return Picture(
        plan_id=header.plan_id,
        idea=header.idea,
        task_count=header.task_count,
        stage_count=header.stage_count,
        nodes=sorted(nodes, key=lambda node: (node.stage, node.row)),
        groups=_groups(layout),
        waits=[Wait(source_id=edge.from_id, target_id=edge.to_id, is_inferred=edge.data) for edge in edges],
    )


def _class_nodes(layout: plan_pb2.LayoutPart) -> list[Node]:
    members: list[list[plan_pb2.TreeNode]] = [[] for _ in layout.drawn_nodes]
    for node in layout.nodes:
        if node.atomic:
            members[node.drawn_node].append(node)
    return [_node(tasks, drawn.row) for drawn, tasks in zip(layout.drawn_nodes, members, strict=True)]


def _task_nodes(layout: plan_pb2.LayoutPart) -> list[Node]:
    return [_node([node], node.task_row) for node in layout.nodes if node.atomic]


def _node(tasks: Sequence[plan_pb2.TreeNode], row: int) -> Node:
    return Node(
        tasks=[Task(task.task_id, task.description) for task in tasks],
        stage=tasks[0].stage,
        row=row,
        group_id=tasks[0].parent_id,
    )


def _groups(layout: plan_pb2.LayoutPart) -> dict[str, Group]:
    boxes = {box.group_id: box for box in layout.drawn_boxes}
    return {
        node.task_id: Group(
            group_id=node.task_id,
            description=node.description,
            parent_id=node.parent_id,
            first_stage=boxes[node.task_id].first_column,
            last_stage=boxes[node.task_id].last_column,
        )
        for node in layout.nodes
        if not node.atomic
    }
