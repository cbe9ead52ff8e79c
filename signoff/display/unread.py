"""Inputs that a model was not shown, or not whole, in words for people."""

from __future__ import annotations

from signoff.v1 import execution_pb2

_NAMED = 3  # inputs that a sentence names


def describe_unread(unread: execution_pb2.Unread) -> str:
    """Returns one line that says how many inputs a model was not shown, and names some.

    For example "of 70 inputs the model was shown only the beginning of 12 and nothing of 28: the first 2,500 characters
    of papers by 1_2, nothing of notes by 1_3, and so for 38 more".
    """
    counts = [f"only the beginning of {unread.cut:,}"] if unread.cut else []
    counts += [f"nothing of {unread.left_out:,}"] if unread.left_out else []
    named = [_part(example) for example in unread.examples[:_NAMED]]
    more = unread.cut + unread.left_out - len(named)
    named += [f"and so for {more:,} more"] if named and more > 0 else []
    told = f": {', '.join(named)}" if named else ""
    return f"of {_inputs(unread.inputs)} the model was shown {' and '.join(counts)}{told}"


def _inputs(count: int) -> str:
    return "its one input" if count == 1 else f"{count:,} inputs"


def _part(example: execution_pb2.UnreadInput) -> str:
    name = f"{example.name} by {example.task_id}" if example.name else f"what {example.task_id} made"
    name = name if example.task_id else example.name  # an input of the plan
    return f"the first {example.shown_chars:,} characters of {name}" if example.shown_chars else f"nothing of {name}"
