"""The groups and tasks of a map as bytes of plan.proto: encoded once, then digested, stored and sent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from planner_svc.execution_map import ExecutionMap, Group
from planner_svc.graph.nesting import NONE
from planner_svc.model import Budget, Task, TaskInput, TaskOutput
from planner_svc.wire import protobuf as wire
from planner_svc.wire.plan import (
    budget_to_proto,
    executor_to_proto,
    input_to_proto,
    on_failure_to_proto,
    validation_to_proto,
)
from signoff.v1 import plan_pb2

_1, _2, _3, _4, _5, _6, _7 = map(wire.tag, range(1, 8))  # fields that have a length, by their numbers in plan.proto
_STAGE = b"\x10"  # MapTask.stage: field 2, a number
_PARENT = b"\x18"  # MapGroup.parent and MapTask.parent: field 3, a number
_WITH_DEPENDENCIES = b"\x20\x01"  # TaskInput.with_dependencies: field 4, true
_ON_FAILURE = b"\x40"  # TaskSpec.on_failure: field 8, a number


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """The messages of a map, serialized."""

    header: plan_pb2.MapHeader
    groups: Sequence[bytes]  #: each a MapGroup
    tasks: Sequence[bytes]  #: each a MapTask


def encode(execution_map: ExecutionMap) -> Encoded:
    """Encodes a map, and computes the digest in its header."""
    header = header_to_proto(execution_map)
    groups, tasks = list(_groups(execution_map)), list(_tasks(execution_map))
    header.map_digest = _digest(header, groups, tasks)
    return Encoded(header=header, groups=groups, tasks=tasks)


def header_to_proto(execution_map: ExecutionMap) -> plan_pb2.MapHeader:
    return plan_pb2.MapHeader(
        plan_id=execution_map.plan_id,
        idea=execution_map.idea,
        map_digest=execution_map.digest,
        task_count=len(execution_map.tasks),
        group_count=len(execution_map.groups),
        stage_count=execution_map.stage_count,
        inferred=execution_map.inferred,
        on_failure=on_failure_to_proto(execution_map.on_failure),
        inputs=map(input_to_proto, execution_map.inputs),
    )


def _digest(header: plan_pb2.MapHeader, groups: Sequence[bytes], tasks: Sequence[bytes]) -> str:
    """Returns the SHA-256 in hex over the header, the groups and the tasks, each with its length before it.

    The cut into messages and the plan id do not count, so that the same work has the same digest anywhere.
    """
    content = plan_pb2.MapHeader()
    content.CopyFrom(header)
    content.plan_id = content.map_digest = ""
    digest = hashlib.sha256()
    for data in (content.SerializeToString(deterministic=True), *groups, *tasks):
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def _groups(execution_map: ExecutionMap) -> Iterator[bytes]:
    parents = execution_map.parents[len(execution_map.tasks) :]
    for group, parent in zip(execution_map.groups, parents, strict=True):
        head = _group(group) + _parent(parent)
        yield head if group.budget is None else head + _budget(_4, group.budget)


def _group(group: Group) -> bytes:
    return wire.text(_1, group.task_id) + wire.text(_2, group.description)


def _parent(parent: int) -> bytes:
    return b"" if parent == NONE else _PARENT + wire.varint(parent)


def _tasks(execution_map: ExecutionMap) -> Iterator[bytes]:
    rows = zip(
        execution_map.tasks,
        execution_map.stages,
        execution_map.parents,
        execution_map.waits_for,
        execution_map.data_dependencies,
        strict=False,  # there are more parents: those of groups come last
    )
    last, shared = None, b""
    for task, stage, parent, waits, data in rows:
        if waits is not last:  # tasks side by side often wait for the same
            last, shared = waits, wire.numbers(_4, waits)
        head = wire.delimited(_1, spec_bytes(task)) + _STAGE + wire.varint(stage) + _parent(parent)
        yield head + shared + (wire.numbers(_5, data) if data else b"")


def spec_bytes(task: Task) -> bytes:
    """Encodes an atomic task without what it waits for: a serialized TaskSpec."""
    spec = wire.text(_1, task.task_id) + wire.text(_2, task.description)
    if task.input is not None:
        spec += wire.delimited(_3, _input(task.input))
    if task.output is not None:
        spec += wire.delimited(_4, _output(task.output))
    if task.validation is not None:
        spec += wire.delimited(_5, validation_to_proto(task.validation).SerializeToString(deterministic=True))
    if task.executor is not None:
        spec += wire.delimited(_6, executor_to_proto(task.executor).SerializeToString(deterministic=True))
    if task.budget is not None:
        spec += _budget(_7, task.budget)
    return spec if task.on_failure is None else spec + _ON_FAILURE + wire.varint(on_failure_to_proto(task.on_failure))


def _budget(field: bytes, budget: Budget) -> bytes:
    return wire.delimited(field, budget_to_proto(budget).SerializeToString(deterministic=True))


def _input(value: TaskInput) -> bytes:
    head = wire.text(_1, value.description)
    if value.artifacts:
        head += b"".join(wire.delimited(_2, name.encode()) for name in value.artifacts)
    return head + wire.text(_3, value.parameters_json) + (_WITH_DEPENDENCIES if value.with_dependencies else b"")


def _output(value: TaskOutput) -> bytes:
    head = wire.text(_1, value.description) + wire.text(_2, value.artifact) + wire.text(_3, value.format)
    return head + b"".join(wire.delimited(_4, pattern.encode()) for pattern in value.files) if value.files else head
