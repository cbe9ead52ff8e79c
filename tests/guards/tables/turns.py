"""Guards that keep the turns of the runner's loop short, and that keep whole what takes several turns."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard("a turn lends a bounded amount", "a worker that takes everything joins a hundred thousand ready tasks"),
    Guard("a rollback has steps", "a person has the first of a hundred thousand tasks done again"),
    Guard("ended leases are dropped part by part", "thousands of leases have ended before their deadlines"),
    Guard("inputs are found once a lease", "tasks read a thousand artifacts each"),
    Guard("a task is written down before it changes", "an execution goes on while a snapshot of it is written"),
    Guard("a resume is told before it changes tasks", "an execution is resumed while a snapshot of it is written"),
    Guard("what is decided on what was lost is lost", "the disk refuses while a long decision is made"),
    Guard("a watcher is excused while its snapshot is written", "an execution is quicker than the snapshot of it"),
)
