"""Guards of results that are kept from earlier executions, and of those that come late."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard("what was begun is not looked up again", "a person has a kept task done again"),
    Guard("a worker looks at the files of programs", "a script that a plan runs is mended"),
    Guard("what is unchanged is what was asked about", "a worker of another version finds everything unchanged"),
    Guard("what is unchanged is not done again", "a program with a script is run again, and nothing has changed"),
    Guard("the maker is compared", "a plan is run again with another model"),
    Guard("other criteria judge again", "a criterion is added to a plan that was run"),
    Guard("what goes on is offered earlier results", "an execution is stopped, and goes on after a restart"),
    Guard("only what is asked for is done", "a person asks for the first half of a plan"),
    Guard("a group is looked into once", "a client names the same group many times, and the groups around it"),
    Guard("a late candidate is adopted", "a worker is away for a minute, and comes back with its work done"),
    Guard("a task that was given up adopts nothing", "ten workers are lost over a task, and one of them comes back"),
    Guard("a late candidate is adopted only while there is nothing better", "a first version comes after the second"),
    Guard("a late candidate is of the same inputs", "what a late result was made from has changed meanwhile"),
    Guard("a finished candidate is offered after a stop", "a worker finishes while it has no line to the runner"),
    Guard("a turn looks up a bounded number of tasks", "a hundred thousand unchanged tasks are started again"),
)
