"""Guards of the planner: against plans that take too much, and callers who give too little."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard(
        name="a compile takes no more CPU than it was given",
        file="planner_svc/compiling.py",
        code="    _limit_cpu(job.cpu_seconds)\n",
        without="",
        fault="a plan that takes very long to compile",
    ),
    Guard(
        name="a compile ends when its caller goes away",
        file="planner_svc/compilers.py",
        code="                await asyncio.shield(self._end(compiler))  # until it is gone it may write files\n",
        without="",
        fault="a client cancels its call in the middle of a compile",
    ),
    Guard(
        name="uploads are bounded in time",
        file="planner_svc/uploads.py",
        code="                async with asyncio.timeout_at(min(loop.time() + self._stall, slowest)):\n",
        without="                async with asyncio.timeout_at(None):\n",
        fault="a client sends a byte now and then, and never ends",
    ),
    Guard(
        name="schemas come to an end",
        file="planner_svc/references.py",
        code="        self._check_endless()\n",
        without="",
        fault="a plan with a schema that refers to itself",
    ),
    Guard(
        name="pages of plans are bounded in bytes",
        file="planner_svc/store.py",
        code="            if page and (len(page) == most or size > most_bytes):\n",
        without="            if page and len(page) == most:\n",
        fault="many plans with long ideas",
    ),
)
