"""How much of an execution is signed off, in words."""

from __future__ import annotations

from signoff.v1 import execution_pb2 as pb


def total_of(counts: pb.TaskCounts) -> int:
    """Returns the number of tasks that an execution is asked for."""
    return sum(value for _, value in counts.ListFields())


def describe_counts(execution: pb.Execution) -> str:
    """Returns for example "4 of 6 signed off, 7 not asked for"."""
    others = f", {execution.not_asked:,} not asked for" if execution.not_asked else ""
    return f"{execution.counts.done} of {total_of(execution.counts)} signed off{others}"
