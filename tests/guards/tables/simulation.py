"""Guards that the simulation misses: each with a small world in tests/simulation/regressions, and those of watchers."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard("world: request ids", "a client repeats a command whose answer it missed"),
    Guard("world: rebuild after a refused write", "the store refuses a write, and may have kept it"),
    Guard("world: remember before acting", "the store refuses what workers were told already"),
    Guard("world: remember before answering", "the store refuses what clients were told already"),
    Guard("world: workers come back after a rebuild", "the state is built anew, and knows no session"),
    Guard("world: leases outlive the runner", "a runner dies while workers work"),
    Guard("world: lease fence", "a worker sends results under leases of others"),
    Guard("world: digests are checked", "a candidate is not what its digest says"),
    Guard("world: to come back is no progress", "a worker whose work hangs gets a new stream now and then"),
    Guard("world: the grace ends", "a worker is gone for good"),
    Guard("world: accept deadline", "an assignment is lost on a stream that lives"),
    Guard("world: credit", "there is more work than slots"),
    Guard("world: three missed pings", "nothing that a worker sends arrives"),
    Guard("world: a silent runner is left", "nothing that the runner sends arrives"),
    Guard(
        "world: watchers are cut off at a rebuild",
        "the store refuses a write and keeps it: its events were never published",
    ),
    Guard("watchers are cut off when the state is built anew", "the same, while a client watches at every point of it"),
    Guard("world: a slow watcher is cut off", "a watcher does not keep up"),
    Guard("a watcher passes over what it was told", "events are committed between subscribing and asking"),
    Guard("a watcher subscribes before it asks", "events are committed between asking and subscribing"),
)
