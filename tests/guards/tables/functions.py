"""Guards of the worker against the code of its users."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard("functions never run on the worker's own loop", "a function blocks"),
    Guard("a function does not end the loop of all others", "an async function stops its event loop"),
    Guard("a cancelled call keeps its seat", "functions do not heed a cancellation"),
    Guard("a process is killed with all it has started", "a function that started programs is cancelled"),
    Guard("forks leave gRPC alone", "a process is started while the stream is busy"),
)
