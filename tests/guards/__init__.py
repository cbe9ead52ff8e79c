"""The guards that hold the promises, and how to take each away: what remains must fail its tests.

A test says which guard it holds with `@pytest.mark.guard(name="lease fence")`. A `Guard` of that name says where the
guard is and what the code would be without it. `python -m tests.guards` takes away one after another, in a copy of the
project, and runs the tests that are marked with it: each of them must fail.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A piece of code that keeps a promise under a fault."""

    name: str  #: as the tests are marked with it
    file: str  #: from the root of the project
    code: str  #: as it is in the file, exactly once
    without: str  #: what stands there when the guard is taken away
    fault: str  #: the fault it guards against, in a few words
