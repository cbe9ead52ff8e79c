"""Guards of the inputs of tasks, and of the notes about inputs that a prompt cannot hold."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard("a task is given all of its inputs", "a task reads more than fits one message"),
    Guard(
        "named inputs come before those of dependencies",
        "a task that named some artifacts loosely waits for those that it names rightly",
    ),
    Guard("inputs of dependencies are work", "many tasks that name nothing wait for a thousand others each"),
    Guard("inputs travel in parts", "a task reads more than a message holds"),
    Guard("only who takes parts is sent some", "an older worker passes over messages that it does not know"),
    Guard("parts come before their assignment", "inputs come in several parts"),
    Guard("no work on a part of the inputs", "a part of the inputs is missing when their assignment comes"),
    Guard("large inputs lie in files", "a task has gigabytes of inputs"),
    Guard("a prompt takes no more space than it has", "more inputs than a prompt has room for"),
    Guard("large inputs share evenly", "large inputs beside small ones"),
    Guard("what a prompt cuts is said with the candidate", "a model is shown the beginnings of its inputs"),
    Guard("the judge is told what the author was not shown", "a candidate was made from a part of its inputs"),
    Guard("what the author was not shown is kept", "a candidate was made from a part of its inputs"),
    Guard("a run says what a model was not shown", "a candidate was made from a part of its inputs, and signed off"),
    Guard("a plan's own paths stay in its folder", "a plan of others names a file of the person who runs it"),
    Guard("links stay within their folder", "a folder of others has a link to a file of the person who runs its plan"),
    Guard("a place names an input of the plan", "the name of an input is misspelt in a description"),
    Guard("an input that the plan does not declare is refused", "a client gives an input under a misspelt name"),
    Guard("a start names what is there", "a client starts a plan before its files are uploaded"),
    Guard("contents have their digests", "a file changes while it is uploaded"),
    Guard("an upload of an input is bounded", "a client uploads without an end"),
    Guard("a changed input is noticed", "a file changes between two executions"),
    Guard("a value is not filled in again", "the value of an input has a place for another one"),
    Guard("a check compares with something", "an input that a check compares with is blank"),
    Guard("other inputs begin a new execution", "a file changes while an execution is stopped"),
    Guard("files of inputs stay in their folder", "a runner names a file outside of the folder of an attempt"),
)
