"""Origins of results that an execution has kept, in words."""

from __future__ import annotations

from signoff.display.wire_names import day_and_time
from signoff.v1 import execution_pb2 as pb


def describe_origin(origin: pb.KeptFrom) -> str:
    """Returns for example: attempt 1 of execution 5f0c…."""
    return f"attempt {origin.attempt} of execution {origin.execution_id}"


def describe_sign_off_time(origin: pb.KeptFrom) -> str:
    """Returns for example " at 11-29 11:31"; empty when it was not kept."""
    return f" at {day_and_time(origin.signed_off_at)}" if origin.HasField("signed_off_at") else ""
