"""Guards of a worker's reports about the cost of its questions."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard("a prompt is booked when it is sent", "a worker is killed while a model reads a prompt"),
    Guard("what was streamed is booked", "a stream is cut off before its tokens were counted"),
    Guard(
        "a count that is too small is not believed", "a provider counts an answer without what was thought before it"
    ),
    Guard("the total is what counts", "a provider counts what was thought in the total alone"),
    Guard(
        "what is called off has cost something",
        "an execution is stopped before a worker has said what its work has cost",
    ),
)
