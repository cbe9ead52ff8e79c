"""Guards of the planner: against plans that ask for too much, and callers that give too little."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard("a mention is asked about what stands just before it", "a format names JSON some thousand times"),
    Guard("only so many words of a format are read", "the format of an output is a book"),
    Guard("a path in parameters is short", "a parameter has a name of a megabyte, and a text with an input in it"),
    Guard("a compile takes no more CPU than it was given", "a plan that takes very long to compile"),
    Guard("a compile ends when its caller goes away", "a client cancels its call in the middle of a compile"),
    Guard("uploads are bounded in time", "a client sends a byte now and then, and never ends"),
    Guard("schemas come to an end", "a plan with a schema that refers to itself"),
    Guard("pages of plans are bounded in bytes", "many plans with long ideas"),
    Guard("shapes are promises", "a plan with the format JSON: { words: string[] }, and an answer in another shape"),
    Guard("misspelt fields are errors", "a plan with a typo in the name of a field"),
    Guard("unknown fields are told", "a plan with a field that the planner does not read"),
    Guard("a key stands once", "a plan in which a key stands twice"),
    Guard("a task that is meant to run can run", "a task that lacks its input, beside others that run"),
    Guard("an atomic task is waited for", "a task that depends on one it lies below, which is no group"),
    Guard("ids that only look nested", "tasks whose ids look nested, and are not"),
    Guard("a task whose artifacts no task makes gets those of its dependencies", "a plan that names artifacts loosely"),
    Guard(
        "a task that also names what is made gets both",
        "a task names an artifact that is there and one that no task makes",
    ),
    Guard("no task has more inputs than a runner gives", "a task waits for a group of a million others"),
    Guard("a phrase that may stand for others is no check", "a criterion quotes a placeholder such as 'YYYY-MM-DD'"),
    Guard(
        "sources are counted only when their marks are told",
        "a criterion asks for sources, and the candidate has a list in APA style",
    ),
    Guard("the planner's forks leave gRPC alone", "a process for a plan is started while calls come in"),
    Guard("a check names a file of its task", "a plan checks report.md, and its task makes raport.md"),
)
