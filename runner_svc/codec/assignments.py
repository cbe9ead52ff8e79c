"""Assignments as messages: what fits a frame of the worker travels inside, the rest by reference.

First everything is named by reference; that has to fit. Then, while there is room, contents take the place of their
references, the most wanted first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

from runner_svc.codec.journal import results_to_proto
from runner_svc.codec.times import duration
from runner_svc.core import commands as c
from runner_svc.core.execution import Execution
from runner_svc.core.values import Content
from signoff.frames import MESSAGE_HEADER
from signoff.v1 import execution_pb2, plan_pb2, worker_pb2

INLINE_LIMIT = 256 * 1024  # bytes of an artifact that travels inside a message
ASSIGN_LIMIT = 1024 * 1024  # bytes of all artifacts inside one assignment, so that several share a frame
_CONTENT_HEADER = 16  # bytes, at most, that a content costs besides its own: tags and longer lengths around it

Read = Callable[[str], Awaitable[bytes]]


class AssignmentTooLarge(Exception):
    """Even with every artifact by reference, the worker takes no frame that large."""


async def assign_to_proto(command: c.Assign, read: Read, most: int, *, thinking_wanted: bool) -> worker_pb2.Assign:
    """An assignment for a worker that takes frames of at most `most` bytes. `read` gives contents by their digests.

    What a validator said of each criterion is left out when it does not fit: the summary of the feedback says it in
    short. Raises AssignmentTooLarge.
    """
    message = _by_reference(command, thinking_wanted)
    most -= 2 * MESSAGE_HEADER  # of the message inside its frame, and of the assignment inside its message
    if message.ByteSize() > most:
        message.feedback.ClearField("results")
    if message.ByteSize() > most:
        name = command.execution.map.name(command.task)
        raise AssignmentTooLarge(
            f"expected an assignment of at most {most} bytes, which is what the worker takes, "
            f"but that of {name} has {message.ByteSize()} bytes, with its artifacts by reference"
        )
    await _put_inside(message, read, min(ASSIGN_LIMIT, most - message.ByteSize()))
    return message


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


def _by_reference(command: c.Assign, thinking_wanted: bool) -> worker_pb2.Assign:
    execution, settings = command.execution, command.execution.settings
    message = worker_pb2.Assign(
        lease_id=command.lease,
        phase=execution_pb2.Phase.ValueType(command.phase),
        execution_id=execution.id,
        plan_id=execution.map.plan_id,
        attempt=command.attempt,
        task=plan_pb2.TaskSpec.FromString(execution.map.specs[command.task]),
        inputs=[_reference(execution, given.name, given.task, given.content) for given in command.inputs],
        omitted=[worker_pb2.OmittedInput(name=name, reason=reason) for name, reason in command.omitted],
        run_timeout=duration(settings.run_timeout),
        idle_timeout=duration(settings.idle_timeout),
        thinking_wanted=thinking_wanted,
        idea=execution.map.idea,
    )
    own_name = execution.map.makes[command.task]
    if command.candidate is not None:
        message.candidate.CopyFrom(_reference(execution, own_name, command.task, command.candidate))
    if command.feedback is not None:
        message.feedback.CopyFrom(_feedback(command.feedback))
        if command.feedback.candidate is not None:
            previous = _reference(execution, own_name, command.task, command.feedback.candidate)
            message.feedback.previous_candidate.CopyFrom(previous)
    return message


def _feedback(feedback: c.Feedback) -> worker_pb2.Feedback:
    return worker_pb2.Feedback(summary=feedback.summary, results=results_to_proto(feedback.results))


def _reference(execution: Execution, name: str, task: int, content: Content) -> worker_pb2.InputArtifact:
    return worker_pb2.InputArtifact(
        name=name,
        task_id=execution.map.task_ids[task],
        media_type=content.media_type,
        digest=content.digest,
        size_bytes=content.size,
        by_reference=True,
    )
