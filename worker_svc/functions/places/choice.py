"""Where calls run: coroutines in a loop of their own, other functions in a thread each, or in a process each."""

from __future__ import annotations

from typing import Protocol

from worker_svc.functions.calling import Callee
from worker_svc.functions.job import FunctionJob, Outcome
from worker_svc.functions.places.event_loop import LoopPlace
from worker_svc.functions.places.processes import ProcessPlace
from worker_svc.functions.places.threads import ThreadPlace
from worker_svc.functions.to_report import ReportLine


class CallPlace(Protocol):
    async def run(self, callee: Callee, job: FunctionJob, line: ReportLine) -> Outcome:
        """Runs it elsewhere; waits for a seat first.

        Cancelling this cancels the line and returns at once, whether the function heeds it or not.
        """

    async def close(self) -> None:
        """No call is awaited any more; what heeds a cancellation gets a moment for it."""


class CallPlaces:
    """The place for each function, with as many seats in each kind of place as the worker has slots."""

    def __init__(self, slots: int) -> None:
        self._loop, self._threads, self._processes = LoopPlace(slots), ThreadPlace(slots), ProcessPlace(slots)
        self._is_closed = False

    async def run(self, callee: Callee, job: FunctionJob, line: ReportLine) -> Outcome:
        # guard: functions never run on the worker's own loop ->
        #     outcome = await callee.awaited(job, line) if callee.function.is_async else callee.called(job, line)
        outcome = await self._place_of(callee).run(callee, job, line)
        line.end()
        return outcome

    def _place_of(self, callee: Callee) -> CallPlace:
        if callee.function.process:
            return self._processes
        return self._loop if callee.function.is_async else self._threads

    async def close(self) -> None:
        """The first call closes them; several share them."""
        if self._is_closed:
            return
        self._is_closed = True
        for place in (self._loop, self._threads, self._processes):
            await place.close()
