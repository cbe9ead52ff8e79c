"""Unread parts of a task's inputs, which a model was not shown, as messages and back."""

from __future__ import annotations

from runner_svc.core.model.values import Unread, UnreadInput
from signoff.v1 import execution_pb2 as pb


def unread_to_proto(unread: Unread | None) -> pb.Unread | None:
    if unread is None:
        return None
    return pb.Unread(
        inputs=unread.inputs,
        cut=unread.cut,
        left_out=unread.left_out,
        examples=[
            pb.UnreadInput(name=cut.name, task_id=cut.task_id, size_bytes=cut.size, shown_chars=cut.shown_chars)
            for cut in unread.examples
        ],
    )


def unread_from_proto(message: pb.Unread) -> Unread | None:
    """Returns None for a message that is unset or names no input."""
    if not (message.cut or message.left_out):
        return None
    return Unread(
        inputs=message.inputs,
        cut=message.cut,
        left_out=message.left_out,
        examples=tuple(
            UnreadInput(name=cut.name, task_id=cut.task_id, size=cut.size_bytes, shown_chars=cut.shown_chars)
            for cut in message.examples
        ),
    )
