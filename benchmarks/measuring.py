"""Runs workloads: the engines take turns, run by run, so that a machine that changes its speed treats all alike."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime

from benchmarks.driving import BrokenRun
from benchmarks.engine import Measure, NotHere
from benchmarks.machine import calibration_ms, machine, versions
from benchmarks.results import FAILED, MEASURED, NOT_HERE, OVER, Result, figures_of, processes_of
from benchmarks.sample import Sample
from benchmarks.workloads import Entry, Workload
from signoff.errors import SignoffError


@dataclass(slots=True)
class _Turn:
    """An engine that takes part, and its samples so far."""

    entry: Entry
    limit: float
    measure: Measure | None = None
    samples: list[Sample] = field(default_factory=list)
    status: str = MEASURED
    reason: str = ""
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def set_up(self) -> None:
        async def enter() -> None:
            self.measure = await self._stack.enter_async_context(self.entry.set_up())

        await self._tried(enter())

    async def run(self) -> None:
        """Runs once, unless an earlier run has shown that it cannot be done."""
        if self.status != MEASURED or self.measure is None:
            return
        measure = self.measure

        async def once() -> None:
            self.samples.append(await measure())

        await self._tried(once())

    async def _tried(self, doing: Coroutine[None, None, None]) -> None:
        """Ends the engine's part in this workload, with the reason, when an error is raised."""
        try:
            async with asyncio.timeout(self.limit):
                await doing
        except TimeoutError:
            self.status, self.reason = OVER, f"over {self.limit:.0f} s"
        except NotHere as error:
            self.status, self.reason = NOT_HERE, str(error)
        except (BrokenRun, SignoffError, ConnectionError) as error:
            self.status, self.reason = FAILED, str(error)[:2000]
        if self.status != MEASURED:
            await self.take_down()

    async def take_down(self) -> None:
        await self._stack.aclose()


async def measured(
    workload: Workload, *, runs: int, limit: float, session: str, only: Sequence[str] = (), hurry_at: float = math.inf
) -> AsyncIterator[Result]:
    """Yields a result for each engine. `limit`: seconds that setting up and each run may take. `only`: these engines.

    From `hurry_at` on, by time.monotonic(), each engine has one run.
    """
    entries = {name: entry for name, entry in workload.engines.items() if not only or name in only}
    turns = {name: _Turn(entry=entry, limit=min(limit, entry.limit)) for name, entry in entries.items()}
    try:
        for turn in turns.values():
            await turn.set_up()
        for number in range(runs):
            if number and time.monotonic() > hurry_at:
                break
            for turn in turns.values():
                await turn.run()
    finally:
        for turn in turns.values():
            await turn.take_down()
    for name, turn in turns.items():
        yield _result(workload, name, turn, session)


def _result(workload: Workload, engine: str, turn: _Turn, session: str) -> Result:
    last = turn.samples[-1] if turn.samples else None
    return Result(
        session=session,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        workload=workload.name,
        engine=engine,
        status=turn.status,
        reason=turn.reason,
        runs=len(turn.samples),
        tasks=workload.tasks,
        phases=turn.entry.phases,
        durable=last.durable if last else False,
        version=last.version if last else "",
        note=last.note if last else "",
        figures=figures_of(turn.samples) if last else {},
        processes=processes_of(turn.samples),
        machine=machine(),
        versions=versions(),
        calibration_ms=calibration_ms(),
    )
