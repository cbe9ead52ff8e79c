"""The guards that hold the promises, and how to take each away: what remains must fail its tests.

A guard is a piece of code that keeps a promise under a fault. A comment above it gives it a name, and says what would
stand there without it:

    # guard: costs are totals -> changes = [total]
    changes = list(before.changes_to(total))

The comment is about the next line; `# guard (3 lines): …` about so many. What does not fit stands below it, four
columns further in, and `(removed)` stands for nothing. Several guards of one line have a comment each, or their names
in one, with semicolons.

A test says which guard it holds with `@pytest.mark.guard(name="costs are totals")`. A `Guard` of that name says against
which fault. `python -m tests.guards` takes away one after another, in a copy of the project, and runs the tests that
are marked with it: each of them must fail.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guard:
    """A piece of code that keeps a promise under a fault."""

    name: str  #: as the comment in the source and the marks of its tests have it
    fault: str  #: the fault it guards against, in a few words
