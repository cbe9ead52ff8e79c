"""Guards of results with several files, and of the places that they are written to."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard("files arrive whole", "a runner sends a file with other bytes than its manifest says"),
    Guard("a part that failed is gone", "the disk is full in the middle of a file"),
    Guard("names of results are tame", "a model or a plan names its artifact ../../etc/passwd"),
    Guard("results have names apart", "two tasks make artifacts of one name"),
    Guard("files of others stay", "a person has changed a file of an export, and exports again"),
    Guard("files for people are whole", "the object store gives other bytes back than it was given"),
    Guard("files of results that are withdrawn go", "a task is rolled back, and a person reads its charts"),
    Guard("no output.json beside other files", "the runner is killed while it writes the files of a second result"),
    Guard("another export stays", "a person exports a plan into the folder of another one"),
)
