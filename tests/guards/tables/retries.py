"""Guards of retries: what an attempt is told of the earlier ones, and when another one is useless."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard("each earlier attempt is told", "a model repeats what was rejected two attempts before"),
    Guard("a lost worker is no rejection", "a worker is lost between a rejection and the next attempt"),
    Guard("the same failure twice is no progress", "a function raises the same exception on the same inputs, always"),
    Guard("a checkpoint is progress", "a function gets further with each attempt, and fails each time"),
    Guard("the same failure after a rollback is the end", "what a task reads is made anew, and is the same as before"),
    Guard("other inputs are worth another try", "what a task reads is made anew, and is not the same"),
    Guard("a larger model is what escalation is for", "the context of a small model is too small for a task"),
    Guard("a model that was too small is not asked again", "a plan names a small model twice, and it is too small"),
    Guard("stop stops", "a task that all depends on fails, and the others spend money for hours"),
    Guard("a task says what its own failure does", "one task of many may fail"),
    Guard("the gist leaves out what differs from run to run", "an exception has an address in its text"),
    Guard("what may pass has no gist", "a function cannot reach a service for a minute"),
    Guard("earlier attempts are data", "a judge quotes a candidate that gives orders"),
)
