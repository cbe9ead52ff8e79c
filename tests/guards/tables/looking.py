"""Guards of what people look at: maps, prompts, thinking, and lists of executions."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard("the thoughts of a lease are bounded", "a worker thinks for hours"),
    Guard("the thoughts of all leases are bounded", "thousands of workers think at once"),
    Guard("thoughts end with their lease", "millions of leases have come and gone"),
    Guard("an execution keeps its map", "its plan was compiled anew while it ran"),
)
