"""Frames of a worker's stream: their sizes, and messages sent in runs: one at a time costs ten times the CPU."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from google.protobuf.message import Message  # apps import this module, and need no protobuf

LEAST_FRAME_BYTES = 64 * 1024  # the smallest limit that a worker or a runner may set; less holds not every message
MAX_CANDIDATE_BYTES = 64 * 1024 * 1024  # that a runner stores; Welcome names it
MAX_CHECKPOINT_BYTES = 64 * 1024  # of the state that an executor leaves for the next one
MESSAGE_HEADER = 6  # bytes that a message costs inside another one besides its own, at most
RUN_BYTES = 1024 * 1024
MISSED_PINGS = 3  # in a row, after which either side takes the stream for lost
IN_PARTS = "inputs-in-parts"  # a feature in Hello: the worker takes the inputs of an assignment in parts

AnyMessage = TypeVar("AnyMessage", bound="Message")


def runs(messages: Iterable[AnyMessage], most: int = RUN_BYTES) -> Iterator[list[AnyMessage]]:
    """Yields the messages in order, in lists of at most `most` bytes, or of one message when that is larger."""
    run: list[AnyMessage] = []
    size = 0
    for message in messages:
        length = message.ByteSize() + MESSAGE_HEADER
        if run and size + length > most:
            yield run
            run, size = [], 0
        run.append(message)
        size += length
    if run:
        yield run
