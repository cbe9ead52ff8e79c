"""Guards of what people look at: maps, prompts, thinking, and lists of executions."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (Guard("an execution keeps its map", "its plan was compiled anew while it ran"),)
