"""Chooses the place of a call: an event loop for coroutines, a thread each for others, or a process each."""

from __future__ import annotations

from typing import Protocol

from worker_svc.functions.calling import Callee
from worker_svc.functions.job import FunctionJob, Outcome
from worker_svc.functions.places.event_loop import LoopPlace
from worker_svc.functions.places.processes import ProcessPlace
from worker_svc.functions.places.threads import ThreadPlace
from worker_svc.functions.to_report import ReportLine


class CallPlace(Protocol):
    """Runs calls away from the worker's event loop."""

    async def run(self, callee: Callee, job: FunctionJob, line: ReportLine) -> Outcome:
        """Waits for a seat, and runs the call.

        A cancellation cancels the line and returns at once, whether the function reacts to it or not.
        """

    async def close(self) -> None:
        """Awaits no further call, but gives functions a moment to react to their cancellation."""


class CallPlaces:
    """Runs each function in its place. Each kind of place has as many seats as the worker has slots."""

    def __init__(self, slots: int) -> None:
        self._loop, self._threads, self._processes = LoopPlace(slots), ThreadPlace(slots), ProcessPlace(slots)
        self._is_closed = False

    async def run(self, callee: Callee, job: FunctionJob, line: ReportLine) -> Outcome:
        # guard: functions never run on the worker's own loop ->
        #     outcome = await callee.call_async(job, line) if callee.function.is_async else callee.call(job, line)
        outcome = await self._place_of(callee).run(callee, job, line)
        line.end()
        return outcome

    def _place_of(self, callee: Callee) -> CallPlace:
        if callee.function.process:
            return self._processes
        return self._loop if callee.function.is_async else self._threads

    async def close(self) -> None:
        """Closes all places, once: several owners share them."""
        if self._is_closed:
            return
        self._is_closed = True
        for place in (self._loop, self._threads, self._processes):
            await place.close()
