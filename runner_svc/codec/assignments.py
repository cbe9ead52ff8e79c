"""Assignments as messages: what fits a frame of the worker travels inside, the rest by reference.

First everything is named by reference; that has to fit. Then, while there is room, contents take the place of their
references, the most wanted first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import lru_cache

from runner_svc.codec.journal import results_to_proto
from runner_svc.codec.times import duration
from runner_svc.core import commands as c
from runner_svc.core.execution import Execution
from runner_svc.core.values import Content
from signoff.frames import MESSAGE_HEADER
from signoff.v1 import execution_pb2, worker_pb2

INLINE_LIMIT = 256 * 1024  # bytes of an artifact that travels inside a message
ASSIGN_LIMIT = 1024 * 1024  # bytes of all artifacts inside one assignment, so that several share a frame
_CONTENT_HEADER = 16  # bytes, at most, that a content costs besides its own: tags and longer lengths around it

Read = Callable[[str], Awaitable[bytes]]


class AssignmentTooLarge(Exception):
    """Even with every artifact by reference, the worker takes no frame that large."""


async def write_assign(
    message: worker_pb2.Assign, command: c.Assign, read: Read, most: int, *, thinking_wanted: bool
) -> None:
    """Fills in an empty message for a worker that takes frames of at most `most` bytes.

    `read` gives contents by their digests. What a validator said of each criterion is left out when it does not fit:
    the summary of the feedback says it in short. Raises AssignmentTooLarge.
    """
    _write_by_reference(message, command, thinking_wanted)
    most -= 2 * MESSAGE_HEADER  # of the message inside its frame, and of the assignment inside its message
    if message.ByteSize() > most:
        message.feedback.ClearField("results")
    if message.ByteSize() > most:
        name = command.execution.map.name(command.task)
        raise AssignmentTooLarge(
            f"expected an assignment of at most {most} bytes, which is what the worker takes, "
            f"but that of {name} has {message.ByteSize()} bytes, with its artifacts by reference"
        )
    kept = command.checkpoint
    if kept is not None and message.ByteSize() + kept.size + _CONTENT_HEADER <= most:
        message.checkpoint = await read(kept.digest)
    await _put_inside(message, read, min(ASSIGN_LIMIT, most - message.ByteSize()))


async def _put_inside(message: worker_pb2.Assign, read: Read, room: int) -> None:
    """Puts contents in the place of their references until `room` bytes are used up."""
    for artifact in _artifacts(message):
        size = artifact.size_bytes + _CONTENT_HEADER
        if artifact.size_bytes <= INLINE_LIMIT and size <= room:
            artifact.inline = await read(artifact.digest)
            room -= size


def _artifacts(message: worker_pb2.Assign) -> Iterator[worker_pb2.InputArtifact]:
    """All that an assignment names, the most wanted first."""
    if message.HasField("candidate"):
        yield message.candidate
    yield from message.inputs
    if message.feedback.HasField("previous_candidate"):
        yield message.feedback.previous_candidate


def _write_by_reference(message: worker_pb2.Assign, command: c.Assign, thinking_wanted: bool) -> None:
    # In place: a message that is built apart is copied once for each level it is put into.
    execution, plan = command.execution, command.execution.map
    message.MergeFromString(_head(execution.id, plan.plan_id, plan.idea, *_timeouts(command)))
    message.lease_id, message.attempt = command.lease, command.attempt
    message.phase = execution_pb2.Phase.ValueType(command.phase)
    message.thinking_wanted, message.model = thinking_wanted, command.model
    message.task.MergeFromString(plan.specs[command.task])
    for given in command.inputs:
        _write_reference(message.inputs.add(), execution, given.name, given.task, given.content)
    for name, reason in command.omitted:
        message.omitted.add(name=name, reason=reason)
    own_name = plan.makes[command.task]
    if command.candidate is not None:
        _write_reference(message.candidate, execution, own_name, command.task, command.candidate)
        message.candidate.remark = command.candidate.remark
    if command.feedback is not None:
        message.feedback.summary = command.feedback.summary
        message.feedback.results.extend(results_to_proto(command.feedback.results))
        if command.feedback.candidate is not None:
            previous = message.feedback.previous_candidate
            _write_reference(previous, execution, own_name, command.task, command.feedback.candidate)


def _timeouts(command: c.Assign) -> tuple[float, float]:
    """Run and idle, in seconds."""
    execution, task, phase = command.execution, command.task, command.phase
    return execution.run_timeout(task, phase), execution.idle_timeout(task, phase)


@lru_cache(maxsize=256)
def _head(execution_id: str, plan_id: str, idea: str, run_timeout: float, idle_timeout: float) -> bytes:
    """What all assignments of an execution begin with, as bytes."""
    return worker_pb2.Assign(
        execution_id=execution_id,
        plan_id=plan_id,
        run_timeout=duration(run_timeout),
        idle_timeout=duration(idle_timeout),
        idea=idea,
    ).SerializeToString()


def _write_reference(
    message: worker_pb2.InputArtifact, execution: Execution, name: str, task: int, content: Content
) -> None:
    message.name, message.task_id = name, execution.map.task_ids[task]
    message.media_type, message.digest, message.size_bytes = content.media_type, content.digest, content.size
    message.by_reference = True
