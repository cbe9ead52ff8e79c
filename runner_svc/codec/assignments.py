"""Assignments as messages: contents travel inside while they fit a frame of the worker, and by reference otherwise.

First everything is named by reference. Then, while there is room, contents take the place of their references, the most
wanted first. When one message cannot hold the references and the small contents, the inputs travel in parts before it.
So a task may have a thousand inputs and more; none is left out for its size.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import lru_cache

from runner_svc.codec.criterion_results import results_to_proto
from runner_svc.codec.times import duration
from runner_svc.codec.unread import unread_to_proto
from runner_svc.core.model import commands
from runner_svc.core.model.map import Map
from runner_svc.core.model.values import NO_TASK, Content
from signoff.errors import StorageFailed
from signoff.plan.limits import MAX_INPUTS
from signoff.rpc.frames import MESSAGE_HEADER
from signoff.v1 import execution_pb2, worker_pb2

INLINE_LIMIT = 256 * 1024  # bytes of an artifact that travels inside a message
ASSIGN_LIMIT = 1024 * 1024  # bytes of all artifacts inside one assignment, so that several share a frame
PART_LIMIT = 1024 * 1024  # bytes of a part
SMALL = 4 * 1024  # bytes of an input that travels inside a part: to fetch it would cost more
SMALL_LIMIT = 16 * 1024 * 1024  # bytes of all inputs inside the parts of one assignment: pings wait behind them
AT_ONCE = 2_000  # inputs that are written, in 6 ms, before the loop turns to others
_LEASE_ROOM = 200  # bytes that a part has besides its inputs
_CONTENT_HEADER = 16  # bytes, at most, that a content costs besides its own: tags and longer lengths around it

Read = Callable[[str], Awaitable[bytes]]


class AssignmentTooLarge(Exception):
    """An assignment exceeds the worker's frame even with every artifact by reference."""


Send = Callable[[worker_pb2.RunnerMessage], Awaitable[None]]


async def send_assignment(
    command: commands.Assign, send: Send, read: Read, most: int, *, thinking_wanted: bool, in_parts: bool
) -> None:
    """Sends the messages for a worker that takes frames of at most `most` bytes: the assignment is the last one.

    `read` gives contents by their digests. `in_parts`: the worker takes inputs in parts. The results of single criteria
    are left out when they do not fit: the summary of the feedback says it in short. The lines about earlier attempts
    are left out next. Raises AssignmentTooLarge before it sends anything.
    """
    message = worker_pb2.RunnerMessage()
    assign = message.assign
    name = command.map.name(command.task)
    if len(command.inputs) > MAX_INPUTS:
        raise AssignmentTooLarge(f"expected a task with at most {MAX_INPUTS:,} inputs, but {name} has more")
    _write_head(assign, command, thinking_wanted)
    if command.inputs or command.omitted:
        await _write_inputs(assign, command)
    most -= 2 * MESSAGE_HEADER  # of the message inside its frame, and of the assignment inside its message
    parts: list[_Part] = []
    size = assign.ByteSize()
    # guard: only who takes parts is sent some -> if size + _small_bytes(command.inputs) > min(most, PART_LIMIT):
    if in_parts and size + _small_bytes(command.inputs) > min(most, PART_LIMIT):
        # guard: inputs travel in parts -> parts = await _in_parts(assign.inputs[:1000], min(most, PART_LIMIT))
        parts = await _in_parts(assign.inputs, min(most, PART_LIMIT))
        assign.inputs_in_parts = len(assign.inputs)
        assign.ClearField("inputs")
        size = assign.ByteSize()
    for field in ("results", "earlier"):
        if size > most:
            # guard: feedback gives way -> pass
            assign.feedback.ClearField(field)
            size = assign.ByteSize()
    largest = max([size, *(part.size for part in parts)])
    # guard: no frame above the limit -> if False:
    if largest > most:
        raise AssignmentTooLarge(
            f"expected an assignment of at most {most} bytes, which is what the worker takes, "
            f"but that of {name} has {largest} bytes, with its artifacts by reference"
        )
    for part in parts:
        await send(await part.message(assign.lease_id, read))
        await asyncio.sleep(0)
    kept = command.checkpoint
    if kept is not None and size + kept.size + _CONTENT_HEADER <= most:
        assign.checkpoint = await read(kept.digest)
        size = assign.ByteSize()
    await _put_inside(assign, read, min(ASSIGN_LIMIT, most - size))
    await send(message)


class _Part:
    """A part of the inputs, all by reference until the message is made."""

    def __init__(self) -> None:
        self.size = _LEASE_ROOM  #: bytes of the message in the end, at most
        self._inputs: list[tuple[worker_pb2.InputArtifact, bool]] = []  # and whether each travels inside

    @property
    def is_empty(self) -> bool:
        return not self._inputs

    def add(self, given: worker_pb2.InputArtifact, size: int, *, inside: bool) -> None:
        self._inputs.append((given, inside))
        self.size += size

    async def message(self, lease_id: str, read: Read) -> worker_pb2.RunnerMessage:
        message = worker_pb2.RunnerMessage()
        message.inputs_part.lease_id = lease_id
        for given, inside in self._inputs:
            added = message.inputs_part.inputs.add()
            added.MergeFrom(given)
            if inside:
                await _read_inside(added, read)
        return message


