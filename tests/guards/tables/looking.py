"""Guards of what people look at: maps, prompts, thinking, and lists of executions."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard("the index is kept with the journal", "an execution fails, and a person looks for those that failed"),
    Guard("an older store gets its index", "a data directory of an earlier version is opened"),
    Guard("prompts are kept under leases that are held", "a worker sends prompts under leases that have ended"),
    Guard("no prompt is kept against the settings", "a worker sends prompts that are not wanted"),
    Guard("a prompt that is not wanted is not stored", "a worker sends large prompts without end"),
    Guard("a prompt is brought under its lease", "a lease ends while its prompt is stored"),
    Guard("a prompt that is kept is no leftover", "a lease has ended for long, and its prompts are read"),
    Guard("prompts of a lease are bounded", "a worker sends prompts without end"),
    Guard("prompts to judges are read after the verdict", "a validator reads the prompt about a canary"),
    Guard("a worker is told to send no prompts", "an execution keeps no prompts"),
    Guard("a worker sends no prompt that is not wanted", "an execution keeps no prompts"),
    Guard("a nonce is not kept", "three judges vote, and a watcher looks"),
    Guard("no key is in a prompt that is kept", "an input repeats the worker's key"),
    Guard("prompts are said again", "the stream is lost when a prompt was sent"),
    Guard("a prompt that is kept is bounded", "a task has megabytes of inputs"),
    Guard("no need is negative", "a client asks for executions with a need of a later version, or with nonsense"),
    Guard("a prompt is sent once", "three judges vote"),
    Guard("the thoughts of a lease are bounded", "a worker thinks for hours"),
    Guard("the thoughts of all leases are bounded", "thousands of workers think at once"),
    Guard("thoughts end with their lease", "millions of leases have come and gone"),
    Guard("an execution keeps its map", "its plan was compiled anew while it ran"),
)
