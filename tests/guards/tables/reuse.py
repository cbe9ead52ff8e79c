"""Guards of results that are kept from earlier executions."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard("what was begun is not looked up again", "a person has a kept task done again"),
    Guard("files of programs may have changed", "a script that a plan runs is mended"),
    Guard("the maker is compared", "a plan is run again with another model"),
    Guard("other criteria judge again", "a criterion is added to a plan that was run"),
    Guard("what goes on is offered earlier results", "an execution is stopped, and goes on after a restart"),
    Guard("only what is asked for is done", "a person asks for the first half of a plan"),
    Guard("a turn looks up a bounded number of tasks", "a hundred thousand unchanged tasks are started again"),
)