async def _read_inside(given: worker_pb2.InputArtifact, read: Read) -> None:
    """Puts an input in the place of its reference. One that is lost keeps it: other parts may be on their way."""
    try:
        given.inline = await read(given.digest)
    except StorageFailed as failure:
        # guard (2 lines): a lost input of a part ends no stream -> raise
        if not failure.is_lost:
            raise


def _small_bytes(inputs: Iterable[commands.Input]) -> int:
    """Returns the bytes of all inputs that cost more to fetch than to send."""
    return sum([content.size for _, _, content in inputs if content.size <= SMALL])


async def _in_parts(inputs: Iterable[worker_pb2.InputArtifact], most: int) -> list[_Part]:
    """Cuts the inputs into parts of at most `most` bytes; a single one may be larger."""
    parts, part, room = list[_Part](), _Part(), SMALL_LIMIT
    for number, given in enumerate(inputs, 1):
        size = given.ByteSize() + MESSAGE_HEADER
        inside = given.size_bytes <= min(SMALL, room) and size + given.size_bytes + _CONTENT_HEADER <= most
        if inside:
            size += given.size_bytes + _CONTENT_HEADER
            room -= given.size_bytes
        if not part.is_empty and part.size + size > most:
            parts.append(part)
            part = _Part()
        part.add(given, size, inside=inside)
        if not number % AT_ONCE:
            await asyncio.sleep(0)
    return parts if part.is_empty else [*parts, part]


async def _put_inside(message: worker_pb2.Assign, read: Read, room: int) -> None:
    """Puts contents in the place of their references until `room` bytes are used up."""
    for artifact in _artifacts(message):
        size = artifact.size_bytes + _CONTENT_HEADER
        # guard: inputs give way -> if artifact.size_bytes <= INLINE_LIMIT:
        if artifact.size_bytes <= INLINE_LIMIT and size <= room:
            artifact.inline = await read(artifact.digest)
            room -= size


def _artifacts(message: worker_pb2.Assign) -> Iterator[worker_pb2.InputArtifact]:
    """Yields the artifacts of an assignment, the most wanted first."""
    if message.HasField("candidate"):
        yield message.candidate
    yield from message.inputs
    if message.feedback.HasField("previous_candidate"):
        yield message.feedback.previous_candidate


def _write_head(message: worker_pb2.Assign, command: commands.Assign, thinking_wanted: bool) -> None:
    """Writes everything but the inputs, with contents by reference."""
    # In place: a message that is built apart is copied once for each level it is put into.
    plan = command.map
    message.MergeFromString(
        _head(command.execution, plan.plan_id, plan.idea, command.run_timeout, command.idle_timeout)
    )
    message.lease_id, message.attempt = command.lease, command.attempt
    message.phase = execution_pb2.Phase.ValueType(command.phase)
    message.thinking_wanted, message.model = thinking_wanted, command.model
    # guard: a worker is told to send no prompts -> message.prompts_wanted = True
    message.prompts_wanted = command.prompts_wanted
    message.unless_maker = command.unless_maker
    message.task.MergeFromString(plan.specs[command.task])
    own_name = plan.makes[command.task]
    if command.candidate is not None:
        _write_reference(message.candidate, plan, own_name, command.task, command.candidate)
        message.candidate.remark = command.candidate.remark
        if (unread := unread_to_proto(command.candidate.unread)) is not None:
            message.candidate.unread.CopyFrom(unread)
    if command.feedback is not None:
        message.feedback.summary = command.feedback.summary
        message.feedback.results.extend(results_to_proto(command.feedback.results))
        message.feedback.earlier.extend(command.feedback.earlier)
        if command.feedback.candidate is not None:
            previous = message.feedback.previous_candidate
            _write_reference(previous, plan, own_name, command.task, command.feedback.candidate)


async def _write_inputs(message: worker_pb2.Assign, command: commands.Assign) -> None:
    """Writes the inputs by reference, and those that are missing."""
    for number, given in enumerate(command.inputs, 1):
        _write_reference(message.inputs.add(), command.map, given.name, given.task, given.content)
        if not number % AT_ONCE:
            await asyncio.sleep(0)
    for name, reason in command.omitted:
        message.omitted.add(name=name, reason=reason)


@lru_cache(maxsize=256)
def _head(execution_id: str, plan_id: str, idea: str, run_timeout: float, idle_timeout: float) -> bytes:
    """Returns the fields that many assignments of an execution share, as bytes."""
    return worker_pb2.Assign(
        execution_id=execution_id,
        plan_id=plan_id,
        run_timeout=duration(run_timeout),
        idle_timeout=duration(idle_timeout),
        idea=idea,
    ).SerializeToString()


def _write_reference(message: worker_pb2.InputArtifact, plan: Map, name: str, task: int, content: Content) -> None:
    message.name, message.task_id = name, plan.task_ids[task] if task != NO_TASK else ""
    message.media_type, message.digest, message.size_bytes = content.media_type, content.digest, content.size
    message.by_reference = True
