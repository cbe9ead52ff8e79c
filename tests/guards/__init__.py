"""Guards: lines of code that keep a promise under a fault. Each is taken away once, and its tests must fail then.

A comment above a guard names it, and gives the code that would stand there without it:

    # guard: costs are totals -> changes = [total]
    changes = list(before.changes_to(total))

The comment is about the next line; `# guard (3 lines): …` is about three. Longer replacements stand below the comment,
four columns further in; `(removed)` means that nothing replaces the guard. Several guards of one line have a comment
each, or share one with their names separated by semicolons.

A name stands in three places: in that comment, in the mark of each test that holds the guard,
`@pytest.mark.guard(name="costs are totals")`, and in a `Guard` of tables/, which also says against which fault it
guards. test_guards checks that the three agree.

`python -m tests.guards [NAME …]` takes away one guard after another, in a copy of the project (`markers` finds and
replaces the lines), and runs the tests that are marked with it: each of them must fail. tables/ has a file for each
part of the system, and `table` collects them. A new promise gets a guard in all three places, and a test that fails
without it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guard:
    """A piece of code that keeps a promise under a fault."""

    name: str  #: as in the comment in the source and in the marks of its tests
    fault: str  #: the fault it guards against, in a few words
