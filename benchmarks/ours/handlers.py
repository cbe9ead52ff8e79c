"""Handlers whose work costs nothing, so that only signoff's own cost remains."""

from __future__ import annotations

import asyncio
import json
import math
import os
import time
from dataclasses import dataclass, field

from signoff.v1 import execution_pb2
from worker_svc.assignment import Assignment, CandidateResult, Offer, Report, VerdictResult

PASS, FAIL = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL
_RESULT = execution_pb2.CriterionResult(criterion="it was made", outcome=PASS, reason="no-op", criterion_number=1)
_REJECTED = execution_pb2.CriterionResult(criterion="it was made", outcome=FAIL, reason="again", criterion_number=1)


@dataclass(slots=True)
class Gate:
    """A gate that opens for all when `count` tasks wait at it, and stays open."""

    count: int
    _waiting: int = 0
    _open: asyncio.Event = field(default_factory=asyncio.Event)

    async def passed(self) -> None:
        self._waiting += 1
        if self._waiting >= self.count:
            self._open.set()
        await self._open.wait()


class NoOpExecutor:
    """A work.Handler that returns small JSON, or `size` bytes of text that no two tasks share."""

    offer = Offer(makers=("benchmark",))

    def __init__(self, *, size: int = 0, together: int = 0, only: int | None = None, takes: float = 0.0) -> None:
        """Takes `together`: no task ends before so many have begun; `only`: so many tasks end, the others never; and
        `takes`: the seconds of a task.
        """
        self._size, self._takes = size, takes
        self._gate = Gate(together)
        self._left = math.inf if only is None else only

    async def __call__(self, assignment: Assignment, report: Report) -> CandidateResult:
        await self._gate.passed()
        if self._takes:
            await asyncio.sleep(self._takes)
        if not self._left:
            await asyncio.get_running_loop().create_future()
        self._left -= 1
        if self._size:
            return CandidateResult(content=text_of(self._size), media_type="text/plain", maker="benchmark")
        content = json.dumps({"ok": True, "id": assignment.task.task_id, "t": time.time()}).encode()
        return CandidateResult(content=content, media_type="application/json", maker="benchmark")

    async def close(self) -> None:
        """Does nothing: there is nothing to close."""


class NoOpValidator:
    """A work.Handler that signs everything off; `rejects`: but for so many attempts of each task."""

    offer = Offer()

    def __init__(self, *, rejects: int = 0) -> None:
        self._rejects = rejects

    async def __call__(self, assignment: Assignment, report: Report) -> VerdictResult:
        if assignment.candidate is None:
            raise ValueError(f"expected a candidate to judge under lease {assignment.lease_id}, but got none")
        if assignment.attempt <= self._rejects:
            return VerdictResult(outcome=FAIL, results=(_REJECTED,), feedback=_REJECTED.reason, judge="benchmark")
        return VerdictResult(outcome=PASS, results=(_RESULT,), feedback="", judge="benchmark")

    async def close(self) -> None:
        """Does nothing: there is nothing to close."""


def text_of(size: int) -> bytes:
    """Returns random hexadecimal digits, which nothing compresses."""
    return os.urandom((size + 1) // 2).hex().encode()[:size]
